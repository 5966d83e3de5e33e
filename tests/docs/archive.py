"""The small archive that the tutorial's blocks are run against."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from neuroclass.cohort.demo import simulated_cell
from neuroclass.io.nwb_writer import write_nwb
from neuroclass.simulation.cells import simulate_recording
from tests.io.dandi_server import Stored, dandi_server, stored
from tests.io.simulated import PLAN, cell

MOVIE = 20_000_000


@lru_cache(maxsize=1)
def files() -> tuple[Stored, ...]:
    """A recording that is all needed, and one with a movie in it."""
    recordings = (cell(), simulate_recording(*simulated_cell("simulated-mouse-pvalb-001"), plan=PLAN))
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.nwb" for number in (1, 2)]
        for path, recording in zip(paths, recordings, strict=True):
            write_nwb(path, [recording], "Mus musculus")
        with h5py.File(paths[1], "a") as file:
            file.create_dataset("analysis/movie", data=np.random.default_rng(0).random(MOVIE // 8))
        return tuple(stored(path, f"sub-{path.stem}/sub-{path.stem}_icephys.nwb", subject=path.stem) for path in paths)


@contextmanager
def small_archive() -> Iterator[str]:
    """Address of the archive's API."""
    with dandi_server(*files()) as (url, _):
        yield url
