"""Say on standard error, before it begins, how long a long run will take."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from neuroclass.cohort.cohort import Cohort
from neuroclass.training import runs
from neuroclass.training.job import number
from neuroclass.training.runs import RunConfig, read_json
from neuroclass.training.settings import with_values
from neuroclass.types.models import MODELS
from neuroclass.types.progress import duration

if TYPE_CHECKING:
    from neuroclass.evaluation.nested import NestedPlan


def say_report(config: RunConfig, folder: Path, cells: Cohort) -> None:
    """Of training and report together, and how to continue them.

    Parameters
    ----------
    config : RunConfig
        Of the run, with a report.
    folder : Path
        The run's.
    cells : Cohort
        Training cells.
    """
    from neuroclass.reports.estimate import report_seconds
    from neuroclass.training.timing import training_seconds

    spec = MODELS[config.system]
    known = number(read_json(folder / runs.METRICS).get("training_s"))
    training_s = known or training_seconds(
        spec.name, cells.labelled(spec.task), with_values(spec.name, config.settings)
    )
    total = training_s + report_seconds(spec.name, config.baselines, training_s, config.jobs)
    _say(f"{spec.name}: training and report", f"about {duration(total)}", config, folder)


def say_search(config: RunConfig, folder: Path, plan: "NestedPlan") -> None:
    """Of a search, and how to continue it.

    Parameters
    ----------
    config : RunConfig
        Of the run, with a search.
    folder : Path
        The run's.
    plan : NestedPlan
        What is searched.
    """
    from neuroclass.evaluation.nested import search_seconds

    usual, most = search_seconds(plan, config.jobs)
    _say(f"{config.system}: search", f"about {duration(usual)}, at most {duration(most)}", config, folder)


def _say(what: str, how_long: str, config: RunConfig, folder: Path) -> None:
    processes = f"{config.jobs} process{'es' if config.jobs > 1 else ''}"
    print(
        f"{what}: {how_long} from the start, with {processes}; finished folds are kept, and train --resume "
        f"{folder.name} continues",
        file=sys.stderr,
    )
