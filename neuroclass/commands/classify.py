"""``classify``: classify each cell in some files."""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from neuroclass.cell_types import label_of
from neuroclass.classification.result import Answer, CellVerdict, Prediction
from neuroclass.commands.archive_paths import with_fetched
from neuroclass.commands.arguments import (
    REFUSED,
    REFUSED_HELP,
    add_dataset,
    add_inputs,
    add_json,
    add_model,
    add_work,
    chosen_of,
    groups_of,
    metadata_of,
    sweep_lines,
)
from neuroclass.commands.datasets import absolute, fill, is_dataset
from neuroclass.errors import RejectedInput, SettingsError
from neuroclass.library.entry import SHIPPED
from neuroclass.predictors.priors import LINE_PREFIX, PRESETS, parse_prior

if TYPE_CHECKING:
    from neuroclass.classification.inputs import CellInput
    from neuroclass.classification.measurement import MeasuredCell
    from neuroclass.classification.metadata import CellMetadata
    from neuroclass.classification.models import Models
    from neuroclass.report.content import ReportCell
    from neuroclass.types.progress import Progress


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "classify",
        help="classify the cells of feature tables and recordings",
        description="Classify cells from feature tables (CSV, Parquet, XLSX) and recordings (ABF, NWB, HEKA, …). "
        + REFUSED_HELP,
    )
    add_inputs(parser)
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
    add_model(parser)
    parser.add_argument("--data", type=Path, metavar="DIR", help="accepted for symmetry; the trained models suffice")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write a self-contained HTML report")
    parser.add_argument("--pdf", type=Path, metavar="FILE", help="also write the report as PDF")
    parser.add_argument(
        "--out", type=Path, metavar="DIR",
        help="instead of printing verdicts, write a Parquet dataset, the cells in DIR/cells and what failed in "
        "DIR/failed; a run that was cut off resumes",
    )  # fmt: skip
    add_work(parser, 1)
    add_dataset(parser)
    parser.add_argument("--no-reasons", action="store_true", help="leave out SHAP values, which take most of the time")
    add_json(parser)
    parser.add_argument("--jsonl", action="store_true", help="print JSON, one cell a line, each as soon as it is known")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Classify and print, or write a dataset."""
    if args.out is not None:
        return _into_dataset(args)
    if args.scheduler or args.jobs != 1 or args.retry_failed:
        raise SettingsError("--workers, --scheduler and --retry-failed write a dataset: say where with --out DIR.")
    from neuroclass.io import sandbox

    sandbox.warm_up()  # starts while this process imports the models
    from neuroclass.classification.classify import classify_blocks
    from neuroclass.classification.inputs import cell_inputs
    from neuroclass.classification.measurement import measure
    from neuroclass.classification.models import load_models

    groups = groups_of(args)
    metadata, chosen = metadata_of(args, parse_prior(args.prior)), chosen_of(args)
    models = load_models(args.models, chosen)
    report = _Report(args.report, args.pdf, models) if args.report or args.pdf else None
    refused = False
    with _printer(args) as show, tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
        for cell_input in cell_inputs(with_fetched(args.paths), groups, Path(folder)):
            if isinstance(cell_input, RejectedInput):
                refused = True
                show(cell_input)
                if report:
                    report.items.append(cell_input)
                continue
            measured = measure(cell_input, metadata)
            answers: list[Answer] = []
            blocks = classify_blocks(measured, models, not args.no_reasons, metadata.prior, _Fits(cell_input.name))
            for block in blocks:
                for answer in block:
                    refused |= isinstance(answer, RejectedInput)
                    show(answer)
                answers += block if report else []
            if report:
                report.add(cell_input, measured, answers, metadata)
    if report:
        report.write()
    return REFUSED if refused else 0


def _into_dataset(args: argparse.Namespace) -> int:
    """Classify thousands of files, here or on a cluster."""
    from neuroclass.classification.inputs import find_files
    from neuroclass.extraction.dataset import Dataset
    from neuroclass.extraction.items import ExtractionItem
    from neuroclass.extraction.verdicts import COLUMNS, VerdictJob, verdict_rows

    if args.report or args.pdf or args.jsonl:
        raise SettingsError("--out DIR writes a dataset; leave out --report, --pdf and --jsonl, or --out.")
    if not is_dataset(args.out):
        raise SettingsError(f"--out {args.out}: expected a folder, which gets the dataset.")
    groups = groups_of(args)
    items = [ExtractionItem((absolute(path),)) for path in find_files(args.paths)]
    items += [ExtractionItem(tuple(map(absolute, files)), cell) for cell, files in groups.items()]
    job = VerdictJob(metadata_of(args, parse_prior(args.prior)), args.models, chosen_of(args), not args.no_reasons)
    return fill(args, items, partial(verdict_rows, job=job), Dataset(args.out, COLUMNS, job.facts()))


class _Fits:
    """Says on the error stream that models are being fitted to a file's sets of features, and how far that is."""

    def __init__(self, name: str) -> None:
        self._name, self._told = name, -1

    def __call__(self, progress: "Progress") -> None:
        if progress.done != self._told:
            self._told = progress.done
            text = f"{self._name}: models fitted to {progress.done} of {progress.total} sets of features; Ctrl-C stops"
            print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _printer(args: argparse.Namespace) -> Iterator[Callable[[Answer], None]]:
    """Print each answer as soon as it is known: in words, as a line of JSON, or as an element of one JSON array."""
    if args.jsonl:
        yield lambda answer: print(json.dumps(answer.to_json(), allow_nan=False), flush=True)
        return
    if not args.json:
        yield lambda answer: print(_in_words(answer), flush=True)
        return
    opened = False

    def element(answer: Answer) -> None:
        nonlocal opened
        alone = json.dumps([answer.to_json()], indent=1, allow_nan=False)
        print("," if opened else "[", alone.removeprefix("[").removesuffix("\n]"), sep="", end="", flush=True)
        opened = True

    try:
        yield element
    except BaseException:
        if opened:
            print("\n]")
        raise
    print("\n]" if opened else "[]")


class _Report:
    """Collect a report's content, input by input, and write it."""

    def __init__(self, html: Path | None, pdf: Path | None, models: "Models") -> None:
        from neuroclass.cohort.loading import load_cohort
        from neuroclass.reference.cells import with_sweeps
        from neuroclass.report.content import panel_reader

        for path in (html, pdf):
            if path is not None and not path.absolute().parent.is_dir():
                raise SettingsError(f"The report cannot go to {path}: {path.absolute().parent} is not a folder.")
        self.html, self.pdf, self.models = html, pdf, models
        self.pools = with_sweeps(load_cohort())
        self.panel = panel_reader(self.pools)
        self.items: list[ReportCell | RejectedInput] = []

    def add(
        self,
        cell_input: "CellInput",
        measured: Sequence["MeasuredCell | RejectedInput"],
        answers: Sequence[Answer],
        metadata: "CellMetadata",
    ) -> None:
        from neuroclass.report.files import report_input

        self.items += report_input(cell_input, measured, answers, metadata, self.models, self.pools, self.panel)

    def write(self) -> None:
        if self.html is not None:
            from neuroclass.report.html import html_report

            self.html.write_text(html_report(self.items, self.models), encoding="utf-8")
        if self.pdf is not None:
            from neuroclass.report.pdf import pdf_report

            self.pdf.write_bytes(pdf_report(self.items, self.models))


def _in_words(answer: Answer) -> str:
    if isinstance(answer, RejectedInput):
        where = f"{answer.source} / {answer.cell}" if answer.cell else answer.source
        return f"{where}\n  refused ({answer.error.kind}): {answer.error}"
    known = [f"  prior        {_weights(answer.prior)}"] if answer.prior else []
    lines = [
        f"{answer.source} / {answer.cell} ({answer.species})",
        *known,
        f"  broad class  {_prediction(answer.broad)}",
        f"  subclass     {_prediction(answer.subclass)}",
        *_judges(answer),
        f"  measured     {len(answer.features)} of {len(answer.features) + len(answer.missing)} features",
    ]
    lines += [f"  quality      {flag['message']}" for flag in answer.qc]
    lines += [f"  note         {warning}" for warning in answer.warnings]
    return "\n".join([*lines, *(f"  {line}" for line in sweep_lines(answer.sweeps))])


def _judges(answer: CellVerdict) -> list[str]:
    """Which model of the library judged what; nothing where all are the shipped ones."""
    chosen = {task: one for task, one in answer.judged_by.items() if one["id"] != SHIPPED}
    named = (f"{task} by {one['name']} ({one['system']}, {one['sha256'][:8]})" for task, one in chosen.items())
    return [f"  model        {', '.join(named)}"] if chosen else []


def _weights(prior: Mapping[str, float]) -> str:
    return ", ".join(
        f"{label_of(name)} × {weight:g}" if weight else f"not {label_of(name)}" for name, weight in prior.items()
    )


def _prediction(prediction: Prediction) -> str:
    if prediction.label is None:
        return f"cannot say: {prediction.abstain}"
    likely = _labels(prediction.prediction_set)
    share = prediction.probabilities[prediction.label]
    return f"{label_of(prediction.label)}, probability {share:.2f}; {prediction.coverage:.0%} set: {likely}"


def _labels(classes: Sequence[str]) -> str:
    return " or ".join(label_of(name) for name in classes) or "none"
