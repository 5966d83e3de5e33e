"""Doubt about a verdict: strangers, recordings unlike the database's, and models that contradict each other."""

from typing import Any

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.cell_predictor import AnyPredictor, CellPredictor
from neuroclass.reference.ranges import outside
from neuroclass.types.models import LSPIN

LEAST_FEATURES = 5
ODD_TYPICALITY = 0.01
ODD_SHARE = 0.25
N_UNLIKE = 3
MOUSE_ONLY = "the five subclasses were learned in mouse; for a human cell the probabilities are only an analogy"
_FAR = 2.5
_EVEN = 0.5
_APART = 0.3


def unusual(cell: MeasuredCell, typicality: float | None) -> tuple[str, ...]:
    """A warning that names the unusual features of an atypical cell."""
    if typicality is None or typicality >= ODD_TYPICALITY:
        return ()
    odd = outside(cell.features, cell.species)
    values = ", ".join(f"{name} {cell.features[name]:.4g} {BY_NAME[name].unit}".rstrip() for name in odd[:8])
    what = f": outside the database's central 99% lie {values}" if odd else " in how its features go together"
    return (f"Fewer than {ODD_TYPICALITY:.0%} of the training cells are as unusual{what}.",)


def apart(model: AnyPredictor, cell: MeasuredCell) -> tuple[str, ...]:
    """A warning where DANN and LSPIN, each by itself, contradict each other."""
    if not isinstance(model, CellPredictor) or cell.species == Species.HUMAN:
        return ()
    dann, lspin = model.excitatory_apart(cell.row()[None], [cell.species])[0]
    if (dann >= _EVEN) == (lspin >= _EVEN) or abs(dann - lspin) < _APART:
        return ()
    return (
        f"DANN and LSPIN contradict each other: by itself DANN gives excitatory {dann:.0%}, LSPIN gives Glutamatergic "
        f"{lspin:.0%}. The verdict is the mean of their log odds; treat the broad class as undecided.",
    )


def likeness(model: AnyPredictor, cell: MeasuredCell) -> dict[str, Any]:
    """How like the database's recordings the cell's is, and the features that differ most."""
    if not isinstance(model, CellPredictor) or not cell.features:
        return {}
    x = cell.row()
    home = float(model.probability_home(x[None], [cell.species])[0])
    away = model.from_home(x[None], cell.species)[0]
    order = sorted(np.flatnonzero(np.isfinite(away)), key=lambda k: -abs(away[k]))
    return {
        "probability": home,
        "differs_most": [{"feature": FEATURE_NAMES[k], "sd": float(away[k])} for k in order[:N_UNLIKE]],
    }


def why_not(model: AnyPredictor, cell: MeasuredCell, typicality: float, prediction_set: tuple[str, ...]) -> str:
    """Why no label is given; empty if one is."""
    if model.name == LSPIN.name and cell.species == Species.HUMAN:
        return MOUSE_ONLY
    if len(cell.features) < LEAST_FEATURES:
        return (
            f"only {len(cell.features)} of {len(FEATURE_NAMES)} features could be measured; at least {LEAST_FEATURES} "
            "are needed"
        )
    if isinstance(model, CellPredictor) and typicality < ODD_TYPICALITY:
        return _stranger(model, cell)
    odd = outside(cell.features, cell.species)
    if typicality < ODD_TYPICALITY and len(odd) > ODD_SHARE * len(cell.features):
        return (
            f"{len(odd)} of its {len(cell.features)} features lie outside the central 99% of the database's cells, and "
            f"fewer than {ODD_TYPICALITY:.0%} of the training cells are as unusual"
        )
    if len(prediction_set) == len(model.classes):
        return f"with these features the {COVERAGE:.0%} set holds every class"
    return ""


def _stranger(model: CellPredictor, cell: MeasuredCell) -> str:
    """Why a stranger gets no label: the features that no class explains."""
    deviation = model.deviations(cell.row()[None], cell.species)[0]
    order = np.argsort(-np.abs(deviation))[:N_UNLIKE]
    specs = [(BY_NAME[FEATURE_NAMES[k]], deviation[k]) for k in order if abs(deviation[k]) >= _FAR]
    values = [
        f"{one.label} {cell.features[one.name]:.4g} {one.unit}".rstrip() + f" ({sd:+.1f} sd)" for one, sd in specs
    ]
    named = ", ".join(values)
    what = f": given its other features, no class explains {named}" if named else ", in how its features go together"
    return (
        f"fewer than {ODD_TYPICALITY:.0%} of held-out cells, in whatever laboratory, are as unusual as this one{what}"
    )
