"""``train``: train a model on the loaded cells, and with ``--report`` evaluate it for the result pages."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.commands.run_summary import summary
from neuroclass.commands.search_arguments import search_settings
from neuroclass.commands.train_arguments import ALL, OUTSIDE, PARTIAL, REPORTS, add_arguments
from neuroclass.commands.training_run import StatusFile, execute
from neuroclass.config import (
    HumanSubclassSettings,
    LspinSettings,
    SearchSettings,
    ValidationSettings,
    cache_folder,
    data_folder,
)
from neuroclass.errors import SettingsError, TableError, TrainingPaused, WorkError
from neuroclass.library.entry import hidden
from neuroclass.training.jobs import COMMAND_LINE
from neuroclass.training.runs import (
    CANCELLED,
    PAUSED,
    Cells,
    RunConfig,
    create_run,
    find_run,
    is_run_id,
    mark,
    runs_folder,
)
from neuroclass.training.settings import (
    OURS,
    PRESETS,
    differing,
    named_settings,
    parse_setting,
    recipe,
    written_setting,
)
from neuroclass.training.tracking import tracking_address
from neuroclass.types.models import FEATURE_SETS, HUMAN_SUBCLASS, MODELS
from neuroclass.work.current import working_on

INTERRUPTED = 130
"""Exit code of a run that was asked to pause, as of any interrupted command."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    add_arguments(subparsers).set_defaults(run=run)


def _values(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that the user asked for, by name."""
    values = dict(PRESETS[args.model][args.preset])
    values |= dict(parse_setting(args.model, text) for text in args.chosen)
    epoch = values.get("steps_an_epoch", recipe(args.model).optimiser.steps_an_epoch)
    if args.epochs is not None and args.steps is not None:
        raise SettingsError("Give --epochs or --steps, not both: an epoch is a number of steps (steps_an_epoch).")
    steps = args.steps if args.epochs is None else args.epochs * epoch
    seed = None if args.searched else args.seed
    asked = {"seed": seed, "n_members": args.members, "steps": steps}
    return differing(args.model, values | {name: value for name, value in asked.items() if value is not None})


def _config(args: argparse.Namespace, search: SearchSettings | None = None) -> RunConfig:
    """The run that the arguments ask for."""
    share = (0.0 if args.report else ValidationSettings().share) if args.validation is None else args.validation
    share = 0.0 if search is not None else share
    data = args.data or data_folder()
    cells = args.cells or (Cells.BOTH if args.own else Cells.LOADED)
    if args.own is None and (args.align or args.compare):
        raise SettingsError("--align and --compare are about a table of own cells; name it with --own FILE.")
    return RunConfig(
        system=args.model,
        settings=_values(args),
        validation=ValidationSettings(share, args.patience),
        name=args.name.strip(),
        data=str(Path(data).expanduser().resolve()) if data else "",
        cells=Cells(cells),
        own=args.own.name if args.own else "",
        align=args.align,
        compare=args.compare,
        protocol=args.protocol or "",
        repeats=args.repeats,
        report=args.report,
        baselines=args.baselines,
        jobs=args.jobs,
        out=str(args.out.expanduser().resolve()) if args.out else "",
        scheduler=args.scheduler or "",
        mlflow=tracking_address(args.mlflow),
        search=search,
    )


def _own_table(args: argparse.Namespace) -> bytes | None:
    """The table of own cells, read once before the run begins, so that a bad one is refused at once."""
    if args.own is None:
        return None
    from neuroclass.adaptation.labelled_table import read_labelled

    try:
        content = bytes(args.own.expanduser().read_bytes())
    except OSError as error:
        raise TableError(
            f"{args.own} cannot be read ({error.strerror}); expected a table of labelled cells."
        ) from error
    read_labelled(content, args.own.name)
    return content


def _run_in_folder(args: argparse.Namespace, search: SearchSettings | None) -> int:
    """Train DANN or LSPIN, or search for settings, as a run of its own, or continue one."""
    if args.resume is None:
        config, own = _config(args, search), _own_table(args)
        folder = create_run(config, runs_folder(), {"owner": hidden(COMMAND_LINE)}, own, queued=False)
    else:
        folder = find_run(args.resume)
        if is_run_id(args.resume):
            mark(folder, remove=(PAUSED, CANCELLED))
    print(f"run {folder.name} in {folder}", file=sys.stderr)
    try:
        answer = execute(folder, args.status, args.scheduler, tracking_address(args.mlflow))
    except WorkError as lost:
        raise WorkError(
            f"{lost} Then continue with: python -m neuroclass train --resume {folder.name} (finished parts are kept; "
            "another --scheduler may be named)"
        ) from lost
    except TrainingPaused as paused:
        print(f"{paused} Continue with: python -m neuroclass train --resume {folder.name}", file=sys.stderr)
        return INTERRUPTED
    print(json.dumps(answer, indent=2) if args.json else summary(answer))
    return 0


def _list_settings(system: str) -> int:
    """Print every setting with its default, range and meaning."""
    for name, one in named_settings(system).items():
        unit = f" {one.setting.unit}" if one.setting.unit else ""
        default = written_setting(name, one.default)
        print(f"{default:34} {one.setting.low:g} to {one.setting.high:g}{unit}: {one.setting.meaning}")
    return 0


def _human_settings(args: argparse.Namespace, recipe: LspinSettings) -> LspinSettings:
    """The human subclass model's gated network with what the user asked for."""
    if args.chosen or args.preset != OURS or args.own or args.protocol:
        raise SettingsError(
            f"--set, --preset, --own and --protocol are for {' and '.join(MODELS)}; {HUMAN_SUBCLASS.name} takes "
            "--seed, --steps and --members."
        )
    if args.report and (args.seed, args.steps, args.members) != (None, None, None):
        raise SettingsError(
            "--report evaluates the recipe as it ships; leave out --seed, --steps and --members with it."
        )
    optimiser = recipe.optimiser if args.steps is None else replace(recipe.optimiser, steps=args.steps)
    seed = None if args.searched else args.seed
    asked = {"seed": seed, "n_members": args.members}
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
    if args.model is None and args.resume is None:
        args.wrong_usage("name a model to train, or a run to --resume")
    search = search_settings(args)
    args.model = args.searched or args.model
    if args.model in MODELS and args.chosen == ["help"]:
        return _list_settings(args.model)
    if args.resume is not None or (args.model in MODELS and args.report_only is None):
        return _run_in_folder(args, search)
    if args.mlflow:
        raise SettingsError(f"--mlflow is about a run of {' or '.join(MODELS)}; leave it out for {args.model}.")
    with working_on(args.scheduler, args.jobs):
        return _into_folder(args)


def _into_folder(args: argparse.Namespace) -> int:
    """Train what is no run of its own: the human subclass model and the models of feature sets."""
    status = StatusFile(args.status, args.model)
    folder = args.out or cache_folder() / "models"
    if args.report_only is not None and args.model != FEATURE_SETS:
        raise SettingsError(
            f"--report-only keeps the models of {FEATURE_SETS}; found {args.model}. Leave it out, or train "
            f"{FEATURE_SETS}."
        )
    if args.model == FEATURE_SETS:
        return _feature_sets(args, folder, status)
    card, folder, source = _human(args, folder, status)
    answer = {key: card[key] for key in ("model", "classes", "training_cells", "seeds", "weights_sha256")}
    answer |= {"folder": str(folder), "metrics": card.get("metrics")}
    if args.json:
        print(json.dumps(answer, indent=2))
    else:
        n_cells = card["training_cells"]["n_cells"]
        print(f"{args.model} trained on {n_cells} cells of {source}; written to {folder}")
    return 0


def _human(args: argparse.Namespace, folder: Path, status: StatusFile) -> tuple[dict[str, Any], Path, str]:
    """Card, folder and cells of the human subclass model."""
    from neuroclass.cohort.human import load_human_cells
    from neuroclass.training.train import train_human_model

    recipe = HumanSubclassSettings()
    gated = _human_settings(args, recipe.lspin)
    cohort = load_human_cells(args.data)
    trained = train_human_model(cohort, replace(recipe, lspin=gated), folder, status)
    card = trained.card
    if args.report:
        from neuroclass.reports.human_subclass import write_human_report

        card = write_human_report(trained, cohort, args.jobs, progress=status)
    return card, folder / args.model, cohort.source
