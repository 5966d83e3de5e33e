"""Doubt about a verdict: cells out of distribution, recordings unlike the database's, contradicting models."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from neuroclass.cell_types import Species, broad_of, label_of
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.classification.result import Prediction
from neuroclass.features import BY_NAME, FEATURE_NAMES, signed, with_unit
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.cell_predictor import AnyPredictor, CellPredictor
from neuroclass.reference.ranges import outside
from neuroclass.types.arrays import Floats
from neuroclass.types.models import LSPIN, title_of

LEAST_FEATURES = 5
ODD_TYPICALITY = 0.01
ODD_SHARE = 0.25
N_UNLIKE = 3
MOUSE_ONLY = "the five subclasses were learned in mouse; for a human cell their probabilities are only an analogy"
_FAR = 2.5
_EVEN = 0.5
_APART = 0.3


def unusual(cell: MeasuredCell, typicality: float | None) -> tuple[str, ...]:
    """A warning that names the unusual features of an atypical cell."""
    if typicality is None or typicality >= ODD_TYPICALITY:
        return ()
    odd = outside(cell.features, cell.species)
    values = ", ".join(f"{BY_NAME[name].named} {with_unit(name, cell.features[name])}" for name in odd[:8])
    what = f"outside the database's central 99% lie {values}" if odd else "its features do not usually occur together"
    return (f"Out of distribution: fewer than {ODD_TYPICALITY:.0%} of the training cells are as unusual; {what}.",)


def apart(model: AnyPredictor | None, cell: MeasuredCell) -> tuple[str, ...]:
    """A warning where DANN and LSPIN, each by itself, contradict each other."""
    return apart_each(model, [cell])[0]


def apart_each(model: AnyPredictor | None, cells: Sequence[MeasuredCell]) -> list[tuple[str, ...]]:
    """`apart` of many cells."""
    if not isinstance(model, CellPredictor):
        return [()] * len(cells)
    asked = [cell for cell in cells if cell.species != Species.HUMAN]
    found = iter(model.excitatory_apart(rows_of(asked), [cell.species for cell in asked]) if asked else ())
    return [() if cell.species == Species.HUMAN else _apart(*map(float, next(found))) for cell in cells]


def _apart(dann: float, lspin: float) -> tuple[str, ...]:
    if (dann >= _EVEN) == (lspin >= _EVEN) or abs(dann - lspin) < _APART:
        return ()
    return (
        f"DANN and LSPIN contradict each other: by itself DANN gives excitatory {dann:.0%}, LSPIN gives Glutamatergic "
        f"{lspin:.0%}. The verdict is the mean of their log odds; treat the broad class as undecided.",
    )


def contradiction(broad: Prediction, subclass: Prediction) -> tuple[str, ...]:
    """A warning where the broad class and the subclass do not go together, of models that are not reconciled."""
    first, second = broad.label, subclass.label
    if first is None or second is None or broad_of(second) == first:
        return ()
    return (
        f"{title_of(broad.model)} gives {label_of(first)} ({broad.probabilities[first]:.0%}), "
        f"{title_of(subclass.model)} gives {label_of(second)} ({subclass.probabilities[second]:.0%}): the two models "
        "contradict each other. A chosen model is not reconciled with the built-in one of the other task; treat both "
        "answers as undecided.",
    )


def likeness(model: AnyPredictor | None, cell: MeasuredCell) -> dict[str, Any]:
    """How like the database's recordings the cell's is, and the features that differ most."""
    return likeness_each(model, [cell])[0]


def likeness_each(model: AnyPredictor | None, cells: Sequence[MeasuredCell]) -> list[dict[str, Any]]:
    """`likeness` of many cells."""
    if not isinstance(model, CellPredictor):
        return [{} for _ in cells]
    x, species = rows_of(cells), [cell.species for cell in cells]
    every = zip(cells, model.probability_home(x, species), model.from_home(x, species), strict=True)
    return [_likeness(float(home), away) if cell.features else {} for cell, home, away in every]


def _likeness(home: float, away: Floats) -> dict[str, Any]:
    order = sorted(np.flatnonzero(np.isfinite(away)), key=lambda k: -abs(away[k]))
    return {
        "probability": home,
        "differs_most": [{"feature": FEATURE_NAMES[k], "sd": float(away[k])} for k in order[:N_UNLIKE]],
    }


def why_not(model: AnyPredictor, cell: MeasuredCell, typicality: float, prediction_set: tuple[str, ...]) -> str:
    """Why no label is given; empty if one is."""
    return why_not_each(model, [cell], np.array([typicality]), [prediction_set])[0]


def why_not_each(
    model: AnyPredictor,
    cells: Sequence[MeasuredCell],
    typicality: Floats,
    prediction_sets: Sequence[tuple[str, ...]],
) -> list[str]:
    """`why_not` of many cells; typicality has the shape (n_cells,)."""
    reasons: list[str] = []
    strangers: list[int] = []
    for row, (cell, share, chosen) in enumerate(zip(cells, typicality, prediction_sets, strict=True)):
        reasons.append(_beyond_the_model(model, cell))
        if reasons[-1]:
            continue
        if share < ODD_TYPICALITY and isinstance(model, CellPredictor):
            strangers.append(row)
            continue
        reasons[-1] = _odd(cell) if share < ODD_TYPICALITY else ""
        if not reasons[-1] and len(chosen) == len(model.classes):
            reasons[-1] = f"with these features the {COVERAGE:.0%} set holds every class"
    if strangers and isinstance(model, CellPredictor):
        odd = [cells[row] for row in strangers]
        deviations = model.deviations(rows_of(odd), [cell.species for cell in odd])
        for row, cell, deviation in zip(strangers, odd, deviations, strict=True):
            reasons[row] = _stranger(cell, deviation)
    return reasons


def rows_of(cells: Sequence[MeasuredCell]) -> Floats:
    """Features as model input, shape (n_cells, 41), NaN where missing."""
    return np.array([cell.row() for cell in cells]).reshape(-1, len(FEATURE_NAMES))


def _beyond_the_model(model: AnyPredictor, cell: MeasuredCell) -> str:
    """Why the model is not meant for the cell; empty if it is."""
    if model.task == LSPIN.task and cell.species == Species.HUMAN:
        return MOUSE_ONLY
    if len(cell.features) < LEAST_FEATURES:
        return (
            f"only {len(cell.features)} of {len(FEATURE_NAMES)} features could be measured; at least {LEAST_FEATURES} "
            "are needed"
        )
    return ""


def _odd(cell: MeasuredCell) -> str:
    """Why an atypical cell gets no label from a single network: many features outside the database's range."""
    odd = outside(cell.features, cell.species)
    if len(odd) <= ODD_SHARE * len(cell.features):
        return ""
    return (
        f"{len(odd)} of its {len(cell.features)} features lie outside the central 99% of the database's cells, and "
        f"fewer than {ODD_TYPICALITY:.0%} of the training cells are as unusual"
    )


def _stranger(cell: MeasuredCell, deviation: Floats) -> str:
    """Why a stranger gets no label: the features that no class explains, from their deviations, shape (41,)."""
    order = np.argsort(-np.abs(deviation))[:N_UNLIKE]
    specs = [(BY_NAME[FEATURE_NAMES[k]], deviation[k]) for k in order if abs(deviation[k]) >= _FAR]
    named = ", ".join(
        f"{one.named} {with_unit(one.name, cell.features[one.name])} ({signed(sd)} SD)" for one, sd in specs
    )
    what = f"no class explains {named}, given its other features" if named else "its features do not occur together"
    return (
        f"out of distribution: fewer than {ODD_TYPICALITY:.0%} of held-out cells, from any laboratory, are as unusual; "
        f"{what}"
    )
