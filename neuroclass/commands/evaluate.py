"""``evaluate``: train and test a system under a named protocol."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.commands.arguments import add_data, add_json, add_work
from neuroclass.errors import SettingsError, WorkError
from neuroclass.evaluation.names import SYSTEM_NAMES, Protocol
from neuroclass.types.models import HUMAN_SUBCLASS, MODELS
from neuroclass.types.progress import Progress, ProgressCallback
from neuroclass.work.current import working_on

if TYPE_CHECKING:
    from neuroclass.evaluation.evaluate import Evaluation


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "evaluate",
        help="train and test a system under a protocol",
        description="Train a system on training cells and report accuracy and macro F1 on held-out ones, with 95% "
        "intervals from a cluster bootstrap over donors. Scaler, imputation and calibration see training cells only.",
    )
    names = (*SYSTEM_NAMES, HUMAN_SUBCLASS.name)
    parser.add_argument("model", nargs="?", choices=names, metavar="MODEL", help=", ".join(names))
    parser.add_argument(
        "--model",
        dest="entry",
        metavar="NAME",
        help="instead of MODEL, a model of the library: its system with its settings is trained on each fold",
    )
    protocols = [protocol.value for protocol in Protocol]
    parser.add_argument("--protocol", choices=protocols, default="donor-cv", help="default: donor-cv")
    parser.add_argument("--task", choices=tuple(TASK_CLASSES), help="for baselines (default: subclass)")
    parser.add_argument("--repeats", type=int, metavar="N", help="repeats or seeds (default: the protocol's)")
    parser.add_argument(
        "--random-sets", type=int, metavar="N", help="masked, dann or lspin: N random sets of 5 to 30 features instead"
    )
    add_work(parser, 2)
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="keep finished trials there, so that the same command, repeated, goes on",
    )
    add_data(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print."""

    def show(progress: Progress) -> None:
        print(
            f"{args.model or args.entry}, {args.protocol}: trial {progress.done} of {progress.total}", file=sys.stderr
        )

    from neuroclass.evaluation.kept import keep_results

    if (args.model is None) == (args.entry is None):
        raise SettingsError("Name what to evaluate: either MODEL, a system, or --model NAME, a model of the library.")
    try:
        with working_on(args.scheduler, args.jobs), keep_results(args.keep):
            return _evaluate_and_print(args, show)
    except WorkError as lost:
        kept = f"finished trials are in {args.keep}" if args.keep else "with --keep DIR, finished trials are kept there"
        raise WorkError(f"{lost} Then repeat the command; {kept}.") from lost


def _evaluate_and_print(args: argparse.Namespace, show: ProgressCallback) -> int:
    if args.model == HUMAN_SUBCLASS.name:
        result = _human(args, show)
        print(json.dumps(result, indent=2, ensure_ascii=False) if args.json else _human_text(result))
        return 0
    evaluation = _evaluation(args, show)
    print(json.dumps(evaluation.result, indent=2, ensure_ascii=False) if args.json else _text(evaluation.result))
    return 0


def _row(row: dict[str, Any]) -> str:
    """A row of figures, each with its name."""
    figures = [f"{key} {value:.3f}" for key, value in row.items() if isinstance(value, float)]
    name = " ".join(str(row[key]) for key in ("species", "laboratory", "system") if key in row)
    return f"  {name}: {', '.join(figures)}"


def _evaluation(args: argparse.Namespace, show: ProgressCallback) -> "Evaluation":
    """Evaluate a system of the registry, or DANN and LSPIN as fitted to sets of features."""
    protocol, cohort = Protocol(args.protocol), load_cohort(args.data)
    if args.entry is not None:
        return _of_library(args, protocol, cohort, show)
    if protocol is Protocol.MASKED and args.model in MODELS:
        from neuroclass.evaluation.fitted_sets import evaluate_sets, random_sets
        from neuroclass.training.library import whole_stimuli

        sets = random_sets(args.random_sets) if args.random_sets else whole_stimuli()
        return evaluate_sets(args.model, cohort, sets=sets, repeats=args.repeats or 1, jobs=args.jobs, progress=show)
    if protocol in (Protocol.OUTSIDE, Protocol.LEAVE_ONE_LABORATORY_OUT):
        from neuroclass.adaptation.other_laboratories import evaluate_outside
        from neuroclass.reports.other_laboratories import shipped_systems

        return evaluate_outside(args.model, shipped_systems(), cohort, args.data, protocol, show)
    from neuroclass.evaluation.evaluate import evaluate

    return evaluate(args.model, protocol, cohort, task=args.task, repeats=args.repeats, jobs=args.jobs, progress=show)


def _of_library(args: argparse.Namespace, protocol: Protocol, cohort: Cohort, show: ProgressCallback) -> "Evaluation":
    """Evaluate the recipe of a model of the library; the result names it."""
    from neuroclass.evaluation.evaluate import Evaluation, evaluate
    from neuroclass.evaluation.protocols import DIVIDING
    from neuroclass.library.library import ModelLibrary
    from neuroclass.reports.own import own_system

    entry = ModelLibrary().usable(args.entry)
    if entry.shipped or protocol not in DIVIDING or args.task not in (None, entry.task):
        raise SettingsError(
            f"--model {args.entry} is evaluated for its own task under {', '.join(DIVIDING)}; found --protocol "
            f"{args.protocol}" + (f" --task {args.task}" if args.task else "") + ". For shipped models name MODEL."
        )
    found = evaluate(
        own_system(entry), protocol, cohort, task=entry.task, repeats=args.repeats, jobs=args.jobs, progress=show
    )
    named = {"name": entry.name, "id": entry.id, "sha256": entry.weights}
    return Evaluation({**found.result, "of_library": named}, found.predictions)


def _human(args: argparse.Namespace, show: ProgressCallback) -> dict[str, Any]:
    """Results of the human subclass model, with those of the baselines under ``baselines``."""
    from neuroclass.cohort.human import load_human_cells
    from neuroclass.evaluation.human_subclass import evaluate_human

    if args.protocol != Protocol.DONOR_CV or args.task not in (None, HUMAN_SUBCLASS.task):
        raise SettingsError(
            f"{args.model} is evaluated for the task {HUMAN_SUBCLASS.task} under {Protocol.DONOR_CV.value} only; found "
            f"--protocol {args.protocol}" + (f" --task {args.task}." if args.task else ".")
        )
    (ours, *others), _ = evaluate_human(load_human_cells(args.data), args.repeats, args.jobs, show)
    return {**ours, "baselines": {row["model"]: row for row in others}}


def _human_text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['model']}, {result['protocol']}: {result['n_cells']} GABAergic cells of {result['n_donors']} donors, "
        f"{result['n_repeats']} repeats"
    ]
    groups = {"all": result["metrics"], **result["groups"]}
    groups |= {name: row["metrics"] for name, row in result["baselines"].items()}
    for group, metrics in groups.items():
        found = (f"{name} {v['mean']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for name, v in metrics.items())
        lines.append(f"  {group:<8} " + ", ".join(found))
    sets = result["sets"]
    lines.append(f"  {sets['coverage']:.0%} sets cover {sets['shown']:.3f}, mean size {sets['mean_size']:.2f} classes")
    lines.append(f"  calibration error {result['calibration_error']:.3f}")
    lines += [f"  excitatory, {name}: {share:.3f}" for name, share in result["excitatory"].items()]
    lines += [f"  with {name}: {row['accuracy']:.3f}" for name, row in result["stimuli"].items()]
    return "\n".join(lines)


def _text(result: dict[str, Any]) -> str:
    lines = [f"{result['model']}, {result['protocol']}: {result['n_cells']} cells"]
    if "metrics" not in result:
        return "\n".join([*lines, *(_row(row) for row in result["laboratories"])])
    lines[0] += f" of {result['n_donors']} donors"
    for group, metrics in {"all": result["metrics"], **result["groups"]}.items():
        for name, value in metrics.items():
            lines.append(
                f"  {group:<6} {name:<9} {value['mean']:.3f}  [{value['low']:.3f}, {value['high']:.3f}], "
                f"sd over folds {value['sd']:.3f}"
            )
    if "open_gates" in result:
        lines.append(f"  open gates, median: {result['open_gates']['median']:g} of {result['open_gates']['of']}")
    for row in result.get("laboratories", ()):
        lines.append(f"  {row['species']:<6} {row['laboratory']}: {row['mean']:.3f}")
    return "\n".join(lines)
