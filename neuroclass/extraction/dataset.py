"""A partitioned Parquet dataset that a run adds to part by part, and that a later run goes on with.

``DIR/cells`` holds a row for each cell, ``DIR/failed`` one for each file, or cell of it, that was refused, with the
reason; ``DIR/job.json`` says what the rows depend on besides the files. Every part is written as a whole, the failed
ones before the cells of the same part, which thus say that both are there.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from neuroclass import __version__
from neuroclass.errors import SettingsError
from neuroclass.io.atomic import write_atomically

Row = dict[str, Any]
Key = tuple[str, str]
"""Name of an item, and a stamp that changes when its files do."""
CELLS, FAILED, JOB, LOCK = "cells", "failed", "job.json", "lock"
FAILED_COLUMNS = ("path", "stamp", "source", "cell", "error", "message")
_KEY = ["path", "stamp"]


class Dataset:
    """The dataset in a folder.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    columns : mapping of str to type
        The cells' columns besides path and stamp: ``float`` or ``str``.
    facts : mapping
        What rows depend on besides the files, as JSON: settings, checksums of models.
    """

    def __init__(self, folder: Path, columns: Mapping[str, type], facts: Mapping[str, Any]) -> None:
        self.folder = folder
        types = {float: pa.float64(), str: pa.string()}
        named = [(name, pa.string()) for name in _KEY] + [(name, types[kind]) for name, kind in columns.items()]
        self._schemas = {
            CELLS: pa.schema(named),
            FAILED: pa.schema([(name, pa.string()) for name in FAILED_COLUMNS]),
        }
        self._facts = dict(facts)

    def __enter__(self) -> "Dataset":
        """Open for adding.

        Raises
        ------
        SettingsError
            If the folder holds something else, rows of other settings, or another process adds to it.
        """
        if self.folder.is_dir() and any(self.folder.iterdir()) and not (self.folder / JOB).is_file():
            raise SettingsError(f"{self.folder} holds other files; name a new folder, or one that this command made.")
        for name in (CELLS, FAILED):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / LOCK)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise SettingsError(
                f"Another process adds to {self.folder}; wait for it, or name another folder."
            ) from None
        try:
            self._check_job()
        except SettingsError:
            self._lock.release()
            raise
        self._forget_halves()
        return self

    def __exit__(self, *_: object) -> None:
        """Let others add."""
        self._lock.release()

    def _check_job(self) -> None:
        text = json.dumps(self._facts, sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = self.folder / JOB
        if not path.is_file():
            job = {"sha256": digest, "neuroclass": __version__, **self._facts}
            write_atomically(path, json.dumps(job, indent=1, ensure_ascii=False).encode())
            return
        try:
            found = json.loads(path.read_text(encoding="utf-8"))["sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            found = None
        if found != digest:
            raise SettingsError(
                f"{self.folder} holds results of other settings or models (see {path}); name another folder, or repeat "
                "the command with those."
            )

    def _parts(self, name: str) -> list[Path]:
        return sorted((self.folder / name).glob("part-*.parquet"))

    def _forget_halves(self) -> None:
        """Delete failed parts without their cells: a kill came between them."""
        whole = {path.name for path in self._parts(CELLS)}
        for path in self._parts(FAILED):
            if path.name not in whole:
                path.unlink()

    def keys(self, name: str = "") -> set[Key]:
        """Items of the cells' table or of the failed one; of both by default."""
        found: set[Key] = set()
        for path in self._parts(name) if name else [*self._parts(CELLS), *self._parts(FAILED)]:
            table = pq.read_table(path, columns=_KEY)
            found |= set(zip(table["path"].to_pylist(), table["stamp"].to_pylist(), strict=True))
        return found

    def forget(self, stale: Callable[[Key], bool]) -> None:
        """Delete the rows of some items."""
        for name in (FAILED, CELLS):
            for path in self._parts(name):
                table = pq.read_table(path, schema=self._schemas[name])
                keys = zip(table["path"].to_pylist(), table["stamp"].to_pylist(), strict=True)
                kept = np.array([not stale(key) for key in keys], dtype=bool)
                if not kept.all():
                    _write(path, table.filter(pa.array(kept)))

    def add(self, rows: Sequence[Row]) -> None:
        """Write a part: rows with an ``error`` to the failed table, the others to the cells'."""
        number = len(self._parts(CELLS))
        name = f"part-{number:06d}-{secrets.token_hex(4)}.parquet"
        failed = [row for row in rows if row.get("error")]
        cells = [row for row in rows if not row.get("error")]
        for table, these in ((FAILED, failed), (CELLS, cells)):
            _write(self.folder / table / name, pa.Table.from_pylist(these, schema=self._schemas[table]))

    def summary(self) -> dict[str, Any]:
        """Number of cells, and of failed files by kind of error."""
        errors: Counter[str] = Counter()
        for table in self._tables(FAILED, ["error"]):
            errors.update(table["error"].to_pylist())
        n_cells = sum(pq.read_metadata(path).num_rows for path in self._parts(CELLS))
        return {"folder": str(self.folder), "n_cells": n_cells, "failed": dict(errors.most_common())}

    def _tables(self, name: str, columns: list[str]) -> Iterator[pa.Table]:
        return (pq.read_table(path, columns=columns) for path in self._parts(name))


def _write(path: Path, table: pa.Table) -> None:
    draft = path.with_name(f".{path.name}")  # readers pass over names with a dot
    pq.write_table(table, draft)
    draft.replace(path)


def read_dataset(folder: Path, name: str = CELLS) -> pd.DataFrame:
    """The whole table of a dataset, ordered by path and cell."""
    table = pd.read_parquet(folder / name)
    return table.sort_values(["path", "cell"], kind="stable", ignore_index=True)
