"""Of which cells a model's own report is."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from neuroclass.cohort.splits import hold_out_donors
from neuroclass.config import LspinSettings, OptimiserSettings, ValidationSettings
from neuroclass.reports.own import cells_of
from neuroclass.training.train import NO_VALIDATION, train_model
from tests.planted import planted_cohort

SETTINGS = LspinSettings(n_members=1, seed=3, optimiser=OptimiserSettings(steps=5))


@pytest.fixture(scope="module")
def cohort():
    return planted_cohort(120)


@pytest.mark.parametrize("validation", [NO_VALIDATION, ValidationSettings(0.3)])
def test_a_report_is_of_the_cells_that_the_model_learned_from(cohort, validation):
    trained = train_model("lspin", cohort, SETTINGS, validation=validation)
    entry = SimpleNamespace(card=trained.card, task="subclass")
    labelled = cohort.labelled("subclass")
    learned = cells_of(entry, cohort)
    if validation.share:
        kept = labelled.take(hold_out_donors(labelled, "subclass", validation.share, SETTINGS.seed).test)
        assert not set(learned.frame["donor"]) & set(kept.frame["donor"])
        assert len(learned) + len(kept) == len(labelled)
    else:
        assert learned.digest() == labelled.digest()
    assert len(learned) == trained.card["training_cells"]["n_cells"]
    other = replace(cohort, frame=cohort.frame.iloc[1:].reset_index(drop=True))
    assert cells_of(entry, other) is None
