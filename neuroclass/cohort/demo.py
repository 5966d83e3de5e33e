"""The embedded demo cohort: simulated cells, their features and the parameters that generate their sweeps."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.config import SHIPPED_DIR
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import CohortError
from neuroclass.simulation.cells import (
    STIMULUS_NAMES,
    SimulatedCell,
    StimulusChoice,
    long_square_amplitudes,
    simulate_long_squares,
    simulate_recording,
)
from neuroclass.simulation.models import PARAMETER_NAMES, NeuronParameters

DEMO_FILE = SHIPPED_DIR / "data" / "demo_cohort.parquet"
DEMO_SOURCE = "demo cohort of simulated cells"
DEMO_NOTE = "Simulated: every cell is a conductance-based model, and none was recorded. See data/README.md."
PREFIX = "parameter_"
SEED_COLUMN = "seed"


@lru_cache(maxsize=2)
def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise CohortError(
            f"The demo cohort {path} cannot be read ({error}); restore it from the repository."
        ) from error


def load_demo(path: Path = DEMO_FILE) -> Cohort:
    """Load the demo cohort.

    Parameters
    ----------
    path : Path
        The Parquet file.

    Returns
    -------
    Cohort
        Marked as simulated.

    Raises
    ------
    CohortError
        If the file is absent or damaged.
    """
    return make_cohort(_read(path), DEMO_SOURCE, simulated=True, notes=(DEMO_NOTE,))


def simulated_cell(cell_id: str, path: Path = DEMO_FILE) -> tuple[SimulatedCell, int]:
    """Parameters and seed of one demo cell.

    Parameters
    ----------
    cell_id : str
        The cell's id.
    path : Path
        The Parquet file.

    Returns
    -------
    cell : SimulatedCell
        Neuron and stimulus amplitudes.
    seed : int
        Seed of its intrinsic noise.

    Raises
    ------
    CohortError
        If no demo cell has this id.
    """
    frame = _read(path)
    rows = frame[frame["id"] == cell_id]
    if rows.empty:
        raise CohortError(
            f"No demo cell is called {cell_id!r}; ids run from {frame['id'].min()} to {frame['id'].max()}."
        )
    row = rows.iloc[0]
    neuron = NeuronParameters(**{name: float(row[PREFIX + name]) for name in PARAMETER_NAMES})
    stimuli = StimulusChoice(**{name: float(row[PREFIX + "stimulus_" + name]) for name in STIMULUS_NAMES})
    return SimulatedCell(neuron, stimuli), int(row[SEED_COLUMN])


def simulate_demo_cell(cell_id: str, path: Path = DEMO_FILE) -> Recording:
    """Simulate one demo cell's sweeps; every call gives the same samples. See `simulated_cell`."""
    cell, seed = simulated_cell(cell_id, path)
    return simulate_recording(cell, seed, cell_id)


def simulate_demo_squares(cell_id: str, above_rheobase_pa: float, path: Path = DEMO_FILE) -> Recording:
    """Simulate a demo cell's most hyperpolarising long square and one about `above_rheobase_pa` above rheobase.

    The sweeps equal those of `simulate_demo_cell` at a tenth of the cost.
    """
    cell, seed = simulated_cell(cell_id, path)
    amplitudes = long_square_amplitudes(cell.stimuli)
    wanted = cell.stimuli.rheobase_pa + above_rheobase_pa
    lowest = min(range(len(amplitudes)), key=lambda k: amplitudes[k])
    nearest = min(range(len(amplitudes)), key=lambda k: abs(amplitudes[k] - wanted))
    return simulate_long_squares(cell, seed, (lowest, nearest), cell_id)
