"""``adapt``: how a laboratory's cells differ from the reference, and their verdicts after correcting for it."""

import argparse
import json
import math
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclass.classification.measurement import MeasuredCell
from neuroclass.commands.arguments import (
    add_data,
    add_inputs,
    add_json,
    add_model,
    chosen_of,
    groups_of,
    metadata_of,
)
from neuroclass.errors import RejectedInput, TableError

if TYPE_CHECKING:
    from neuroclass.adaptation.laboratory import LaboratoryReport, Outcome
    from neuroclass.adaptation.shift import DomainScore
    from neuroclass.types.arrays import Floats, Mask


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "adapt",
        help="compare a laboratory's cells with the reference and allow for the difference",
        description="Needs at least 15 cells of one laboratory, of more than one class; no labels. Says how each "
        "feature is shifted, learns how the laboratory differs and classifies before and after; where that cannot be "
        "learned safely, it says why and leaves the verdicts as they are.",
    )
    add_inputs(parser)
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="columns cell and label: for accuracy before and after, never trained on",
    )
    parser.add_argument(
        "--third-domain",
        action="store_true",
        help="also train DANN anew with the laboratory as its third domain (needs the real tables; minutes)",
    )
    parser.add_argument("--models", type=Path, metavar="DIR", help="folder of trained models (default: the shipped)")
    add_model(parser)
    add_data(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Adapt and print."""
    from neuroclass.adaptation.laboratory import adapt, make_batch
    from neuroclass.classification.models import load_models
    from neuroclass.cohort.loading import load_cohort

    labels = _labels(args.labels) if args.labels else None
    cells = _measured(args)
    batch = make_batch(
        [cell.cell for cell in cells],
        np.stack([cell.row() for cell in cells]) if cells else np.empty((0, 41)),
        [cell.species for cell in cells],
        labels,
    )
    cohort = load_cohort(args.data)
    models = load_models(args.models, chosen_of(args))
    report = adapt(batch, [models.dann.predictor, models.lspin.predictor], cohort)
    payload = to_json(report)
    if args.third_domain:
        from neuroclass.adaptation.third_domain import train_with_laboratory

        model = train_with_laboratory(cohort, batch)
        p = model.predict_proba(batch.x, [batch.species] * len(batch.x))
        payload["third_domain"] = _cells(batch.names, model.classes, p)
    if args.json:
        json.dump(payload, sys.stdout, indent=1, allow_nan=False)
        print()
    else:
        print("\n".join(_in_words(report)))
    return 0


def _measured(args: argparse.Namespace) -> list[MeasuredCell]:
    from neuroclass.classification.inputs import cell_inputs
    from neuroclass.classification.measurement import measure

    groups, metadata = groups_of(args), metadata_of(args)
    found: list[MeasuredCell] = []
    with tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
        for cell_input in cell_inputs(args.paths, groups, Path(folder)):
            for one in [cell_input] if isinstance(cell_input, RejectedInput) else measure(cell_input, metadata):
                if isinstance(one, MeasuredCell):
                    found.append(replace(one, analysis=None))
                else:
                    print(f"{one.source}: refused ({one.error.kind}): {one.error}", file=sys.stderr)
    return found


def _labels(path: Path) -> dict[str, str]:
    from neuroclass.io.labels import read_labels

    try:
        return read_labels(path, str(path))
    except OSError as error:
        raise TableError(f"{path} cannot be opened ({error.strerror or error}). Check the path.") from error


def to_json(report: "LaboratoryReport") -> dict[str, Any]:
    """The report as plain dicts and lists."""
    batch = report.batch
    return {
        "n_cells": len(batch.names),
        "species": batch.species,
        "left_out": batch.left_out,
        "shifts": {species: [vars(shift) for shift in shifts] for species, shifts in report.shifts.items()},
        "models": {name: _outcome(outcome, batch.names) for name, outcome in report.outcomes.items()},
    }


def _outcome(outcome: "Outcome", names: tuple[str, ...]) -> dict[str, Any]:
    accuracy, fit = outcome.accuracy, outcome.fit
    proportions = outcome.proportions
    return {
        "adapted": outcome.adapted,
        "why_not": outcome.why_not or None,
        "reference": outcome.reference,
        "components": [vars(part) for part in fit.components],
        "other_measurements": list(fit.other_measurements),
        "proportions": None if proportions is None else {name: part.share for name, part in proportions.items()},
        "proportion_intervals": (
            None if proportions is None else {name: [part.low, part.high] for name, part in proportions.items()}
        ),
        "stability": _number(fit.stability),
        "gain": _number(fit.gain),
        "told_from_reference": {"before": _score(outcome.separation_before), "after": _score(outcome.separation_after)},
        "accuracy": None if accuracy is None else dict(zip(("before", "after", "n_cells"), accuracy, strict=True)),
        "before": _cells(names, outcome.classes, outcome.before),
        "after": _cells(names, outcome.classes, outcome.after, outcome.sets),
        "n_changed": int(outcome.changed.sum()),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _score(score: "DomainScore | None") -> dict[str, Any] | None:
    return None if score is None else vars(score)


def _cells(
    names: tuple[str, ...], classes: tuple[str, ...], p: "Floats", sets: "Mask | None" = None
) -> list[dict[str, Any]]:  # fmt: skip
    cells: list[dict[str, Any]] = [
        {
            "cell": name,
            "label": classes[int(row.argmax())],
            "probabilities": dict(zip(classes, row.tolist(), strict=True)),
        }
        for name, row in zip(names, p, strict=True)
    ]
    for cell, row, inside in zip(cells, p, () if sets is None else sets, strict=sets is not None):
        cell["set"] = [classes[k] for k in np.argsort(-row) if inside[k]]
    return cells


def _in_words(report: "LaboratoryReport") -> list[str]:
    batch = report.batch
    lines = [f"{len(batch.names)} {batch.species} cells; {batch.left_out} of other species left out"]
    for name, outcome in report.outcomes.items():
        if not outcome.adapted:
            lines.append(f"{name.upper()}: not adapted: {outcome.why_not}")
            continue
        lines += [f"{name.upper()}, against {outcome.reference}", *_estimates(outcome)]
        lines.append(f"  labels     {int(outcome.changed.sum())} of {len(batch.names)} changed")
        for k in np.flatnonzero(outcome.changed):
            old, new = int(outcome.before[k].argmax()), int(outcome.after[k].argmax())
            lines.append(
                f"    {batch.names[k]}: {outcome.classes[old]} {outcome.before[k, old]:.2f} → {outcome.classes[new]} "
                f"{outcome.after[k, new]:.2f}"
            )
    return lines


def _estimates(outcome: "Outcome") -> list[str]:
    """What was estimated and how it was checked, a line each."""
    fit = outcome.fit
    lines = [f"  offset     {part.in_words()}" for part in fit.components]
    if fit.other_measurements:
        lines.append(f"  probably measured otherwise: {', '.join(fit.other_measurements)}")
    for name, part in (outcome.proportions or {}).items():
        lines.append(f"  share      {name} {part.share:.2f} (95%: {part.low:.2f} to {part.high:.2f})")
    lines.append(
        f"  checked    {fit.stability:.0%} of the cells keep their class when the laboratory is learned from the other "
        f"half; held-out log likelihood {fit.gain:+.2f} nats per cell"
    )
    if outcome.separation_before and outcome.separation_after:
        aucs = f"{outcome.separation_before.auc:.2f} before, {outcome.separation_after.auc:.2f} after"
        lines.append(f"  separated from the reference by a linear classifier: AUC {aucs} (0.5 is chance)")
    if outcome.accuracy:
        lines.append("  accuracy   {:.3f} before, {:.3f} after, of {} labelled cells".format(*outcome.accuracy))
    return lines
