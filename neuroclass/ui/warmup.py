"""Import and compile slow parts in the background when the server starts."""

import gc
import importlib
import logging
import threading
from enum import StrEnum

from neuroclass.errors import NeuroClassError
from neuroclass.features import FEATURE_NAMES


class State(StrEnum):
    """How far the server is with its models."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


_state = State.LOADING
_imported = threading.Event()
_imported.set()
_SLOW = ("torch", "shap", "scipy.cluster.hierarchy", "sklearn.linear_model", "neuroclass.classification.classify")
_OF_FITS = "torch._dynamo"
"""What an optimiser imports when it is first made: more than a second of the first fit to a set of features."""


def rehearse() -> None:
    """Classify a simulated cell once, so that everything imported or compiled on first use is ready.

    ``python -m neuroclass.ui.warmup`` does so where an image is built.
    """
    from neuroclass.classification.classify import classify_input
    from neuroclass.classification.inputs import CellInput
    from neuroclass.cohort.demo import load_demo, simulate_demo_cell
    from neuroclass.ephys.cell_features import extract_features
    from neuroclass.io.export import to_csv

    cell = load_demo().frame.head(1)
    extract_features(simulate_demo_cell(str(cell["id"].iloc[0])))
    classify_input(CellInput.single("warm-up.csv", to_csv(cell[["species", *FEATURE_NAMES]])))


def state() -> State:
    """Whether a cell was classified since the server started."""
    return _state


def _warm_up() -> None:
    global _state
    reached = State.FAILED
    try:
        try:
            for name in _SLOW:
                importlib.import_module(name)
        finally:
            _imported.set()
        rehearse()
        reached = State.READY
    except NeuroClassError as error:
        logging.getLogger(__name__).warning("the rehearsal failed: %s", error)
    finally:
        _state = reached
    importlib.import_module(_OF_FITS)
    gc.collect()
    gc.freeze()


def wait(seconds: float = 120.0) -> None:
    """Wait for the slow imports; two threads importing the same packages can block each other."""
    _imported.wait(seconds)


def start() -> threading.Thread:
    """Start the warm-up; freezing the heap afterwards spares every rerun a full collection."""
    _imported.clear()
    thread = threading.Thread(target=_warm_up, name="warm-up", daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    rehearse()
