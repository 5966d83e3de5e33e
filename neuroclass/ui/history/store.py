"""The history that this server keeps: where, for how long, and which of it is the visitor's."""

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from platformdirs import user_data_dir

from neuroclass.config import CACHE_VARIABLE, MODELS_DIR, cache_folder
from neuroclass.errors import HistoryError, SettingsError
from neuroclass.io.artifacts import read_card
from neuroclass.io.history import History
from neuroclass.io.spool import Spool

HISTORY_VARIABLE = "NEUROCLASS_HISTORY"
SHARED_VARIABLE = "NEUROCLASS_HISTORY_SHARED"
DAYS_VARIABLE = "NEUROCLASS_HISTORY_DAYS"
DEFAULT_DAYS = 90
MAX_BYTES = 20_000_000_000
_OFF = ("off", "no", "none")


@dataclass(frozen=True)
class Place:
    """Where the history is.

    Attributes
    ----------
    url : str
        The database.
    folder : Path
        The files.
    days : int
        How long an entry that is not opened stays; 0 where nothing outlives the server.
    shared : bool
        Whether everyone who reaches this server sees all of it.
    """

    url: str
    folder: Path
    days: int = DEFAULT_DAYS
    shared: bool = False

    def in_words(self) -> str:
        """Where uploads go and for how long, in a sentence."""
        if not self.days:
            return "Uploads stay on the machine that runs NeuroClass, in a temporary folder that goes when it stops."
        seen = "everyone who reaches this server sees them" if self.shared else "only this browser sees them"
        database = "" if self.url.startswith("sqlite") else " and, without the recordings, in the lab's database"
        return (
            f"Uploads stay on the machine that runs NeuroClass, in {self.folder}{database}; {seen}. They go "
            f"{self.days} days after they were last opened, or when you delete them on the History page."
        )


def place() -> Place:
    """Where ``NEUROCLASS_HISTORY`` says: a folder, a database's URL or ``off``; else the user's data folder."""
    told = os.environ.get(HISTORY_VARIABLE, "").strip()
    shared = os.environ.get(SHARED_VARIABLE, "").strip().lower() in ("1", "yes", "true", "on")
    if told.lower() in _OFF:
        return Place("sqlite://", _passing_folder(), 0)
    if os.environ.get(CACHE_VARIABLE, "").strip():
        folder = cache_folder() / "history"
    else:
        folder = Path(user_data_dir("neuroclass", appauthor=False)) / "history"
    if "://" in told:
        return Place(told, folder / "files", _days(), shared)
    folder = Path(told).expanduser() if told else folder
    return Place(f"sqlite:///{folder / 'history.sqlite'}", folder / "files", _days(), shared)


def _days() -> int:
    told = os.environ.get(DAYS_VARIABLE, "").strip() or str(DEFAULT_DAYS)
    if not told.isdigit() or int(told) < 1:
        raise SettingsError(f"{DAYS_VARIABLE} is {told!r}; expected a whole number of days, 1 or more.")
    return int(told)


@st.cache_resource
def _passing_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="neuroclass-uploads-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@st.cache_resource(max_entries=4, show_spinner=False)
def _open(where: Place) -> tuple[History, Place, str]:
    try:
        history = History(where.url, Spool(where.folder), where.shared)
        if where.days:
            history.prune(where.days, MAX_BYTES)
        return history, where, ""
    except (OSError, HistoryError) as error:
        passing = Place("sqlite://", _passing_folder(), 0)
        return History(passing.url, Spool(passing.folder)), passing, str(error)


def history() -> History:
    """The history; one that ends with the server where the configured place cannot be written."""
    return _open(place())[0]


def in_words() -> str:
    """Where uploads go and for how long; and what is wrong with the configured place, if so."""
    _, where, trouble = _open(place())
    return f"{where.in_words()} {trouble}".strip()


def lasts() -> bool:
    """Whether the history outlives the server."""
    return _open(place())[1].days > 0


@st.cache_data(show_spinner=False, max_entries=4)
def _version(cards: tuple[tuple[str, float], ...]) -> str:
    return " ".join(f"{name} {str(read_card(MODELS_DIR / name)['weights_sha256'])[:8]}" for name, _ in cards)


def model_version() -> str:
    """What tells the shipped models from other versions: the first digits of their weights' SHA-256."""
    names = ("dann", "lspin")
    return _version(tuple((name, (MODELS_DIR / name / "card.json").stat().st_mtime) for name in names))
