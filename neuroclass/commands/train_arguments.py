"""Arguments of ``train``."""

import argparse
import os
from pathlib import Path

from neuroclass.commands.arguments import add_data, add_json, add_work
from neuroclass.commands.search_arguments import SEARCH, add_search
from neuroclass.evaluation.protocols import DIVIDING
from neuroclass.training.runs import Cells
from neuroclass.training.settings import OURS, PAPER
from neuroclass.training.tracking import FROM_ENVIRONMENT, VARIABLE
from neuroclass.types.models import FEATURE_SETS, HUMAN_SUBCLASS, MODELS

PARTIAL, OUTSIDE, ALL = "partial", "outside", "all"
REPORTS = (PARTIAL, OUTSIDE)


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add the command to the parser; returns its own."""
    parser = subparsers.add_parser(
        "train",
        help="train DANN, LSPIN or the human subclass model",
        description="Train a model and write weights and card to DIR/<model>. With --report, also what the result "
        "pages show: donor-grouped cross-validation of the model and the baselines, gates, SHAP values, embedding. "
        f"{SEARCH} MODEL searches for settings with Optuna and scores its choice on cells that it never saw. "
        "The human subclass model also needs the tables in the data folder's outside/, and so does the report of "
        f"{FEATURE_SETS}.",
    )
    parser.add_argument(
        "model",
        nargs="?",
        choices=(*MODELS, HUMAN_SUBCLASS.name, FEATURE_SETS, SEARCH),
        help=f"{FEATURE_SETS}: DANN and LSPIN for many sets of features; {SEARCH}: search for settings of the model "
        "named next; none with --resume",
    )
    parser.add_argument("searched", nargs="?", choices=tuple(MODELS), metavar="MODEL", help=f"with {SEARCH}")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of models that gets the model too (default: the run's own only)"
    )
    parser.add_argument("--name", default="", metavar="NAME", help="what to call the model, on its card")
    parser.add_argument(
        "--resume", metavar="ID", help="continue a run of DANN or LSPIN that was paused, interrupted or cancelled"
    )
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
    _add_settings(parser)
    _add_own(parser)
    add_search(parser)
    add_work(parser, os.cpu_count() or 1)
    parser.add_argument(
        "--mlflow", metavar="ADDRESS",
        help="also send the run of DANN or LSPIN (settings, epochs, results, model) to the MLflow tracking server "
        f"there, such as http://host:5000; {FROM_ENVIRONMENT}: to that of {VARIABLE} (default: nothing is sent)",
    )  # fmt: skip
    parser.add_argument("--status", type=Path, metavar="FILE", help="keep this JSON file up to date with progress")
    add_data(parser)
    add_json(parser)
    parser.set_defaults(wrong_usage=parser.error)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Settings of DANN and LSPIN, donors that judge, and the protocol."""
    parser.add_argument("--preset", choices=(OURS, PAPER), default=OURS, help="settings to start from (default: ours)")
    parser.add_argument(
        "--set", dest="chosen", action="append", default=[], metavar="NAME=VALUE",
        help="change a setting of DANN or LSPIN, such as learning_rate=0.002 or gating=64,64; --set help lists all",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, metavar="N", help="of weights, batches and folds (default: the recipe's)")
    parser.add_argument("--steps", type=int, metavar="N", help="training steps (default: the recipe's)")
    parser.add_argument("--epochs", type=int, metavar="N", help="the same, in epochs")
    parser.add_argument("--members", type=int, metavar="N", help="networks in the ensemble (default: the recipe's)")
    parser.add_argument(
        "--validation", type=float, metavar="SHARE",
        help="fraction of the cells, whole donors, that judge each epoch instead of training (default: 0.15; 0, as the "
        "shipped models were trained, with --report)",
    )  # fmt: skip
    parser.add_argument(
        "--patience", type=int, default=0, metavar="N",
        help="stop after N epochs without a better macro F1 on those donors; keeps the best epoch (default: 0, never)",
    )  # fmt: skip
    parser.add_argument(
        "--protocol", choices=[one.value for one in DIVIDING], help="evaluate these settings under a protocol too"
    )
    parser.add_argument("--repeats", type=int, metavar="N", help="of the protocol (default: its own number)")


def _add_own(parser: argparse.ArgumentParser) -> None:
    """The user's own labelled cells."""
    parser.add_argument(
        "--own", type=Path, metavar="FILE",
        help="a table of labelled cells in the upload format, with the columns cell, donor, species and label",
    )  # fmt: skip
    parser.add_argument(
        "--cells", choices=[one.value for one in Cells],
        help="which cells train: the loaded ones, the own ones, or both, with the laboratory as a further domain of "
        "DANN (default: both with --own)",
    )  # fmt: skip
    parser.add_argument(
        "--align", action="store_true",
        help="move the own cells to where the loaded ones of their classes lie, before training on both",
    )  # fmt: skip
    parser.add_argument(
        "--compare", action="store_true",
        help="with --own: accuracy on its held-out donors with and without its other donors in training",
    )  # fmt: skip
