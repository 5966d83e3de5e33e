"""What visitors drop in benchmarks: recordings, tables and hostile files, each different from all before."""

import io
import tempfile
from functools import cache
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks.sessions import Upload
from neuroclass.cohort.demo import load_demo
from neuroclass.features import FEATURE_NAMES
from tests.io.hostile_tables import FILES

RECORDING, TABLE, HOSTILE = "recording", "table", "hostile file"
KINDS = (RECORDING, TABLE, RECORDING, HOSTILE)
"""One visitor after another."""


def recording(path: Path, number: int) -> Upload:
    """A recording with some bytes after its end, so that no answer comes from a cache."""
    content = path.read_bytes() + number.to_bytes(8, "little")
    return Upload(RECORDING, f"cell{number}{path.suffix}", content)


def table(n_rows: int, number: int) -> Upload:
    """A table of simulated cells, drawn with replacement and jittered by 5% of a standard deviation."""
    rng = np.random.default_rng(number)
    frame = load_demo().frame
    rows = frame.iloc[rng.integers(0, len(frame), n_rows)][list(FEATURE_NAMES)].reset_index(drop=True)
    rows = rows + 0.05 * rows.std().to_numpy() * rng.standard_normal(rows.shape)
    rows.insert(0, "cell", [f"c{k}" for k in range(n_rows)])
    rows.insert(1, "species", "mouse")
    out = io.StringIO()
    rows.to_csv(out, index=False)
    return Upload(TABLE, f"table{number}.csv", out.getvalue().encode())


@cache
def _hostile(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.table"
        FILES[name][0](path)
        return path.read_bytes()


def hostile(number: int) -> Upload:
    """One of the tables that tests refuse, in turn."""
    name = list(FILES)[number % len(FILES)]
    return Upload(HOSTILE, f"{name.replace(' ', '-')}-{number}.table", _hostile(name), refused=True)


def mixed(path: Path, n_rows: int, n_uploads: int, first: int = 0) -> list[Upload]:
    """Half recordings, a quarter tables, a quarter hostile files, numbered from `first`."""
    made = []
    for number, kind in enumerate(islice(cycle(KINDS), n_uploads), start=first):
        if kind == RECORDING:
            made.append(recording(path, number))
        else:
            made.append(table(n_rows, number) if kind == TABLE else hostile(number // len(KINDS)))
    return made
