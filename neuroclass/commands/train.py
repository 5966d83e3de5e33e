"""``train``: train a model on the loaded cells, and with ``--report`` evaluate it for the result pages."""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.commands.arguments import add_data, add_json
from neuroclass.config import DannSettings, HumanSubclassSettings, LspinSettings, cache_folder
from neuroclass.errors import SettingsError
from neuroclass.io.atomic import write_atomically
from neuroclass.types.models import FEATURE_SETS, HUMAN_SUBCLASS, MODELS
from neuroclass.types.progress import EPOCH, Progress

PARTIAL, OUTSIDE, ALL = "partial", "outside", "all"
REPORTS = (PARTIAL, OUTSIDE)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "train",
        help="train DANN, LSPIN or the human subclass model",
        description="Train a model and write weights and card to DIR/<model>. With --report, also what the result "
        "pages show: donor-grouped cross-validation of the model and the baselines, gates, SHAP values, embedding. "
        "The human subclass model also needs the tables in the data folder's outside/, and so does the report of "
        f"{FEATURE_SETS}.",
    )
    parser.add_argument(
        "model",
        choices=(*MODELS, HUMAN_SUBCLASS.name, FEATURE_SETS),
        help=f"{FEATURE_SETS}: DANN and LSPIN for many sets of features",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of models (default: in the user's cache)")
    parser.add_argument("--report", action="store_true", help="evaluate as well (minutes)")
    parser.add_argument(
        "--report-only",
        nargs="?",
        const=ALL,
        choices=(ALL, *REPORTS),
        help=f"with {FEATURE_SETS}, keep the sets that --out holds and write their report anew: {PARTIAL} (partial "
        f"recordings on held-out donors, half an hour), {OUTSIDE} (tables of other laboratories in the data folder's "
        f"outside/, a minute) or {ALL}, the default",
    )
    parser.add_argument("--baselines", action="store_true", help="with --report, evaluate the baselines too")
    parser.add_argument("--seed", type=int, metavar="N", help="of weights, batches and folds (default: the recipe's)")
    parser.add_argument("--steps", type=int, metavar="N", help="training steps (default: the recipe's)")
    parser.add_argument("--members", type=int, metavar="N", help="networks in the ensemble (default: the recipe's)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes for --report (default: 2)")
    parser.add_argument("--status", type=Path, metavar="FILE", help="keep this JSON file up to date with progress")
    add_data(parser)
    add_json(parser)
    parser.set_defaults(run=run)


class StatusFile:
    """Progress as a JSON file that is replaced as a whole, and as lines on standard error."""

    def __init__(self, path: Path | None, model: str) -> None:
        self.path, self.model = path, model
        self.history: list[dict[str, Any]] = []
        self.start = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Note an epoch's losses, or how far a later stage is."""
        shown = f"{self.model}: {progress.stage} {progress.done} of {progress.total}"
        entry: dict[str, Any] = {"epoch": progress.done, "of": progress.total}
        if progress.stage == EPOCH:
            entry |= {name: round(value, 5) for name, value in progress.values.items()}
            self.history.append(entry)
            shown += ": " + ", ".join(f"{name} {value:.4f}" for name, value in progress.values.items())
        self._write({"phase": progress.stage, **entry, "history": self.history})
        print(shown, file=sys.stderr)

    def _write(self, status: dict[str, Any]) -> None:
        if self.path is not None:
            status = {"model": self.model, "seconds": round(time.monotonic() - self.start, 1), **status}
            write_atomically(self.path, json.dumps(status).encode())


def _settings(args: argparse.Namespace, recipe: DannSettings | LspinSettings) -> DannSettings | LspinSettings:
    """The recipe's settings with what the user asked for."""
    if args.members is not None and args.members < 1:
        raise SettingsError(f"--members {args.members}: an ensemble needs at least one network.")
    if args.report and (args.seed, args.steps, args.members) != (None, None, None):
        raise SettingsError(
            "--report evaluates the recipe as it ships; leave out --seed, --steps and --members with it."
        )
    optimiser = recipe.optimiser if args.steps is None else replace(recipe.optimiser, steps=args.steps)
    asked = {"seed": args.seed, "n_members": args.members}
    return replace(recipe, optimiser=optimiser, **{name: value for name, value in asked.items() if value is not None})


def _feature_sets(args: argparse.Namespace, folder: Path, status: StatusFile) -> int:
    """Fit the models of the sets of features that ship, and write their report where asked."""
    from neuroclass.training.library import build_library, feature_set_library

    cohort = load_cohort(args.data)
    asked = _reports_asked(args)
    _check_inputs(asked, args.data, folder)
    if args.report_only is None:
        n_sets = build_library(cohort, folder, status)
        done = f"{n_sets} sets written to {folder}"
    else:
        library = feature_set_library(folder)
        n_sets = len(library.shipped)
        _same_cells(library.foundation.training, cohort, folder)
        done = f"{n_sets} sets of {folder} kept"
    _write_reports(asked, args, cohort, folder, status)
    answer = {"folder": str(folder), "n_sets": n_sets, "reports": asked}
    print(json.dumps(answer) if args.json else done + "".join(f"; report {one} written" for one in asked))
    return 0


def _reports_asked(args: argparse.Namespace) -> tuple[str, ...]:
    if args.report or args.report_only == ALL:
        return REPORTS
    return () if args.report_only is None else (args.report_only,)


def _check_inputs(asked: tuple[str, ...], data: Path | None, folder: Path) -> None:
    """Refuse, before the long fits, if a report would lack the networks for all features or the other tables."""
    from neuroclass.cohort.outside import outside_folder
    from neuroclass.io.artifacts import load_model

    if OUTSIDE in asked:
        outside_folder(data)
        for name in MODELS:
            load_model(name, folder)


def _same_cells(training: str, cohort: Cohort, folder: Path) -> None:
    """Refuse to report on sets that other cells trained."""
    from neuroclass.training.training_table import training_table

    if training_table(cohort).foundation.training != training:
        raise SettingsError(
            f"The sets in {folder} were not trained on the cells of {cohort.source}. Name those cells with --data, or "
            "leave out --report-only to fit the sets to these."
        )


def _write_reports(
    asked: tuple[str, ...], args: argparse.Namespace, cohort: Cohort, folder: Path, status: StatusFile
) -> None:
    from neuroclass.reports.other_laboratories import write_outside, write_partial

    if PARTIAL in asked:
        write_partial(cohort, folder, args.jobs, status)
    if OUTSIDE in asked:
        write_outside(cohort, args.data, folder, status)


def run(args: argparse.Namespace) -> int:
    """Train, save, and report where asked."""
    status = StatusFile(args.status, args.model)
    folder = args.out or cache_folder() / "models"
    if args.report_only is not None and args.model != FEATURE_SETS:
        raise SettingsError(
            f"--report-only keeps the models of {FEATURE_SETS}; found {args.model}. Leave it out, or train "
            f"{FEATURE_SETS}."
        )
    if args.model == FEATURE_SETS:
        return _feature_sets(args, folder, status)
    card, folder, source = (_human if args.model == HUMAN_SUBCLASS.name else _of_cohort)(args, folder, status)
    answer = {key: card[key] for key in ("model", "classes", "training_cells", "seeds", "weights_sha256")}
    answer |= {"folder": str(folder), "metrics": card.get("metrics")}
    if args.json:
        print(json.dumps(answer, indent=2))
    else:
        n_cells = card["training_cells"]["n_cells"]
        print(f"{args.model} trained on {n_cells} cells of {source}; written to {folder}")
    return 0


def _of_cohort(args: argparse.Namespace, folder: Path, status: StatusFile) -> tuple[dict[str, Any], Path, str]:
    """Card, folder and cells of a model that the loaded cells train."""
    from neuroclass.training.train import train_model

    settings = _settings(args, MODELS[args.model].settings())
    cohort = load_cohort(args.data)
    trained = train_model(args.model, cohort, settings, folder, status)
    card = trained.card
    if args.report:
        from neuroclass.reports.build import write_report

        card = write_report(trained, cohort, args.jobs, args.baselines, status)
    return card, folder / args.model, cohort.source


def _human(args: argparse.Namespace, folder: Path, status: StatusFile) -> tuple[dict[str, Any], Path, str]:
    """Card, folder and cells of the human subclass model."""
    from neuroclass.cohort.human import load_human_cells
    from neuroclass.training.train import train_human_model

    recipe = HumanSubclassSettings()
    gated = _settings(args, recipe.lspin)
    assert isinstance(gated, LspinSettings)
    cohort = load_human_cells(args.data)
    trained = train_human_model(cohort, replace(recipe, lspin=gated), folder, status)
    card = trained.card
    if args.report:
        from neuroclass.reports.human_subclass import write_human_report

        card = write_human_report(trained, cohort, args.jobs, progress=status)
    return card, folder / args.model, cohort.source
