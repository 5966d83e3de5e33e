"""The journal of an extraction, from which a killed run resumes."""

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol

from neuroclass.extraction.items import ExtractionJob
from neuroclass.extraction.table import Report


class Item(Protocol):
    """What a journal tells apart."""

    @property
    def name(self) -> str:
        """Its name."""

    def fingerprint(self) -> str:
        """A text that changes when it does."""


class Journal:
    """Finished items, one line of JSON each; a truncated line is ignored.

    Parameters
    ----------
    path : Path
        The journal's file.
    job : ExtractionJob
        How the items are measured; items measured otherwise do not count as finished.
    """

    def __init__(self, path: Path, job: ExtractionJob) -> None:
        self.path = path
        self._job = hashlib.sha256(json.dumps(job.facts(), sort_keys=True).encode()).hexdigest()[:16]
        self._file: Any = None

    def key(self, item: Item) -> str:
        """Identify an item by its name, its content's fingerprint and how it is measured."""
        return f"{self._job}|{item.name}|{item.fingerprint()}"

    def read(self) -> dict[str, list[Report]]:
        """Reports on finished items by key."""
        done: dict[str, list[Report]] = {}
        if self.path.is_file():
            for line in self.path.read_bytes().splitlines():
                try:
                    entry = json.loads(line)
                    done[entry["key"]] = entry["reports"]
                except (ValueError, KeyError, TypeError):
                    continue
        return done

    def write(self, item: Item, reports: list[Report]) -> str:
        """Add a finished item; returns its key."""
        key = self.key(item)
        self._file.write(json.dumps({"key": key, "reports": reports}).encode() + b"\n")
        self._file.flush()
        return key

    def __enter__(self) -> "Journal":
        """Open for appending, after the end of any line that was cut short."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = not self.path.is_file() or self.path.read_bytes()[-1:] in (b"\n", b"")
        self._file = self.path.open("ab")
        if not whole:
            self._file.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self._file.close()
