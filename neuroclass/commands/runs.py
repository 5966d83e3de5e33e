"""``runs``: list, compare, pause, resume, cancel and send training runs."""

import argparse
import json
from typing import Any

from neuroclass.commands.arguments import add_json
from neuroclass.errors import SettingsError
from neuroclass.training.job import Job
from neuroclass.training.jobs import COMMAND_LINE, JobRegistry
from neuroclass.training.settings import written_setting
from neuroclass.training.table import differences, run_row
from neuroclass.training.tracking import send_run, tracking_address

MOST = 200
_DEEDS = {"pause": JobRegistry.pause, "resume": JobRegistry.resume, "cancel": JobRegistry.cancel}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "runs",
        help="list, compare, pause, resume or cancel training runs",
        description="Without more, list the training runs of the user's cache, newest first. compare says in which "
        "settings runs differ; resume queues a run again, in the background (train --resume ID stays with it); send "
        "gives finished runs to an MLflow server.",
    )
    parser.add_argument("action", nargs="?", choices=("list", "show", "compare", "send", *_DEEDS), default="list")
    parser.add_argument("ids", nargs="*", metavar="ID", help="runs")
    parser.add_argument("--mlflow", metavar="ADDRESS", help="with send: the tracking server, as for train")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List runs, or do something to some of them."""
    registry = JobRegistry()
    if args.action != "list" and not args.ids:
        raise SettingsError(f"runs {args.action} needs the id of a run; `python -m neuroclass runs` lists them.")
    if (args.action == "send") != bool(args.mlflow):
        raise SettingsError("runs send ID and --mlflow ADDRESS go together: name both.")
    if args.action == "send":
        for job_id in args.ids:
            send_run(registry.look(job_id).folder, tracking_address(args.mlflow))
    if args.action in _DEEDS:
        for job_id in args.ids:
            _DEEDS[args.action](registry, job_id, COMMAND_LINE, shared=True)
    chosen = [registry.look(job_id) for job_id in args.ids] if args.ids else registry.recent(MOST)
    if args.action == "compare":
        return _compare(chosen, args.json)
    if args.json:
        print(json.dumps([_whole(job) if args.action == "show" else run_row(job) for job in chosen], indent=2))
        return 0
    for job in chosen:
        print(_line(job))
        if args.action == "show" and job.message:
            print(job.message)
    return 0


def _compare(chosen: list[Job], as_json: bool) -> int:
    found = differences(chosen)
    if as_json:
        print(json.dumps({"runs": [run_row(job) for job in chosen], "differences": found}, indent=2))
        return 0
    for job in chosen:
        print(_line(job))
    for name, values in found.items():
        print(f"{name}: " + " | ".join(written_setting(name, value).partition("=")[2] for value in values))
    if not found:
        print("The settings are the same.")
    return 0


def _whole(job: Job) -> dict[str, Any]:
    return {**run_row(job), "config": job.config, "metrics": job.metrics, "result": job.result, "history": job.history}


def _line(job: Job) -> str:
    row = run_row(job)
    figures = [f"{key.replace('_', ' ')} {row[key]:.3f}" for key in ("accuracy", "macro_f1") if row[key] is not None]
    name = f" {job.name!r}" if job.name else ""
    kind = " (search)" if job.is_search else ""
    return f"{job.id}{name}{kind}: {job.state.value}" + ("".join(f", {one}" for one in figures))
