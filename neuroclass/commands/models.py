"""``models``: the library of models that can be chosen with ``--model``."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neuroclass.commands.arguments import add_data, add_json, add_work
from neuroclass.errors import LibraryError
from neuroclass.evaluation.names import SYSTEM_NAMES
from neuroclass.library.entry import SHIPPED, TASKS, ModelEntry
from neuroclass.library.library import ModelLibrary
from neuroclass.library.package import MOST_UPLOADED, SUFFIX, export_model, import_model
from neuroclass.types.progress import Progress

_NAME = "name, id, or first digits of the weights' SHA-256"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "models",
        help="list, compare, export and import the models that can be chosen",
        description="The models that can be chosen with --model: the shipped ones, every finished training run, and "
        "imported ones. Without an action, list them.",
    )
    add_json(parser)
    parser.set_defaults(run=_list)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    compare = _action(actions, "compare", "two models side by side", _compare, "first", "second")
    add_data(compare)
    compare.add_argument("--no-verdicts", action="store_true", help="leave out their agreement on the loaded cells")
    export = _action(actions, "export", "write a model to one file", _export, "model")
    export.add_argument("--out", type=Path, metavar="FILE", help=f"default: NAME{SUFFIX} in this folder")
    taken = _action(actions, "import", "take a file of export into the library; nothing in it is executed", _import)
    taken.add_argument("file", type=Path, metavar="FILE")
    taken.add_argument("--name", default="", metavar="NAME", help="what to call it (default: as in the file)")
    _action(actions, "delete", "delete a model; the record of its training run stays", _delete, "model")
    rename = _action(actions, "rename", "call a model something else", _rename, "model")
    rename.add_argument("name", metavar="NEW")
    note = _action(actions, "note", "note something about a model", _note, "model")
    note.add_argument("text", metavar="TEXT")
    _action(actions, "default", f"make a model the lab's default ({SHIPPED}: none but those)", _default, "model")
    _add_training(actions)


def _action(actions: Any, name: str, text: str, run: Callable[[argparse.Namespace], int], *models: str) -> Any:
    parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    for one in models:
        parser.add_argument(one, metavar=one.upper(), help=_NAME)
    add_json(parser)
    parser.set_defaults(run=run)
    return parser


def _add_training(actions: Any) -> None:
    train = _action(actions, "train", "train any system on the loaded cells, into the library", _train)
    train.add_argument("system", choices=SYSTEM_NAMES, metavar="SYSTEM", help=", ".join(SYSTEM_NAMES))
    train.add_argument("--task", choices=TASKS, help="of systems that learn both (default: subclass)")
    train.add_argument("--name", default="", metavar="NAME", help="what to call it")
    train.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random (default: 0)")
    add_data(train)
    report = _action(actions, "report", "evaluate a model by training it again on held-out donors", _report, "model")
    add_work(report, 2)
    report.add_argument("--status", type=Path, metavar="FILE", help="keep this JSON file up to date with progress")
    add_data(report)


def _list(args: argparse.Namespace) -> int:
    library = ModelLibrary()
    entries, default = library.entries(), library.default
    if args.json:
        print(json.dumps([entry.to_json(default) for entry in entries], indent=1, ensure_ascii=False))
    else:
        print("\n".join(_line(entry, default) for entry in entries))
    return 0


def _line(entry: ModelEntry, default: str) -> str:
    mark = "*" if entry.id == default else " "
    if entry.trouble:
        return f"{mark} {entry.id}: cannot be used: {entry.trouble}"
    if entry.shipped:
        return f"{mark} {entry.id}: DANN, LSPIN and the human subclass model, fitted to the available features"
    cells = entry.card.get("training_cells") or {}
    accuracy = ((entry.card.get("metrics") or {}).get("metrics") or {}).get("accuracy")
    held_out = f", accuracy {accuracy['mean']:.3f} ({entry.card.get('protocol')})" if accuracy else ", not evaluated"
    named = "" if entry.name == entry.id else f" ({entry.name})"
    return (
        f"{mark} {entry.id}{named}: {entry.system}, {entry.task}, {cells.get('n_cells')} cells of "
        f"{cells.get('n_donors')} donors, {cells.get('source')}{held_out}, weights {entry.short}"
    )


def _show(entry: ModelEntry, what: str, args: argparse.Namespace) -> int:
    print(json.dumps(entry.to_json(ModelLibrary().default), indent=1, ensure_ascii=False) if args.json else what)
    return 0


def _export(args: argparse.Namespace) -> int:
    entry = ModelLibrary().usable(args.model)
    path = args.out or Path(f"{_file_name(entry)}{SUFFIX}")
    content = export_model(entry)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise LibraryError(
            f"{path} cannot be written ({error.strerror or error}). Name another file with --out."
        ) from error
    return _show(entry, f"{entry.name} written to {path}, {len(content):,} bytes", args)


def _file_name(entry: ModelEntry) -> str:
    return "".join(one if one.isalnum() or one in "-_." else "-" for one in entry.name).strip("-.") or entry.id


def _import(args: argparse.Namespace) -> int:
    try:
        with args.file.open("rb") as file:
            content = file.read(MOST_UPLOADED + 1)
    except OSError as error:
        raise LibraryError(f"{args.file} cannot be read ({error.strerror or error}). Check the path.") from error
    entry = import_model(ModelLibrary(), content, args.name)
    return _show(entry, f"{entry.name} is in the library as {entry.id}; use it with --model {entry.id}", args)


def _delete(args: argparse.Namespace) -> int:
    entry = ModelLibrary().delete(args.model)
    print(json.dumps({"deleted": entry.id}) if args.json else f"{entry.name} ({entry.id}) was deleted")
    return 0


def _rename(args: argparse.Namespace) -> int:
    entry = ModelLibrary().rename(args.model, args.name)
    return _show(entry, f"{entry.id} is called {entry.name}", args)


def _note(args: argparse.Namespace) -> int:
    entry = ModelLibrary().annotate(args.model, args.text)
    return _show(entry, f"noted about {entry.name}", args)


def _default(args: argparse.Namespace) -> int:
    entry = ModelLibrary().promote(args.model)
    return _show(entry, f"{entry.name} is the lab's default", args)


def _train(args: argparse.Namespace) -> int:
    from neuroclass.cohort.loading import load_cohort
    from neuroclass.reports.own import train_into

    def show(progress: Progress) -> None:
        print(f"{args.system}: {progress.stage} {progress.done} of {progress.total}", file=sys.stderr)

    cohort = load_cohort(args.data)
    entry = train_into(ModelLibrary(), args.system, cohort, args.task, args.name, args.seed, show)
    return _show(entry, f"{entry.name} is in the library as {entry.id}; use it with --model {entry.id}", args)


def _report(args: argparse.Namespace) -> int:
    from neuroclass.cohort.loading import load_cohort
    from neuroclass.commands.training_run import StatusFile
    from neuroclass.reports.own import write_own_report
    from neuroclass.work.current import working_on

    library = ModelLibrary()
    entry = library.usable(args.model)
    with working_on(args.scheduler, args.jobs):
        write_own_report(entry, load_cohort(args.data), args.jobs, StatusFile(args.status, entry.system))
    return _show(library.get(entry.id), f"the report of {entry.name} is written", args)


def _compare(args: argparse.Namespace) -> int:
    from neuroclass.reports.two_models import compare_models

    library = ModelLibrary()
    first, second = library.usable(args.first), library.usable(args.second)
    found = compare_models(first, second)
    found["agreement"] = None if args.no_verdicts else _agreement(first, second, args)
    if args.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    print("\n".join(_compared(found)))
    return 0


def _agreement(first: ModelEntry, second: ModelEntry, args: argparse.Namespace) -> dict[str, Any]:
    from neuroclass.classification.agreement import agreement
    from neuroclass.classification.models import load_models
    from neuroclass.cohort.loading import load_cohort

    cohort = load_cohort(args.data)
    models = [load_models(chosen=(entry,)) for entry in (first, second)]
    found = agreement(models[0], models[1], (first.task, second.task), cohort)
    return {
        "task": found.task,
        "cells": cohort.source,
        "simulated": cohort.simulated,
        "n_cells": len(found.verdicts),
        "n_labelled_by_both": found.n_labelled,
        "same": None if found.same != found.same else found.same,
        "kappa": None if found.kappa != found.kappa else found.kappa,
        "confusion": {
            str(row): {str(k): int(v) for k, v in counts.items()} for row, counts in found.confusion().iterrows()
        },
    }


def _compared(found: dict[str, Any]) -> list[str]:
    lines = []
    for one in found["models"]:
        cells, metrics = one["cells"], one["metrics"] or {}
        figures = ", ".join(f"{key} {v['mean']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for key, v in metrics.items())
        lines.append(
            f"{one['name']}: {one['system']}, {one['task']}, {cells['n_cells']} cells of {cells['n_donors']} donors"
        )
        lines.append(f"  {one['protocol']}: {figures}" if figures else "  not evaluated on held-out cells")
    lines += [f"  {key}: {values[0]} | {values[1]}" for key, values in found["settings"].items()]
    if found["paired"]:
        p = found["paired"]
        lines.append(
            f"accuracy, first − second on the same {p['n_cells']} held-out cells: {p['difference']:+.3f} "
            f"[{p['low']:+.3f}, {p['high']:+.3f}], p {p['p']:.2g}"
        )
    else:
        lines.append(f"no paired difference: {found['why']}")
    if agreed := found["agreement"]:
        lines.append(
            f"verdicts ({agreed['task']}) on {agreed['n_cells']} cells of {agreed['cells']}: both label "
            f"{agreed['n_labelled_by_both']}, the same for {_share(agreed['same'])}, kappa {_share(agreed['kappa'])}"
        )
    return lines


def _share(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
