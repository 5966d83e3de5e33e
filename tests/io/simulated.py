"""A simulated cell, and its features as they are read from NWB: what every other format must give as well."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from neuroclass.cohort.demo import simulated_cell
from neuroclass.ephys.cell_features import extract_features
from neuroclass.ephys.sweep import Recording
from neuroclass.io.recordings import read_recordings
from neuroclass.simulation.cells import Plan, simulate_recording
from tests.io.nwb_files import write_nwb2

PLAN = Plan((-110.0, -70.0, -50.0), (0.0, 40.0), (-10.0, 10.0), 1, (), 1.0)
LOOSE = {"rel": 0.02, "abs": 0.05}


@lru_cache(maxsize=1)
def cell() -> Recording:
    """Long squares, short squares and a ramp of a demo cell, at 50 kHz."""
    simulated, seed = simulated_cell("simulated-mouse-glutamatergic-001")
    return simulate_recording(simulated, seed, plan=PLAN)


@lru_cache(maxsize=1)
def squares() -> Recording:
    """The cell's long squares, which are equally long."""
    return replace(cell(), sweeps=cell().sweeps[:5])


@lru_cache(maxsize=2)
def nwb_features(n_sweeps: int) -> dict[str, float]:
    """Features of the cell's first sweeps, read from NWB 2."""
    planted = replace(cell(), sweeps=cell().sweeps[:n_sweeps])
    with TemporaryDirectory() as folder:
        (read,) = read_recordings(write_nwb2(Path(folder) / "cell.nwb", {"cell": planted}))
    values = {name: value for name, value in extract_features(read).values.items() if np.isfinite(value)}
    assert len(values) > (20 if n_sweeps > 5 else 10)
    return values


def assert_same_cell(read: Recording, planted: Recording | None = None, atol_mv: float = 0.01) -> None:
    """Check that a recording has the simulated cell's samples, within quantisation, and its features."""
    planted = planted or cell()
    assert len(read.sweeps) == len(planted.sweeps)
    for found, expected in zip(read.sweeps, planted.sweeps, strict=True):
        assert found.rate_hz == pytest.approx(expected.rate_hz, rel=1e-6)
        np.testing.assert_allclose(found.v_mv, expected.v_mv, atol=atol_mv)
        np.testing.assert_allclose(found.i_pa, expected.i_pa, atol=1e-6)
    values = extract_features(read).values
    for name, value in nwb_features(len(planted.sweeps)).items():
        assert values[name] == pytest.approx(value, **LOOSE), name
