"""The paper's reproduction on few planted cells, with few trials: everything is computed, only sizes are smaller."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from neuroclass.cohort import loading
from neuroclass.evaluation import dann_selection, lspin_selection, published_baselines
from neuroclass.reports import paper
from tests.tiny_report import tiny_cohort, tiny_sizes

N_TRIALS = 3


@contextmanager
def tiny_paper() -> Iterator[None]:
    """Few trials, seeds and settings, on planted cells, for as long as the context lasts."""
    with tiny_sizes(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load_cohort", lambda _=None: tiny_cohort())
        patch.setattr(lspin_selection, "N_TRIALS", N_TRIALS)
        patch.setattr(dann_selection, "N_TRIALS", N_TRIALS)
        patch.setattr(paper, "N_SEEDS", 2)
        patch.setattr(paper, "EXPLAINED", 3)
        for name, value in (("FOREST_TREES", (10,)), ("FOREST_DEPTHS", (4,)), ("BOOST_TREES", (5,))):
            patch.setattr(published_baselines, name, value)
        patch.setattr(published_baselines, "BOOST_DEPTHS", (3,))
        yield
