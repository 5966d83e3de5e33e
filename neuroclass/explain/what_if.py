"""What a model answers for a cell some of whose features are altered or left out; nothing is measured anew."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.predictors.cell_predictor import AnyPredictor
from neuroclass.predictors.priors import Prior, reweight
from neuroclass.reference.ranges import load_ranges, overall_ranges


@dataclass(frozen=True)
class Altered:
    """A model's answer for an altered cell.

    Attributes
    ----------
    probabilities : mapping of class to float
        Calibrated, under the user's prior.
    typicality : float
        Share of held-out cells at least as unusual on the features present.
    """

    probabilities: Mapping[str, float]
    typicality: float


def altered_features(
    features: Mapping[str, float], changes: Mapping[str, float], left_out: Collection[str] = ()
) -> dict[str, float]:
    """A cell's features, stored units, with some values replaced and some left out."""
    return {name: changes.get(name, value) for name, value in features.items() if name not in left_out}


def ask(model: AnyPredictor, features: Mapping[str, float], species: str, prior: Prior) -> Altered:
    """Ask a model about features; where some are missing, it is the model fitted to those present that answers.

    Parameters
    ----------
    model : Predictor
        The model.
    features : mapping of name to float
        Stored units.
    species : str
        ``mouse``, ``human`` or ``unknown``.
    prior : Prior
        What is known of the classes beforehand.

    Returns
    -------
    Altered
    """
    row = np.array([[features.get(name, np.nan) for name in FEATURE_NAMES]])
    shares = model.predict_proba(row, [species])
    if prior:
        shares = reweight(shares, prior.of(model.classes))
    typicality = float(model.typicality_of(row, [species])[0])
    return Altered(dict(zip(model.classes, shares[0].tolist(), strict=True)), typicality)


def shown_range(feature: str, value: float, species: str) -> tuple[float, float]:
    """The database's central 99% of a feature in the species, display unit, widened to hold the cell's own value."""
    found = (load_ranges().get(species) or overall_ranges())[feature]
    factor = BY_NAME[feature].display_factor
    ends = sorted(factor * one for one in (found.low, found.high, value))
    return ends[0], ends[-1]
