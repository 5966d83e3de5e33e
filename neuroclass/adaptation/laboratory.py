"""Adapt to one laboratory: how it differs from the reference, verdicts before and after, accuracy on labelled cells.

Labels are used for comparison only; nothing is trained on them. A mouse batch is learned once, with five classes, from
the subclass model's probabilities scaled to the broad model's; its probability of excitatory is that of Glutamatergic,
so that the two tasks' answers agree.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from neuroclass.adaptation.batch_model import LEAST_CELLS, BatchFit, Proportion, adapt_batch
from neuroclass.adaptation.shift import DomainScore, FeatureShift, domain_score, feature_shifts
from neuroclass.cell_types import BROAD_ORDER, SUBCLASS_ORDER, TASK_CLASSES, Species, Subclass
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import CohortError
from neuroclass.predictors.voices import with_broad
from neuroclass.reference.shapes import ReferenceShapes, load_shapes
from neuroclass.types.arrays import Floats, Mask


class Alone(Protocol):
    """What classifies each cell by itself; a `Predictor` is one."""

    @property
    def name(self) -> str:
        """``dann`` or ``lspin``."""

    @property
    def task(self) -> str:
        """``broad`` or ``subclass``."""

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the probabilities."""

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Probabilities, shape (n_cells, n_classes), from features in stored units, shape (n_cells, 41)."""


_TINY = 1e-12
_Scores: TypeAlias = tuple[DomainScore | None, DomainScore | None]


@dataclass(frozen=True)
class Batch:
    """One laboratory's cells of one species.

    Attributes
    ----------
    names : tuple of str
        The cells.
    x : ndarray, shape (n_cells, 41)
        Features, stored units, NaN where missing.
    species : str
        Mouse if it was not given.
    left_out : int
        Cells of the other species, left out.
    labels : mapping of cell name to class
        Known classes, broad or subclass, for comparison only.
    """

    names: tuple[str, ...]
    x: Floats
    species: str
    left_out: int = 0
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Outcome:
    """Result of the adaptation for one task.

    Attributes
    ----------
    model : str
        ``dann`` or ``lspin``.
    classes : tuple of str
        In the order of the probabilities.
    fit : BatchFit
        The batch as it was learned; of mouse cells, the same for both tasks.
    before, after : ndarray, shape (n_cells, n_classes)
        Probabilities of each cell by itself, and with the laboratory allowed for; alike if not adapted.
    sets : ndarray of bool, shape (n_cells, n_classes), or None
        Prediction sets after adaptation; None if not adapted.
    proportions : mapping of class to Proportion, or None
        Composition of the batch; None where it cannot be estimated.
    reference : str
        What the batch is compared with.
    separation_before, separation_after : DomainScore or None
        How well a classifier separates the batch from the reference; None where there are too few cells.
    accuracy : tuple of (float, float, int) or None
        Accuracy before and after, and number of labelled cells; None without labels.
    """

    model: str
    classes: tuple[str, ...]
    fit: BatchFit
    before: Floats
    after: Floats
    sets: Mask | None
    proportions: Mapping[str, Proportion] | None
    reference: str
    separation_before: DomainScore | None = None
    separation_after: DomainScore | None = None
    accuracy: tuple[float, float, int] | None = None

    @property
    def adapted(self) -> bool:
        """Whether the laboratory was allowed for."""
        return self.fit.adapted

    @property
    def why_not(self) -> str:
        """Why it was not; empty if it was."""
        return self.fit.why_not

    @property
    def changed(self) -> Mask:
        """Mask of cells whose likeliest class changed, shape (n_cells,)."""
        return np.asarray(self.before.argmax(1) != self.after.argmax(1))


@dataclass(frozen=True)
class LaboratoryReport:
    """The full comparison of a batch with the reference.

    Attributes
    ----------
    batch : Batch
        The cells.
    shifts : mapping of species to list of FeatureShift
        Against mouse and human reference cells.
    outcomes : mapping of model name to Outcome
        DANN's, and LSPIN's for mouse cells.
    """

    batch: Batch
    shifts: Mapping[str, list[FeatureShift]]
    outcomes: Mapping[str, Outcome]


def make_batch(
    names: Sequence[str], rows: Floats, species: Sequence[str], labels: Mapping[str, str] | None = None
) -> Batch:
    """Keep the cells of the most common species; unknown species count as mouse.

    Parameters
    ----------
    names : sequence of str, shape (n_cells,)
        The cells.
    rows : ndarray, shape (n_cells, 41)
        Features, stored units, NaN where missing.
    species : sequence of str, shape (n_cells,)
        ``mouse``, ``human`` or ``unknown``.
    labels : mapping of cell name to class, optional
        Known classes.

    Raises
    ------
    CohortError
        Without any cell, or for a label that is not a class.
    """
    given = [one if one in set(Species) else Species.MOUSE.value for one in species]
    if not given:
        raise CohortError("There is no cell to compare with the reference; give at least one that can be measured.")
    for cell, label in (labels or {}).items():
        if label not in (*BROAD_ORDER, *SUBCLASS_ORDER):
            raise CohortError(
                f"The label of {cell} is {label!r}; expected one of {', '.join((*BROAD_ORDER, *SUBCLASS_ORDER))}."
            )
    commonest = Counter(given).most_common(1)[0][0]
    kept = np.array([one == commonest for one in given])
    chosen = tuple(name for name, keep in zip(names, kept, strict=True) if keep)
    return Batch(chosen, np.asarray(rows)[kept], commonest, int((~kept).sum()), labels)


def adapt(batch: Batch, models: Sequence[Alone], cells: Cohort | None = None, seed: int = 0) -> LaboratoryReport:
    """Compare a batch with the reference, and classify its cells again with the laboratory allowed for.

    Parameters
    ----------
    batch : Batch
        One laboratory's cells.
    models : sequence of Alone
        What classifies a cell by itself, for each task; mouse subclasses are skipped for human cells.
    cells : Cohort, optional
        The real cohort, if loaded: the domain classifier then sees its cells instead of drawn ones.
    seed : int
        Of the halves that the fit is checked on.

    Returns
    -------
    LaboratoryReport
    """
    real = cells if cells is not None and not cells.simulated else None
    used = [model for model in models if model.task == "broad" or batch.species == Species.MOUSE]
    before = {model.name: model.predict_proba(batch.x, [batch.species] * len(batch.x)) for model in used}
    finest = next((model for model in used if model.task == "subclass"), used[0])
    reference = load_shapes(batch.species, finest.task)
    alone = before[finest.name]
    for model in used:
        if model.task == "broad" and finest.task == "subclass":
            alone = with_broad(before[model.name][:, 0], np.log(np.maximum(alone, _TINY)))[1]
    z = reference.preprocessor.standardise(batch.x)
    fit = adapt_batch(z, alone, reference.shapes, reference.preprocessor, finest.classes, seed)
    scores = _separations(batch, reference, fit, real)
    outcomes = {model.name: _outcome(batch, model, before[model.name], fit, reference, scores) for model in used}
    broad = next(outcome for outcome in outcomes.values() if outcome.classes == BROAD_ORDER)
    shifts = {
        species.value: feature_shifts(batch.x, species.value, BROAD_ORDER, broad.after.mean(0))
        for species in Species
    }  # fmt: skip
    return LaboratoryReport(batch, shifts, outcomes)


def _outcome(
    batch: Batch, model: Alone, before: Floats, fit: BatchFit, reference: ReferenceShapes, scores: _Scores
) -> Outcome:
    answer = fit if fit.classes == model.classes else fit.as_broad()
    after = answer.probabilities if fit.adapted else before
    return Outcome(
        model.name,
        model.classes,
        fit,
        before,
        after,
        answer.sets,
        answer.proportions,
        reference.source,
        separation_before=scores[0],
        separation_after=scores[1],
        accuracy=_accuracy(batch, model.classes, before, after),
    )


def _separations(batch: Batch, reference: ReferenceShapes, fit: BatchFit, real: Cohort | None) -> _Scores:
    """How well a classifier separates the batch from the reference, as it is and with its offset taken back."""
    proportions = fit.probabilities.mean(0)
    if len(batch.x) < LEAST_CELLS:
        return None, None
    before = _separation(batch.x, batch.species, reference, proportions, real)
    if not fit.adapted:
        return before, None
    moved = reference.preprocessor.standardise(batch.x) - np.nan_to_num(fit.delta)
    x = np.where(np.isfinite(batch.x), reference.preprocessor.stored_units(moved), np.nan)
    return before, _separation(x, batch.species, reference, proportions, real)


def _separation(
    x: Floats, species: str, reference: ReferenceShapes, proportions: Floats, real: Cohort | None
) -> DomainScore:
    if real is None:
        return domain_score(reference, x, proportions)
    task = next(name for name, classes in TASK_CLASSES.items() if classes == reference.classes)
    mates = real.of_species(species).labelled(task)
    places = {name: k for k, name in enumerate(reference.classes)}
    numbers = np.array([places[name] for name in mates.column(task)], dtype=np.int64)
    return domain_score(reference, x, proportions, mates.matrix(), numbers)


def _accuracy(
    batch: Batch, classes: tuple[str, ...], before: Floats, after: Floats
) -> tuple[float, float, int] | None:  # fmt: skip
    """Accuracy before and after on the cells with a label at this task's level."""
    truth = np.array([_as_class((batch.labels or {}).get(name), classes) for name in batch.names])
    labelled = truth >= 0
    if not labelled.any():
        return None
    right = [float((p.argmax(1) == truth)[labelled].mean()) for p in (before, after)]
    return right[0], right[1], int(labelled.sum())


def _as_class(label: str | None, classes: tuple[str, ...]) -> int:
    """Index of a label among a model's classes; a subclass maps to its broad class; −1 if none applies."""
    if label is None:
        return -1
    if label in classes:
        return classes.index(label)
    if label in SUBCLASS_ORDER and Subclass(label).broad.value in classes:
        return classes.index(Subclass(label).broad.value)
    return -1
