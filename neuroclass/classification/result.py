"""Results of `classify` for one cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from neuroclass.classification.fingerprint import fingerprint
from neuroclass.errors import RejectedInput
from neuroclass.features import BY_NAME, FEATURE_NAMES


@dataclass(frozen=True)
class Reason:
    """One feature's contribution to a prediction.

    Attributes
    ----------
    feature : str
        Name of the feature.
    value : float
        The cell's value, stored unit.
    shap : float
        SHAP value towards the predicted class, in the unit named by the verdict's model card.
    percentile : float or None
        Share of the predicted class' reference cells with a lower value, percent.
    gate : float or None
        LSPIN's gate, 0 (shut) to 1 (open); None for DANN.
    """

    feature: str
    value: float
    shap: float
    percentile: float | None = None
    gate: float | None = None


def by_quantity(reasons: Sequence[Reason]) -> list[tuple[Reason, tuple[Reason, ...]]]:
    """Put reasons that are one quantity under several stimuli together.

    Parameters
    ----------
    reasons : sequence of Reason
        Largest contribution first.

    Returns
    -------
    list of (Reason, tuple of Reason)
        The strongest reason of each quantity with its others, in order of the strongest.
    """
    groups: dict[str, list[Reason]] = {}
    for one in reasons:
        groups.setdefault(BY_NAME[one.feature].called, []).append(one)
    return [(first, tuple(others)) for first, *others in groups.values()]


@dataclass(frozen=True)
class Prediction:
    """One model's prediction.

    Attributes
    ----------
    model : str
        ``dann``, ``lspin`` or ``human-subclass``, or the name of a model chosen from the library.
    probabilities : mapping of class to float
        Calibrated probabilities; they sum to 1.
    prediction_set : tuple of str
        Classes that together hold the truth in `coverage` of held-out cells.
    coverage : float
        Stated coverage of the set, a fraction of cells.
    typicality : float
        Share of training cells at least as unusual as this one on the features present.
    expected : mapping
        Held-out accuracy with about this cell's features: ``accuracy``, ``low``, ``high``, ``stimuli``, ``n_cells``.
    next_sweep : mapping or None
        Stimulus whose recording would raise held-out accuracy most: ``stimulus``, ``accuracy``, ``now``.
    reasons : tuple of Reason
        Largest contribution first.
    abstain : str
        Why no label is given; empty where one is.
    plain : mapping of class to float
        Probabilities without the user's prior; empty where there is none.
    """

    model: str
    probabilities: Mapping[str, float]
    prediction_set: tuple[str, ...] = ()
    coverage: float = 0.9
    typicality: float | None = None
    expected: Mapping[str, Any] = field(default_factory=dict)
    next_sweep: Mapping[str, Any] | None = None
    reasons: tuple[Reason, ...] = ()
    abstain: str = ""
    plain: Mapping[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str | None:
        """Most likely class; None if the model abstains."""
        if self.abstain or not self.probabilities:
            return None
        return max(self.probabilities, key=lambda name: self.probabilities[name])


@dataclass(frozen=True)
class CellVerdict:
    """The verdict on one cell: both models' predictions, with warnings.

    Attributes
    ----------
    source : str
        File it came from.
    cell : str
        The cell's name in that file.
    species : str
        ``mouse``, ``human`` or ``unknown``.
    broad, subclass : Prediction
        DANN's and LSPIN's answers.
    features : mapping of name to float
        Measured features, stored units.
    missing : mapping of name to str
        Why each of the others is missing.
    provenance : mapping of name to dict
        Where each feature was measured: sweeps, spike, samples.
    sweeps, qc : tuple of dict
        Sweeps with their epochs, and quality flags with value and limit.
    warnings : tuple of str
        What a user should know.
    prior : mapping of class to float
        Weights of the classes that the user gave; empty where none.
    conditions : mapping
        Recording conditions that were given and the corrections that follow; empty where none was given.
    likeness : mapping
        ``probability`` that the recording is like the database's, and the features that ``differs_most`` from the
        database's likeliest class, in its standard deviations; empty where nothing is known.
    models : mapping of name to str
        SHA-256 of the loaded models that judged the cell: ``dann``, ``lspin``, of a human cell ``human-subclass``, and
        of its ``feature-set`` and that set's ``training`` cells; in place of ``dann`` or ``lspin``, ``chosen broad`` or
        ``chosen subclass`` where one was chosen from the library.
    judged_by : mapping of task to mapping
        ``name``, ``id`` in the library, ``system`` and ``sha256`` of the model of each task.
    origin : mapping of str to str
        The archive's ``dandiset``, ``version``, ``path`` and ``citation`` of a recording fetched from it, and what was
        ``fetched`` of it; else empty.
    without_sweeps : tuple of int
        Numbers of the sweeps that the user left out.
    """

    source: str
    cell: str
    species: str
    broad: Prediction
    subclass: Prediction
    features: Mapping[str, float]
    missing: Mapping[str, str]
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sweeps: tuple[Mapping[str, Any], ...] = ()
    qc: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    prior: Mapping[str, float] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    likeness: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    judged_by: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    without_sweeps: tuple[int, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that the numbers follow from: features, species, prior, models and the software's version."""
        return fingerprint(features=self.features, species=self.species, prior=self.prior, models=self.models)

    def to_json(self) -> dict[str, Any]:
        """The verdict as `classify --json` prints it."""
        return {
            "source": self.source,
            "cell": self.cell,
            "species": self.species,
            "broad": dict(self.broad.probabilities),
            "subclass": dict(self.subclass.probabilities),
            "set": {"broad": list(self.broad.prediction_set), "subclass": list(self.subclass.prediction_set)},
            "cannot_say": {"broad": self.broad.abstain or None, "subclass": self.subclass.abstain or None},
            "in_distribution": {"broad": self.broad.typicality, "subclass": self.subclass.typicality},
            "expected_accuracy": {"broad": dict(self.broad.expected), "subclass": dict(self.subclass.expected)},
            "next_best_sweep": {"broad": self.broad.next_sweep, "subclass": self.subclass.next_sweep},
            "reasons": {
                "broad": [vars(reason) for reason in self.broad.reasons],
                "subclass": [vars(reason) for reason in self.subclass.reasons],
            },
            "features": {name: self.features.get(name) for name in FEATURE_NAMES},
            "missing": [name for name in FEATURE_NAMES if name in self.missing],
            "missing_reasons": dict(self.missing),
            "provenance": {name: dict(entry) for name, entry in self.provenance.items()},
            "sweeps": [dict(sweep) for sweep in self.sweeps],
            "qc": [dict(flag) for flag in self.qc],
            "warnings": list(self.warnings),
            "conditions": dict(self.conditions),
            "like_database": dict(self.likeness) or None,
            "prior": self._prior(),
            "origin": dict(self.origin) or None,
            "without_sweeps": list(self.without_sweeps),
            "models": {**self.models, **{task: dict(one) for task, one in self.judged_by.items()}},
            "fingerprint": self.fingerprint,
        }

    def _prior(self) -> dict[str, Any] | None:
        if not self.prior:
            return None
        without = {"broad": dict(self.broad.plain), "subclass": dict(self.subclass.plain)}
        return {"weights": dict(self.prior), "without": without}


Answer = CellVerdict | RejectedInput
