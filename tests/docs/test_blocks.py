"""What README and documentation tell a reader to type does what they say: every block is run, outputs compared."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from neuroclass.config import CACHE_VARIABLE, DANDI_URL_VARIABLE, DATA_VARIABLE, PROJECT_DIR
from neuroclass.ephys import compiled
from tests.docs.archive import small_archive
from tests.docs.blocks import EXCEPTIONS, OUTPUT, RUN, SHOWN, Block, blocks, pages, run_blocks

TIMEOUT_S = 600
ARCHIVE = "docs/tutorials/archive.md"
SLOW = {"docs/tutorials/command-line.md", ARCHIVE}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the pages share, with the kernels that are compiled already."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "kernels").symlink_to(compiled._CACHE.parent)
    return folder


@pytest.fixture
def reader(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to stand in, without data, with ``neuroclass`` on the path."""
    programs, here = tmp_path / "bin", tmp_path / "here"
    programs.mkdir()
    here.mkdir()
    command = programs / "neuroclass"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m neuroclass "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT_DIR))
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.chdir(here)
    yield here


def _run(block: Block, names: dict[str, Any]) -> str:
    """Run a block and return what it prints."""
    if block.language == "sh":
        command = ["bash", "-eu", "-c", block.code]  # no pipefail: `… | head` may stop reading before the end
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
        assert done.returncode == 0, f"{block.page}:{block.line} ends with {done.returncode}: {done.stderr}"
        return done.stdout
    printed = io.StringIO()
    code = compile("\n" * block.line + block.code, str(PROJECT_DIR / block.page), "exec")
    with redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow) if page in SLOW else page for page in pages() if run_blocks(page)],
)
def test_every_block_runs_and_prints_what_the_page_shows(
    page: str, reader: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.ExitStack() as stack:
        if page == ARCHIVE:
            monkeypatch.setenv(DANDI_URL_VARIABLE, stack.enter_context(small_archive()))
        _check(page)


def _check(page: str) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for block, shown in run_blocks(page):
        printed = _run(block, names)
        if shown is not None:
            assert printed.rstrip() == shown.code.rstrip(), f"{page}:{shown.line}"


def test_every_block_says_what_it_is() -> None:
    known = {*RUN, *SHOWN, OUTPUT}
    found = {block.language for page in pages() for block in blocks(page)}
    assert found - known == set()
    assert {*RUN, OUTPUT} <= found


def test_every_exception_is_a_block_and_says_why() -> None:
    keys = {block.key for page in pages() for block in blocks(page) if block.language in RUN}
    assert [key for key, why in EXCEPTIONS.items() if key not in keys or not why] == []
