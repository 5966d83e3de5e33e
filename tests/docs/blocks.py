"""The fenced blocks of README and documentation, and those that no test runs, with the reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neuroclass.config import PROJECT_DIR

RUN = ("python", "sh")
SHOWN = ("text", "json", "nginx")
OUTPUT = 'text title="Output"'
_FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_SERVES = "it serves until it is interrupted; tests/browser starts the same server, .ci/package the command"
_INSTALLS = ".ci/package installs the wheel into empty environments and uses it"
_FETCHES = "it downloads the database's tables; tests/io/test_fetching.py does so from a server of its own"
_TRAINS = "it needs the published tables, which do not ship; tests/commands trains small models"
EXCEPTIONS = {
    ("README.md", "make app    # the dashboard, http://localhost:8501"): _SERVES,
    ("docs/tutorials/command-line.md", "neuroclass train dann --data published-tables --out my-model"): _TRAINS,
    ("docs/start.md", "python3 -m venv neuroclass-env"): _INSTALLS,
    ("docs/start.md", "neuroclass app"): _SERVES,
    ("docs/serving.md", "neuroclass app --address 0.0.0.0 --port 8501 --headless"): _SERVES,
    ("docs/data.md", "neuroclass fetch --cells"): _FETCHES,
}
"""Blocks that are not run: page and first line, and why."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    page : str
        Path of its page in the checkout.
    line : int
        Line of its fence, from 1.
    language : str
        What stands behind the fence.
    code : str
        Its text.
    """

    page: str
    line: int
    language: str
    code: str

    @property
    def key(self) -> tuple[str, str]:
        """Page and first line, as in `EXCEPTIONS`."""
        return self.page, self.code.partition("\n")[0]


def pages() -> list[str]:
    """README and every page of the documentation, as paths in the checkout."""
    return ["README.md", *sorted(str(path.relative_to(PROJECT_DIR)) for path in (PROJECT_DIR / "docs").rglob("*.md"))]


def blocks(page: str, folder: Path = PROJECT_DIR) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = (folder / page).read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[1].strip(), found[2])


def run_blocks(page: str) -> list[tuple[Block, Block | None]]:
    """The blocks that are run, each with the output that the page shows for it, if any."""
    found = list(blocks(page))
    following = [*found[1:], None]
    return [
        (block, after if after is not None and after.language == OUTPUT else None)
        for block, after in zip(found, following, strict=False)
        if block.language in RUN and block.key not in EXCEPTIONS
    ]
