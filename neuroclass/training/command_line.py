"""The command that does in a terminal what the Train page does."""

import shlex
from dataclasses import asdict

from neuroclass.config import SearchSettings, ValidationSettings
from neuroclass.training.runs import Cells, RunConfig
from neuroclass.training.settings import written_setting


def _of_search(search: SearchSettings) -> list[str]:
    """What differs from the usual search."""
    options = {"--trials": "trials", "--outer": "outer_folds", "--inner": "inner_folds", "--search-members": "members",
               "--seed": "seed"}  # fmt: skip
    values, usual = asdict(search), asdict(SearchSettings())
    return [word for option, name in options.items() if values[name] != usual[name]
            for word in (option, str(values[name]))]  # fmt: skip


def command(config: RunConfig, own: str = "") -> str:
    """The command line of a run.

    Parameters
    ----------
    config : RunConfig
        What to train.
    own : str
        Where the user's labelled table lies; by default its name.

    Returns
    -------
    str
        For a POSIX shell.
    """
    words = ["python", "-m", "neuroclass", "train", *(["search"] if config.search else []), config.system]
    for name, value in config.settings.items():
        words += ["--set", written_setting(name, value)]
    words += _of_search(config.search) if config.search else []
    usual = ValidationSettings(0.0) if config.report or config.search else ValidationSettings()
    if config.validation.share != usual.share:
        words += ["--validation", f"{config.validation.share:g}"]
    if config.validation.patience:
        words += ["--patience", str(config.validation.patience)]
    for option, text in (("--name", config.name), ("--own", own or config.own), ("--data", config.data)):
        words += [option, text] if text else []
    if config.own and config.cells is not Cells.BOTH:
        words += ["--cells", config.cells.value]
    words += ["--protocol", config.protocol] if config.protocol else []
    words += ["--repeats", str(config.repeats)] if config.repeats else []
    flags = {"--align": config.align, "--compare": config.compare, "--report": config.report}
    words += [option for option, on in {**flags, "--baselines": config.baselines}.items() if on]
    words += ["--workers", str(config.jobs)]
    for option, text in (("--scheduler", config.scheduler), ("--mlflow", config.mlflow)):
        words += [option, text] if text else []
    return shlex.join([*words, *(["--out", config.out] if config.out else [])])
