"""Adapt to one laboratory: its shift against the reference, verdicts before and after, and accuracy on labelled cells.

Labels are used for comparison only; nothing is trained on them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.adaptation.alignment import LEAST_CELLS, Alignment, align
from neuroclass.adaptation.reference import Reference, cohort_reference, shipped_reference
from neuroclass.adaptation.shift import DomainScore, FeatureShift, domain_score, feature_shifts
from neuroclass.cell_types import BROAD_ORDER, SUBCLASS_ORDER, Species, Subclass
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import CohortError
from neuroclass.predictors.predictor import Predictor
from neuroclass.types.arrays import Floats


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
    """Result of the adaptation for one model.

    Attributes
    ----------
    model : str
        ``dann`` or ``lspin``.
    alignment : Alignment or None
        None if the batch could not be aligned.
    why_not : str
        Why it could not be aligned; else empty.
    separation_before, separation_after : DomainScore or None
        How well a classifier separates the batch from the reference.
    accuracy : tuple of (float, float, int) or None
        Accuracy before and after, and number of labelled cells; None without labels.
    """

    model: str
    alignment: Alignment | None
    why_not: str = ""
    separation_before: DomainScore | None = None
    separation_after: DomainScore | None = None
    accuracy: tuple[float, float, int] | None = None


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
        For fewer than 20 cells, or a label that is not a class.
    """
    given = [one if one in set(Species) else Species.MOUSE.value for one in species]
    if len(given) < LEAST_CELLS:
        raise CohortError(
            f"{len(given)} cells are too few to tell a laboratory's shift from chance; upload at least {LEAST_CELLS}."
        )
    for cell, label in (labels or {}).items():
        if label not in (*BROAD_ORDER, *SUBCLASS_ORDER):
            raise CohortError(
                f"The label of {cell} is {label!r}; expected one of {', '.join((*BROAD_ORDER, *SUBCLASS_ORDER))}."
            )
    commonest = Counter(given).most_common(1)[0][0]
    kept = np.array([one == commonest for one in given])
    chosen = tuple(name for name, keep in zip(names, kept, strict=True) if keep)
    return Batch(chosen, np.asarray(rows)[kept], commonest, int((~kept).sum()), labels)


def adapt(batch: Batch, models: Sequence[Predictor], cells: Cohort | None = None) -> LaboratoryReport:
    """Compare a batch with the reference and align it.

    Parameters
    ----------
    batch : Batch
        One laboratory's cells.
    models : sequence of Predictor
        DANN and LSPIN; LSPIN, which has mouse classes only, is skipped for human cells.
    cells : Cohort, optional
        The real cohort, if loaded; otherwise the summaries shipped with the models are used.

    Returns
    -------
    LaboratoryReport
    """
    real = cells if cells is not None and not cells.simulated else None
    used = [model for model in models if model.name != "lspin" or batch.species == Species.MOUSE]
    outcomes = {model.name: _outcome(batch, model, real) for model in used}
    shifts = {}
    for species in Species:
        proportions = _broad_proportions(batch, used, outcomes)
        shifts[species.value] = feature_shifts(batch.x, species.value, BROAD_ORDER, proportions)
    return LaboratoryReport(batch, shifts, outcomes)


def _broad_proportions(batch: Batch, models: Sequence[Predictor], outcomes: Mapping[str, Outcome]) -> Floats:
    dann = next(model for model in models if model.name == "dann")
    alignment = outcomes["dann"].alignment
    if alignment is not None:
        return np.asarray(alignment.after.mean(0))
    return np.asarray(dann.predict_proba(batch.x, [batch.species] * len(batch.x)).mean(0))


def _outcome(batch: Batch, model: Predictor, real: Cohort | None) -> Outcome:
    try:
        reference = shipped_reference(model, batch.species)
        if real is not None:
            reference = cohort_reference(model, real, batch.species)
        alignment = align(model, batch.x, batch.species, reference)
    except CohortError as error:
        return Outcome(model.name, None, str(error))
    scores = [_separation(batch, model, x, reference, alignment.proportions, real) for x in (batch.x, alignment.x)]
    return Outcome(model.name, alignment, "", scores[0], scores[1], _accuracy(batch, alignment))


def _separation(
    batch: Batch, model: Predictor, x: Floats, reference: Reference, proportions: Floats, real: Cohort | None
) -> DomainScore:
    if real is None:
        return domain_score(model, x, reference, proportions)
    column = model.task
    mates = real.of_species(batch.species).labelled(column)
    places = {name: k for k, name in enumerate(model.classes)}
    numbers = np.array([places[name] for name in mates.column(column)], dtype=np.int64)
    return domain_score(model, x, reference, proportions, mates.matrix(), numbers)


def _accuracy(batch: Batch, alignment: Alignment) -> tuple[float, float, int] | None:
    """Accuracy before and after on the cells with a label at this model's level."""
    truth = np.array([_as_class((batch.labels or {}).get(name), alignment.classes) for name in batch.names])
    labelled = truth >= 0
    if not labelled.any():
        return None
    before, after = ((p.argmax(1) == truth)[labelled].mean() for p in (alignment.before, alignment.after))
    return float(before), float(after), int(labelled.sum())


def _as_class(label: str | None, classes: tuple[str, ...]) -> int:
    """Index of a label among a model's classes; a subclass maps to its broad class; −1 if none applies."""
    if label is None:
        return -1
    if label in classes:
        return classes.index(label)
    if label in SUBCLASS_ORDER and Subclass(label).broad.value in classes:
        return classes.index(Subclass(label).broad.value)
    return -1
