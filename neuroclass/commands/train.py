"""``train``: train a model on the loaded cells, and with ``--report`` evaluate it for the result pages."""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from neuroclass.cohort.loading import load_cohort
from neuroclass.commands.arguments import add_data, add_json
from neuroclass.config import DannSettings, LspinSettings, cache_folder
from neuroclass.errors import SettingsError

Settings = TypeVar("Settings", DannSettings, LspinSettings)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "train",
        help="train DANN or LSPIN on the loaded cells",
        description="Train a model and write weights and card to DIR/<model>. With --report, also what the result "
        "pages show: donor-grouped cross-validation of the model and the baselines, gates, SHAP values, embedding.",
    )
    parser.add_argument("model", choices=("dann", "lspin"))
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of models (default: in the user's cache)")
    parser.add_argument("--report", action="store_true", help="evaluate as well (minutes)")
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

    def epoch(self, number: int, of: int, terms: dict[str, float]) -> None:
        """Note an epoch's losses."""
        entry = {"epoch": number, "of": of, **{name: round(value, 5) for name, value in terms.items()}}
        self.history.append(entry)
        self._write({"phase": "epoch", **entry, "history": self.history})
        shown = ", ".join(f"{name} {value:.4f}" for name, value in terms.items())
        print(f"{self.model}: epoch {number} of {of}: {shown}", file=sys.stderr)

    def phase(self, name: str, number: int, of: int) -> None:
        """Note progress of a later phase."""
        self._write({"phase": name, "epoch": number, "of": of, "history": self.history})
        print(f"{self.model}: {name} {number} of {of}", file=sys.stderr)

    def _write(self, status: dict[str, Any]) -> None:
        if self.path is None:
            return
        status = {"model": self.model, "seconds": round(time.monotonic() - self.start, 1), **status}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(self.path.name + ".part")
        draft.write_text(json.dumps(status), encoding="utf-8")
        draft.replace(self.path)


def _chosen(settings: Settings, args: argparse.Namespace) -> Settings:
    """The recipe's settings with what the user asked for."""
    if args.members is not None and args.members < 1:
        raise SettingsError(f"--members {args.members}: an ensemble needs at least one network.")
    optimiser = settings.optimiser if args.steps is None else replace(settings.optimiser, steps=args.steps)
    if args.report and (args.seed, args.steps, args.members) != (None, None, None):
        raise SettingsError(
            "--report evaluates the recipe as it ships; leave out --seed, --steps and --members with it."
        )
    asked = {"seed": args.seed, "n_members": args.members}
    return replace(settings, optimiser=optimiser, **{name: value for name, value in asked.items() if value is not None})


def run(args: argparse.Namespace) -> int:
    """Train, save, and report where asked."""
    from neuroclass.io.artifacts import save_model
    from neuroclass.predictors.predictor import Predictor
    from neuroclass.training.card import training_card
    from neuroclass.training.fit_dann import train_dann
    from neuroclass.training.fit_lspin import train_lspin

    cohort = load_cohort(args.data)
    status = StatusFile(args.status, args.model)
    settings: DannSettings | LspinSettings
    model: Predictor
    if args.model == "dann":
        task, settings = "broad", _chosen(DannSettings(), args)
        cells = cohort.labelled(task)
        model = train_dann(cells, settings, status.epoch)
    else:
        task, settings = "subclass", _chosen(LspinSettings(), args)
        cells = cohort.labelled(task)
        model = train_lspin(cells, settings, status.epoch)
    folder = (args.out or cache_folder() / "models") / args.model
    card = save_model(model, folder, training_card(cells, task, settings, model))
    if args.report:
        from neuroclass.reports.build import write_report

        card = write_report(model, folder, cohort, card, args.jobs, args.baselines, status.phase)
    answer = {key: card[key] for key in ("model", "classes", "training_cells", "seeds", "weights_sha256")}
    answer |= {"folder": str(folder), "metrics": card.get("metrics")}
    if args.json:
        print(json.dumps(answer, indent=2))
    else:
        n_cells = card["training_cells"]["n_cells"]
        print(f"{args.model} trained on {n_cells} cells of {cells.source}; written to {folder}")
    return 0
