"""Reasons for predictions: the measured features with the largest SHAP values, with their gates and percentiles."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuroclass.classification.doubt import rows_of
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.classification.result import Prediction, Reason
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.cell_predictor import AnyPredictor, CellPredictor, JointPredictor
from neuroclass.reference.ranges import compared_with, percentile
from neuroclass.types.arrays import Floats

N_REASONS = 10

Pair = tuple[Prediction, Prediction]
"""Broad class and subclass of one cell."""


def with_reasons(
    dann: AnyPredictor, fine: AnyPredictor, cells: Sequence[MeasuredCell], pairs: Sequence[Pair]
) -> list[Pair]:
    """Give both predictions of each cell their reasons.

    Parameters
    ----------
    dann, fine : CellPredictor or Predictor
        The models of the broad class and of these cells' subclasses.
    cells : sequence of MeasuredCell
        The cells.
    pairs : sequence of (Prediction, Prediction)
        Their predictions; reasons are given for the likeliest class.

    Returns
    -------
    list of (Prediction, Prediction)
    """
    broad, subclass = _shap(dann, fine, cells)
    firsts = _explained(dann, cells, [pair[0] for pair in pairs], broad)
    return list(zip(firsts, _explained(fine, cells, [pair[1] for pair in pairs], subclass), strict=True))


def _shap(dann: AnyPredictor, fine: AnyPredictor, cells: Sequence[MeasuredCell]) -> tuple[Floats, Floats]:
    """SHAP values of both tasks, each of shape (n_cells, 41, n_classes)."""
    from neuroclass.explain.shap_values import shap_values

    x, species = rows_of(cells), [cell.species for cell in cells]
    if isinstance(fine, CellPredictor) and isinstance(dann, CellPredictor):
        values = shap_values(JointPredictor(fine), x, species).values
        return values[:, :, : len(dann.classes)], values[:, :, len(dann.classes) :]
    return shap_values(dann, x, species).values, shap_values(fine, x, species).values


def _explained(
    model: AnyPredictor, cells: Sequence[MeasuredCell], predictions: Sequence[Prediction], shap: Floats
) -> list[Prediction]:
    species = [cell.species for cell in cells]
    gates = model.gates(rows_of(cells), species) if hasattr(model, "gates") else None
    result = []
    for row, (cell, prediction) in enumerate(zip(cells, predictions, strict=True)):
        winner = int(np.argmax([prediction.probabilities[name] for name in model.classes]))
        own = None if gates is None else gates[row]
        result.append(replace(prediction, reasons=_reasons(cell, model.classes[winner], shap[row, :, winner], own)))
    return result


def _reasons(cell: MeasuredCell, label: str, shap: Floats, gates: Floats | None) -> tuple[Reason, ...]:
    """The measured features that matter most, largest contribution first."""
    order = [k for k in np.argsort(-np.abs(shap)) if FEATURE_NAMES[k] in cell.features][:N_REASONS]
    compared = compared_with(cell.species, label)
    return tuple(
        Reason(
            feature=FEATURE_NAMES[k],
            value=cell.features[FEATURE_NAMES[k]],
            shap=float(shap[k]),
            percentile=percentile(FEATURE_NAMES[k], cell.features[FEATURE_NAMES[k]], cell.species, compared),
            gate=None if gates is None else float(gates[k]),
        )
        for k in order
    )
