"""Classify inputs: the operations that pages and command line share."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from neuroclass.classification import doubt, feature_sets
from neuroclass.classification.doubt import rows_of
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Model, Models, load_models
from neuroclass.classification.reasons import Pair, with_reasons
from neuroclass.classification.result import Answer, CellVerdict, Prediction
from neuroclass.errors import RejectedInput
from neuroclass.library.entry import ModelEntry
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.priors import Prior, kept_share, reweight
from neuroclass.types.arrays import Floats
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

LEAST_KEPT = 0.05
CELLS = "cells"
BLOCK, BLOCK_WITH_REASONS = 2048, 32


def classify_input(
    cell_input: CellInput,
    metadata: CellMetadata | None = None,
    models_folder: Path | None = None,
    reasons: bool = True,
    chosen: Sequence[ModelEntry] = (),
) -> list[Answer]:
    """Measure and classify the cells of a file, or the one cell in several files.

    Each input is classified on its own, so its numbers do not depend on what else is classified.

    Parameters
    ----------
    cell_input : CellInput
        The files.
    metadata : CellMetadata, optional
        What the user knows about the cells.
    models_folder : Path, optional
        Folder of trained models; the shipped ones by default.
    reasons : bool
        Whether to compute SHAP values, the slowest part.
    chosen : sequence of ModelEntry
        Models of the library that take the place of those of their tasks.

    Returns
    -------
    list of CellVerdict or RejectedInput
        In the order of the cells in the file.
    """
    metadata = metadata or CellMetadata()
    measured = measure(cell_input, metadata)
    return classify_cells(measured, load_models(models_folder, chosen), reasons, metadata.prior)


def classify_cells(
    measured: Sequence[MeasuredCell | RejectedInput],
    models: Models,
    reasons: bool = True,
    prior: Prior | None = None,
    progress: ProgressCallback = ignore_progress,
) -> list[Answer]:
    """Classify measured cells; rejected ones pass through.

    Parameters
    ----------
    measured : sequence of MeasuredCell or RejectedInput
        The cells.
    models : Models
        The trained models.
    reasons : bool
        Whether to compute SHAP values; `reasons_for` adds them to one verdict.
    prior : Prior, optional
        What is known of the classes beforehand.
    progress : ProgressCallback
        Called with the number of cells classified so far, and before that of sets of features fitted.

    Returns
    -------
    list of CellVerdict or RejectedInput
    """
    answers: list[Answer] = []
    for block in classify_blocks(measured, models, reasons, prior, progress):
        answers += block
        progress(Progress(CELLS, len(answers), len(measured)))
    return answers


def classify_blocks(
    measured: Sequence[MeasuredCell | RejectedInput],
    models: Models,
    reasons: bool = True,
    prior: Prior | None = None,
    progress: ProgressCallback = ignore_progress,
) -> Iterator[list[Answer]]:
    """As `classify_cells`, a block of cells at a time, each as soon as it is known; `progress` is of fits only."""
    every = iter(prepared(measured, models, progress))
    while block := list(islice(every, BLOCK_WITH_REASONS if reasons else BLOCK)):
        yield _classify_block(block, models, reasons, prior or Prior())


def prepared(
    measured: Sequence[MeasuredCell | RejectedInput], models: Models, progress: ProgressCallback = ignore_progress
) -> Sequence[MeasuredCell | RejectedInput]:
    """Cells as they will be judged, once models are fitted to their sets of features; see `feature_sets.plan`."""
    if models.library is None:
        return measured
    chosen = feature_sets.plan(measured, models.library)
    feature_sets.fit(chosen.to_fit, models.library, progress)
    return chosen.cells


def _classify_block(
    measured: Sequence[MeasuredCell | RejectedInput], models: Models, reasons: bool, prior: Prior
) -> list[Answer]:
    cells = [cell for cell in measured if isinstance(cell, MeasuredCell)]
    if not cells:
        return [cell for cell in measured if isinstance(cell, RejectedInput)]
    pairs = _both_tasks(models, cells, reasons, prior)
    if models.chosen:
        contradictions = [doubt.contradiction(*pair) for pair in pairs]
    else:
        contradictions = doubt.apart_each(models.dann.predictor, cells)
    likeness = doubt.likeness_each(models.by_set, cells)
    verdicts = iter(
        CellVerdict(
            source=cell.source,
            cell=cell.cell,
            species=cell.species,
            broad=b,
            subclass=s,
            features=cell.features,
            missing=cell.missing,
            provenance=cell.provenance,
            sweeps=cell.sweeps,
            qc=cell.qc,
            warnings=(
                *cell.warnings,
                *doubt.unusual(cell, b.typicality),
                *apart,
                *_against(prior, models, b, s),
            ),
            likeness=like,
            prior=prior.weights,
            conditions=cell.conditions,
            models=judges,
            judged_by=models.judged_by(cell.species, judges),
            origin=cell.origin,
            without_sweeps=cell.without_sweeps,
        )
        for cell, (b, s), apart, like, judges in zip(
            cells, pairs, contradictions, likeness, models.judges(cells), strict=True
        )
    )
    return [next(verdicts) if isinstance(cell, MeasuredCell) else cell for cell in measured]


def reasons_for(verdict: CellVerdict, models: Models) -> CellVerdict:
    """The same verdict with the reasons for both predictions, which `classify_cells` leaves out on request."""
    if verdict.broad.reasons or verdict.subclass.reasons:
        return verdict
    cell = MeasuredCell(verdict.source, verdict.cell, verdict.species, verdict.features, verdict.missing)
    fine = models.of_subclass(verdict.species).predictor
    ((broad, subclass),) = with_reasons(models.dann.predictor, fine, [cell], [(verdict.broad, verdict.subclass)])
    return replace(verdict, broad=broad, subclass=subclass)


def _both_tasks(models: Models, cells: Sequence[MeasuredCell], reasons: bool, prior: Prior) -> list[Pair]:
    """Broad class and subclass of every cell, each species' cells by the model of its subclasses."""
    result: dict[int, Pair] = {}
    for fine in filter(None, (models.lspin, models.human)):
        rows = [row for row, cell in enumerate(cells) if models.of_subclass(cell.species) is fine]
        if not rows:
            continue
        mine = [cells[row] for row in rows]
        pairs = list(zip(_judge(models.dann, mine, prior), _judge(fine, mine, prior), strict=True))
        if reasons:
            pairs = with_reasons(models.dann.predictor, fine.predictor, mine, pairs)
        result.update(zip(rows, pairs, strict=True))
    return [result[row] for row in range(len(cells))]


def _judge(trained: Model, cells: Sequence[MeasuredCell], prior: Prior) -> list[Prediction]:
    """One model's prediction for each cell, without reasons."""
    model = trained.predictor
    x = rows_of(cells)
    species = [cell.species for cell in cells]
    plain = model.predict_proba(x, species)
    weights = prior.of(model.classes) if prior else None
    probabilities = plain if weights is None else reweight(plain, weights)
    sets = model.prediction_set(x, species, COVERAGE, weights)
    typicality = model.typicality_of(x, species)
    expected = trained.expected(cells)
    next_sweeps = trained.next_sweeps(cells, expected)
    abstain = doubt.why_not_each(model, cells, typicality, sets)
    return [
        Prediction(
            model=trained.name,
            probabilities=_named(model.classes, probabilities[row]),
            prediction_set=sets[row],
            coverage=COVERAGE,
            typicality=float(typicality[row]),
            expected=expected[row],
            next_sweep=next_sweeps[row],
            abstain=abstain[row],
            plain=_named(model.classes, plain[row]) if prior else {},
        )
        for row in range(len(cells))
    ]


def _named(classes: Sequence[str], probabilities: Floats) -> dict[str, float]:
    return dict(zip(classes, probabilities.tolist(), strict=True))


def _against(prior: Prior, models: Models, *tasks: Prediction) -> tuple[str, ...]:
    """A warning if the features contradict the user's prior."""
    texts = []
    for task in tasks:
        trained = models.named(task.model)
        if not task.plain:
            continue
        classes = trained.predictor.classes
        weights = prior.of(classes)
        kept = float(kept_share(np.array([[task.plain[name] for name in classes]]), weights)[0])
        if kept < LEAST_KEPT:
            left = ", ".join(name for name, weight in zip(classes, weights, strict=True) if weight > 0)
            texts.append(
                f"The features speak against the prior: without it the classes that it leaves ({left}) together had a "
                f"probability of {kept:.2g}. Check the line or the label."
            )
    return tuple(texts)
