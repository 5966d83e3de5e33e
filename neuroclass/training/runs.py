"""Training runs as folders: what a run is, and everything that it leaves, each file replaced as a whole.

A run is ``<cache>/jobs/<id>/``: config.json (what was asked), job.json (who, when, which process), environment.json
(versions, revision, cells), status.json, history.json, metrics.json, snapshots/, messages.txt, state.safetensors as
long as it may be continued and, once it is done, model/<system>/ and result.json. A search has studies/ and search.json
in place of history, snapshots, state and model.
"""

import hashlib
import json
import os
import platform
import re
import secrets
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from neuroclass import __version__
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import PROJECT_DIR, SearchSettings, ValidationSettings, cache_folder
from neuroclass.errors import SettingsError
from neuroclass.io.atomic import write_atomically
from neuroclass.training.settings import all_values, checked, with_values
from neuroclass.types.models import MODELS

QUEUED, CANCELLED, PAUSED, FAILED = "queued", "cancelled", "paused", "failed"
"""Files of a run's folder that say what has become of it."""
CONFIG, JOB, ENVIRONMENT, STATUS, HISTORY, METRICS, RESULT, MESSAGES = (
    "config.json",
    "job.json",
    "environment.json",
    "status.json",
    "history.json",
    "metrics.json",
    "result.json",
    "messages.txt",
)
STATE, SNAPSHOTS, MODEL, OWN = "state.safetensors", "snapshots", "model", "own"
STUDIES, SEARCH = "studies", "search.json"
MOST_NAME = 60
_LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "torch")
_NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9][a-z0-9-]{1,24}-[0-9a-f]{6}")


class Cells(StrEnum):
    """Which cells train."""

    LOADED = "loaded"
    OWN = "own"
    BOTH = "both"


@dataclass(frozen=True)
class RunConfig:
    """What a training run was asked to do.

    Attributes
    ----------
    system : str
        ``dann`` or ``lspin``.
    settings : mapping
        Values by name, see `neuroclass.training.settings`; the recipe's where not named.
    validation : ValidationSettings
        Donors that judge, and early stopping.
    name : str
        What its owner calls the model.
    data : str
        Folder of the loaded cells; empty for what is loaded without one.
    cells : Cells
        Which cells train; others than the loaded ones are in the file `own`.
    own : str
        Name of the user's labelled table, which lies in the run's folder.
    align : bool
        Whether the table's cells are moved to where the loaded cells of their classes lie.
    compare : bool
        Whether held-out donors of the table are classified with and without its other cells in training.
    protocol : str
        Protocol under which these settings are evaluated afterwards; empty for none.
    repeats : int or None
        Of the protocol.
    report, baselines : bool
        Whether the recipe's whole report is written, and with the baselines.
    jobs : int
        Processes at once after training.
    out : str
        Folder of models that gets a copy; empty for none.
    scheduler : str
        Address of the Dask scheduler that evaluates; empty for processes on this machine.
    mlflow : str
        Address of the MLflow server that gets the run; empty for none.
    search : SearchSettings or None
        Whether, and how long, better settings are searched for instead of training; `settings` are then fixed.
    """

    system: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    name: str = ""
    data: str = ""
    cells: Cells = Cells.LOADED
    own: str = ""
    align: bool = False
    compare: bool = False
    protocol: str = ""
    repeats: int | None = None
    report: bool = False
    baselines: bool = False
    jobs: int = 1
    out: str = ""
    scheduler: str = ""
    mlflow: str = ""
    search: SearchSettings | None = None

    def __post_init__(self) -> None:
        if self.system not in MODELS:
            raise SettingsError(f"There is no model {self.system}; expected one of {', '.join(MODELS)}.")
        object.__setattr__(self, "settings", checked(self.system, self.settings))
        if self.report and self.settings:
            raise SettingsError(
                f"A report evaluates the recipe as it ships; found {', '.join(self.settings)} changed. Leave them as "
                "they are, or evaluate these settings under one protocol (--protocol) instead."
            )
        if self.cells is not Cells.LOADED and not self.own:
            raise SettingsError(f"Training on {self.cells.value} cells needs a labelled table (--own FILE).")
        if len(self.name) > MOST_NAME:
            raise SettingsError(f"The name has {len(self.name)} characters; expected at most {MOST_NAME}.")
        if self.search is not None and (self.own or self.report or self.protocol or self.mlflow):
            raise SettingsError(
                "A search trains on the loaded cells and scores its choice itself; leave out --own, --report, "
                "--protocol and --mlflow, and train with the setting that it finds."
            )

    def to_json(self) -> dict[str, Any]:
        """As stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "RunConfig":
        """Read what `to_json` gave.

        Raises
        ------
        SettingsError
            If it is something else.
        """
        try:
            known = {one.name for one in fields(cls)}
            values = {name: value for name, value in stored.items() if name in known}
            values["validation"] = ValidationSettings(**values.get("validation", {}))
            values["cells"] = Cells(values.get("cells", Cells.LOADED))
            values["search"] = SearchSettings(**values["search"]) if values.get("search") else None
            return cls(**values)
        except (TypeError, ValueError, AttributeError) as error:
            raise SettingsError(f"The run's configuration cannot be read ({error}). Start a new run.") from error


def runs_folder() -> Path:
    """Where all runs lie."""
    return cache_folder() / "jobs"


def is_run_id(text: str) -> bool:
    """Whether a text has the form of a run's id."""
    return bool(_NAME.fullmatch(text))


def find_run(run: str, folder: Path | None = None) -> Path:
    """The folder of a run.

    Parameters
    ----------
    run : str
        Its id, or its folder.
    folder : Path, optional
        Of all runs.

    Raises
    ------
    SettingsError
        If there is none.
    """
    path = (folder or runs_folder()) / run if is_run_id(run) else Path(run).expanduser()
    if not is_run_id(path.name) or not (path / JOB).is_file():
        raise SettingsError(
            f"There is no training run {run[:80]!r} here. `python -m neuroclass runs` and the Train page list all."
        )
    return path


def create_run(config: RunConfig, folder: Path, record: Mapping[str, Any], own: bytes | None, queued: bool) -> Path:
    """Make the folder of a new run, complete before it appears.

    Parameters
    ----------
    config : RunConfig
        What to do.
    folder : Path
        Of all runs.
    record : mapping
        What else job.json should say.
    own : bytes or None
        The user's labelled table.
    queued : bool
        Whether it waits for its turn.

    Returns
    -------
    Path
    """
    run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{config.system}-{secrets.token_hex(3)}"
    draft = folder / f".{run_id}.part"
    draft.mkdir(parents=True)
    if own is not None:
        write_atomically(draft / OWN, own)
    write_json(draft / CONFIG, config.to_json())
    write_json(draft / JOB, {"model": config.system, "queued": time.time(), **record})
    if queued:
        (draft / QUEUED).touch()
    draft.replace(folder / run_id)
    return folder / run_id


def lock_run(folder: Path) -> FileLock:
    """Hold a run as its only process, until the process ends.

    Raises
    ------
    SettingsError
        If another process has it.
    """
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SettingsError(f"{folder.name} is under way in another process; pause it there or wait.") from None
    return lock


def read_config(folder: Path) -> RunConfig:
    """What the run was asked to do.

    Raises
    ------
    SettingsError
        If its folder does not say.
    """
    return RunConfig.from_json(read_json(folder / CONFIG))


def cells_digest(cells: Cohort) -> str:
    """SHA-256 of ids, labels, features and domains."""
    order = cells.frame["id"].argsort().to_numpy()
    state = hashlib.sha256(cells.digest().encode())
    state.update("\n".join((cells.column("donor") + "/" + cells.domains().astype(object))[order]).encode())
    return state.hexdigest()


def environment(cells: Cohort) -> dict[str, Any]:
    """Versions, revision and cells, for a run's folder."""
    return {
        "versions": {"python": platform.python_version(), **_versions()},
        "platform": platform.platform(),
        "git_revision": git_revision(),
        "cells": {
            "source": cells.source,
            "simulated": cells.simulated,
            "n_cells": len(cells),
            "n_donors": int(cells.frame["donor"].nunique()),
            "sha256": cells_digest(cells),
        },
    }


def _versions() -> dict[str, str]:
    return {"neuroclass": __version__, **{name: version(name) for name in _LIBRARIES}}


def git_revision() -> str | None:
    """Commit of the program's working copy, with ``+`` where files differ from it; None where it has none."""
    if not (PROJECT_DIR / ".git").exists():
        return None
    git = ["git", "-C", str(PROJECT_DIR)]
    try:
        commit, changes = (
            subprocess.run([*git, *words], capture_output=True, text=True, timeout=5, check=True).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+" if changes else "")


def fingerprint(config: RunConfig, cells: Cohort) -> str:
    """What the weights of a run depend on: settings, validation donors, cells, versions."""
    settings = all_values(config.system, with_values(config.system, config.settings))
    asked = {"system": config.system, "settings": settings, "validation": asdict(config.validation)}
    parts = [json.dumps(asked, sort_keys=True), cells_digest(cells), json.dumps(_versions(), sort_keys=True)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write JSON, as a whole."""
    write_atomically(path, json.dumps(value, ensure_ascii=False).encode())


def read_json(path: Path) -> dict[str, Any]:
    """An object of a JSON file; empty where it is absent or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {"value": value}


def mark(folder: Path, *, add: str = "", remove: tuple[str, ...] = ()) -> None:
    """Say what has become of a run."""
    if add:
        (folder / add).touch()
    for one in remove:
        (folder / one).unlink(missing_ok=True)


def claim(folder: Path, started: float | None) -> None:
    """Note this process as the run's."""
    record = read_json(folder / JOB)
    if record.get("pid") != os.getpid() or not record.get("started"):
        write_json(folder / JOB, record | {"pid": os.getpid(), "started": started})


def release(folder: Path) -> None:
    """Note that this process no longer works on the run."""
    record = read_json(folder / JOB)
    if record.pop("pid", None) == os.getpid():
        write_json(folder / JOB, record)
