"""A stranger's reason names what makes it one; a contradiction is reported only where there is one."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.classification import doubt
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.classification.models import load_models
from neuroclass.features import BY_NAME, FEATURE_NAMES, with_unit
from neuroclass.predictors.cell_predictor import CellPredictor
from tests import shipped

PLANTED = "vrest"


def measured(x: np.ndarray, species: str = "mouse") -> MeasuredCell:
    known = {name: float(value) for name, value in zip(FEATURE_NAMES, x, strict=True) if np.isfinite(value)}
    return MeasuredCell("table.csv", "cell", species, known, dict.fromkeys(set(FEATURE_NAMES) - set(known), "absent"))


def cells(species: str = "mouse", n_cells: int = 40, present: np.ndarray = shipped.LONG_SQUARE) -> np.ndarray:
    return shipped.in_stored_units(shipped.only(shipped.drawn(species, 6)[0], present))[:: 299 // n_cells][:n_cells]


def typical(model: CellPredictor, species: str = "mouse") -> np.ndarray:
    x = cells(species)
    return x[model.typicality_of(x, [species] * len(x)) > 0.2]


def why(model: CellPredictor, x: np.ndarray, species: str = "mouse") -> str:
    share = float(model.typicality_of(x[None], [species])[0])
    return doubt.why_not(model, measured(x, species), share, model.classes[:1])


@pytest.mark.parametrize("species", ["mouse", "human"])
def test_a_strangers_reason_names_the_planted_feature(species):
    model = shipped.dann()
    x = typical(model, species)
    assert len(x) > 10
    before = [why(model, row, species) for row in x]
    assert not any(before)
    x[:, FEATURE_NAMES.index(PLANTED)] += 50
    for row in x:
        reason = why(model, row, species)
        assert f"{BY_NAME[PLANTED].named} {with_unit(PLANTED, row[FEATURE_NAMES.index(PLANTED)])} (+" in reason
        assert reason.index(BY_NAME[PLANTED].label) < reason.index("SD)"), "the planted feature is not named first"


def test_the_sign_of_the_deviation_is_that_of_the_planted_change():
    model = shipped.dann()
    x = typical(model)[0]
    x[FEATURE_NAMES.index(PLANTED)] -= 50
    assert "mV (−" in why(model, x)


def test_the_other_reasons_come_with_their_facts():
    lspin, x = shipped.lspin(), cells()[0]
    assert doubt.why_not(lspin, measured(x, "human"), 0.5, ("Sst",)) == doubt.MOUSE_ONLY
    few = np.full(len(FEATURE_NAMES), np.nan)
    few[:3] = 1.0
    assert "only 3 of 41" in doubt.why_not(lspin, measured(few), 0.5, ("Sst",))
    assert "holds every class" in doubt.why_not(lspin, measured(x), 0.5, lspin.classes)
    assert doubt.why_not(lspin, measured(x), 0.5, ("Sst",)) == ""


class TwoMinds(CellPredictor):
    """DANN's and LSPIN's own probabilities of excitatory as wanted."""

    answers: tuple[float, float] = (0.5, 0.5)

    def excitatory_apart(self, x, species):
        return np.tile(self.answers, (len(x), 1))


@pytest.mark.parametrize(
    ("answers", "contradiction"),
    [
        ((0.95, 0.05), True),
        ((0.1, 0.8), True),
        ((0.95, 0.55), False),
        ((0.05, 0.45), False),
        ((0.55, 0.45), False),
        ((0.6, 0.35), False),
    ],
)
def test_only_a_contradiction_is_reported(answers, contradiction):
    model = TwoMinds(shipped.dann().spec, shipped.library(), {})
    object.__setattr__(model, "answers", answers)
    cell = measured(cells()[0])
    found = doubt.apart(model, cell)
    assert bool(found) is contradiction
    if contradiction:
        assert f"excitatory {answers[0]:.0%}" in found[0] and f"Glutamatergic {answers[1]:.0%}" in found[0]
    assert doubt.apart(model, replace(cell, species="human")) == ()


def test_typical_cells_seldom_contradict():
    model = shipped.dann()
    assert np.mean([bool(doubt.apart(model, measured(row))) for row in cells()]) < 0.1


def test_a_contradicted_verdict_is_near_even():
    """Of cells between the classes, those that the two models judge most differently end near even odds."""
    z, truth = shipped.drawn("mouse", 8)
    between = (z[truth == 0][:68] + z[truth == 1][:68]) / 2
    x = shipped.in_stored_units(shipped.only(between, shipped.LONG_SQUARE))
    model = shipped.dann()
    apart = np.array([bool(doubt.apart(model, measured(row))) for row in x])
    assert apart.any()
    confidence = np.abs(model.predict_proba(x, ["mouse"] * len(x))[:, 0] - 0.5)
    assert confidence[apart].mean() < confidence[~apart].mean()
    assert np.median(confidence[apart]) < 0.25


def test_likeness_names_the_feature_that_differs_most():
    model, x = shipped.dann(), cells()[0]
    own = doubt.likeness(model, measured(x))
    x[FEATURE_NAMES.index(PLANTED)] += 40
    moved = doubt.likeness(model, measured(x))
    assert moved["probability"] < own["probability"]
    assert moved["differs_most"][0]["feature"] == PLANTED
    assert moved["differs_most"][0]["sd"] > 3
    assert len(moved["differs_most"]) == doubt.N_UNLIKE
    assert doubt.likeness(model, MeasuredCell("t", "c", "mouse", {}, {})) == {}


def test_a_network_alone_has_no_likeness_and_no_contradiction():
    network, cell = load_models(None).dann.network, measured(cells()[0])
    assert doubt.likeness(network, cell) == {}
    assert doubt.apart(network, cell) == ()
