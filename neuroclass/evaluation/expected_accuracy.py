"""What a set of features is worth: held-out accuracy with these stimuli, and which one to record next."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from neuroclass.cell_types import Species
from neuroclass.evaluation.feature_subsets import ExpectedAccuracy
from neuroclass.features import Stimulus, features_of

Rows = Sequence[Mapping[str, Any]]

RECORDED_SHARE = 0.5


def stimuli_of(features: Collection[str]) -> frozenset[Stimulus]:
    """The stimuli of which at least half the features were measured; ``NONE`` stands for what a person enters."""
    known = set(features)
    return frozenset(
        stimulus
        for stimulus in Stimulus
        if len(known & set(features_of(stimulus))) >= RECORDED_SHARE * len(features_of(stimulus))
    )


def expected_accuracy(rows: Rows, stimuli: frozenset[Stimulus], species: str) -> dict[str, Any]:
    """Held-out accuracy of cells with these stimuli.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of the ``masked`` protocol: ``laboratory`` (stimuli joined by +), ``species``, ``mean``, ``low``, ``high``
        (fractions of cells), ``n_cells``, ``classes``.
    stimuli : frozenset of Stimulus
        What was recorded.
    species : str
        Rows of mouse stand in where there is none of this species.

    Returns
    -------
    dict
        ``accuracy``, ``low``, ``high``, ``by_class`` (fractions of held-out cells), ``n_cells``, ``stimuli``,
        ``species``; empty where this combination was not measured.
    """
    for measured_on in (species, Species.MOUSE.value):
        for row in rows:
            if row["species"] == measured_on and _named(row["laboratory"]) == stimuli:
                return {
                    "accuracy": row["mean"],
                    "low": row["low"],
                    "high": row["high"],
                    "by_class": dict(row["classes"]),
                    "n_cells": row["n_cells"],
                    "stimuli": sorted(stimulus.value for stimulus in stimuli),
                    "species": measured_on,
                }
    return {}


def next_sweep(rows: Rows, stimuli: frozenset[Stimulus], species: str) -> dict[str, Any] | None:
    """The one stimulus more that would raise held-out accuracy most.

    Returns
    -------
    dict or None
        ``stimulus``, ``accuracy`` with it and ``now`` without (fractions of held-out cells); None where none helps.
    """
    now = expected_accuracy(rows, stimuli, species).get("accuracy", 0.0)
    offers = [
        (expected_accuracy(rows, stimuli | {stimulus}, species).get("accuracy", 0.0), stimulus.value)
        for stimulus in Stimulus
        if stimulus not in stimuli and stimulus is not Stimulus.NONE
    ]
    best = max(offers, default=(0.0, ""))
    return {"stimulus": best[1], "accuracy": best[0], "now": now} if best[0] > now else None


def worth_of(rows: Rows, worth: ExpectedAccuracy | None, features: Collection[str], species: str) -> dict[str, Any]:
    """Held-out accuracy with exactly these features: measured for whole stimuli, else estimated between random sets.

    Parameters
    ----------
    rows : sequence of mapping
        See `expected_accuracy`.
    worth : ExpectedAccuracy or None
        The estimate; without it the stimuli of which at least half the features are known stand in.
    features : collection of str
        The known features.
    species : str
        The cell's.

    Returns
    -------
    dict
        As `expected_accuracy`, with ``n_features``; an estimate has no ``stimuli``.
    """
    stimuli = stimuli_of(features)
    whole = set(features) == {name for stimulus in stimuli for name in features_of(stimulus)}
    if whole or worth is None:
        found = expected_accuracy(rows, stimuli, species)
        if found or worth is None:
            beside = worth(features, species) if worth else {}
            covered = {key: value for key, value in beside.items() if key.startswith("coverage")}
            return {**found, **covered, "n_features": len(set(features))} if found else {}
    return worth(features, species)


def best_sweep(
    rows: Rows, worth: ExpectedAccuracy | None, features: Collection[str], species: str
) -> dict[str, Any] | None:
    """The one stimulus more that would raise the accuracy of `worth_of` most.

    Returns
    -------
    dict or None
        ``stimulus``, ``accuracy`` with all its features and ``now`` without (fractions of held-out cells); None where
        none helps.
    """
    known = frozenset(features)
    now = worth_of(rows, worth, known, species).get("accuracy", 0.0)
    offers = [
        (worth_of(rows, worth, known | set(features_of(stimulus)), species).get("accuracy", 0.0), stimulus.value)
        for stimulus in Stimulus
        if stimulus is not Stimulus.NONE and not known.issuperset(features_of(stimulus))
    ]
    best = max(offers, default=(0.0, ""))
    return {"stimulus": best[1], "accuracy": best[0], "now": now} if best[0] > now else None


def _named(laboratory: str) -> frozenset[Stimulus] | None:
    names = laboratory.split("+")
    return frozenset(Stimulus(name) for name in names) if set(names) <= set(Stimulus) else None
