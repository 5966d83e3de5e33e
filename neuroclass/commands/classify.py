"""``classify``: what each cell in some files probably is."""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from neuroclass.cell_types import label_of
from neuroclass.classification.measurement import CellMetadata
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.commands.arguments import (
    REFUSED,
    add_conditions,
    add_entered,
    add_json,
    add_mapping,
    add_species,
    conditions_of,
    entered_values,
    mapping_of,
)
from neuroclass.errors import RejectedInput, SettingsError
from neuroclass.predictors.priors import LINE_PREFIX, PRESETS, parse_prior

if TYPE_CHECKING:
    from neuroclass.classification.inputs import CellInput
    from neuroclass.report.content import ReportCell


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "classify",
        help="classify the cells of feature tables and recordings",
        description="Classify cells from feature tables (CSV, Parquet, XLSX) and recordings (ABF, NWB and others). "
        "Exit code 0: all classified; 3: some file or cell was refused; 2: wrong usage.",
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="a file, a folder of files, or a zip of them"
    )
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="CELL=FILE,FILE",
        help="files that are one cell, such as a ramp and steps; its features are measured over all their sweeps",
    )
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="SWEEP=STIMULUS",
        help="correct a sweep's stimulus, such as 3=ramp, or 3.1=none for its second epoch; holds for all files given",
    )
    add_species(parser)
    add_entered(parser)
    add_mapping(parser)
    add_conditions(parser)
    parser.add_argument(
        "--prior",
        action="append",
        default=[],
        metavar="WHAT",
        help="what is known of all the cells: weights such as Pvalb=0,Sst=2 (0 excludes a class, 2 makes it twice as "
        f"likely as in training), {' or '.join(PRESETS)}, or {LINE_PREFIX}LINE for a driver line of the database, "
        "which excludes the broad class it does not mark",
    )
    parser.add_argument("--models", type=Path, metavar="DIR", help="folder of trained models (default: the shipped)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="accepted for symmetry; the trained models suffice")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write a self-contained HTML report")
    parser.add_argument("--pdf", type=Path, metavar="FILE", help="also write the report as PDF")
    parser.add_argument("--no-reasons", action="store_true", help="leave out SHAP values, which take most of the time")
    add_json(parser)
    parser.set_defaults(run=run, wrong_usage=parser.error)


def run(args: argparse.Namespace) -> int:
    """Classify and print."""
    from neuroclass.classification.inputs import cell_inputs, classify_input, parse_groups
    from neuroclass.classification.metadata import parse_protocols

    groups = parse_groups(args.group)
    if not args.paths and not groups:
        args.wrong_usage("give PATH or --group CELL=FILE,FILE")
    metadata = CellMetadata(
        args.species,
        entered_values(args.enter),
        mapping_of(args),
        parse_protocols(args.protocol),
        conditions=conditions_of(args),
    )
    prior = parse_prior(args.prior)
    metadata = replace(metadata, prior=prior)
    answers: list[CellVerdict | RejectedInput] = []
    report = _Report(args.report, args.pdf, args.models) if args.report or args.pdf else None
    with tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
        for unit in cell_inputs(args.paths, groups, Path(folder)):
            if isinstance(unit, RejectedInput):
                found: list[CellVerdict | RejectedInput] = [unit]
            else:
                found = classify_input(unit, metadata, args.models, not args.no_reasons)
            answers += found
            if report:
                report.add(unit, found, metadata)
    if report:
        report.write()
    if args.json:
        json.dump([answer.to_json() for answer in answers], sys.stdout, indent=1, allow_nan=False)
        print()
    else:
        for answer in answers:
            print(_in_words(answer))
    return REFUSED if any(isinstance(answer, RejectedInput) for answer in answers) else 0


class _Report:
    """Collects what a report says, unit by unit, and writes it."""

    def __init__(self, html: Path | None, pdf: Path | None, models: Path | None) -> None:
        from neuroclass.classification.classify import load_models
        from neuroclass.cohort.loading import load_cohort
        from neuroclass.reference.cells import with_sweeps
        from neuroclass.report.content import panel_reader

        for path in (html, pdf):
            if path is not None and not path.absolute().parent.is_dir():
                raise SettingsError(f"The report cannot go to {path}: {path.absolute().parent} is not a folder.")
        self.html, self.pdf, self.models = html, pdf, load_models(models)
        self.pools = with_sweeps(load_cohort())
        self.panel = panel_reader(self.pools)
        self.items: list[ReportCell | RejectedInput] = []

    def add(
        self, unit: "CellInput | RejectedInput", answers: Sequence[CellVerdict | RejectedInput], metadata: CellMetadata
    ) -> None:
        from neuroclass.report.files import report_input

        if isinstance(unit, RejectedInput):
            self.items.append(unit)
            return
        self.items += report_input(unit, answers, metadata, self.models, self.pools, self.panel)

    def write(self) -> None:
        if self.html is not None:
            from neuroclass.report.html import html_report

            self.html.write_text(html_report(self.items, self.models), encoding="utf-8")
        if self.pdf is not None:
            from neuroclass.report.pdf import pdf_report

            self.pdf.write_bytes(pdf_report(self.items, self.models))


def _in_words(answer: CellVerdict | RejectedInput) -> str:
    if isinstance(answer, RejectedInput):
        where = f"{answer.source} / {answer.cell}" if answer.cell else answer.source
        return f"{where}\n  refused ({answer.error.kind}): {answer.error}"
    known = [f"  prior        {_weights(answer.prior)}"] if answer.prior else []
    lines = [
        f"{answer.source} / {answer.cell} ({answer.species})",
        *known,
        f"  broad class  {_task(answer.broad)}",
        f"  subclass     {_task(answer.subclass)}",
        f"  measured     {len(answer.features)} of {len(answer.features) + len(answer.missing)} features",
    ]
    return "\n".join([*lines, *(f"  note         {warning}" for warning in answer.warnings)])


def _weights(prior: Mapping[str, float]) -> str:
    return ", ".join(
        f"{label_of(name)} × {weight:g}" if weight else f"not {label_of(name)}" for name, weight in prior.items()
    )


def _task(task: Prediction) -> str:
    if task.label is None:
        return f"cannot say: {task.abstain}"
    likely = _labels(task.prediction_set)
    share = task.probabilities[task.label]
    return f"{label_of(task.label)}, probability {share:.2f}; {task.coverage:.0%} set: {likely}"


def _labels(classes: Sequence[str]) -> str:
    return " or ".join(label_of(name) for name in classes) or "none"
