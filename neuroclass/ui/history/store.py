"""The server's history: location, retention and model version."""

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
    """Location of the history.

    Attributes
    ----------
    url : str
        URL of the database.
    folder : Path
        Folder of uploaded files.
    days : int
        Days an unopened entry is kept; 0 if nothing outlives the server.
    shared : bool
        Whether every visitor sees all entries.
    """

    url: str
    folder: Path
    days: int = DEFAULT_DAYS
    shared: bool = False

    def retention_notice(self) -> str:
        """Describe where uploads are stored and for how long."""
        if not self.days:
            return "Uploads stay on the machine that runs NeuroClass, in a temporary folder that goes when it stops."
        seen = "everyone who reaches this server sees them" if self.shared else "only this browser sees them"
        database = "" if self.url.startswith("sqlite") else " and, without the recordings, in the lab's database"
        return (
            f"Uploads stay on the machine that runs NeuroClass, in {self.folder}{database}; {seen}. They go "
            f"{self.days} days after they were last opened, or when you delete them on the History page."
        )


def place() -> Place:
    """Location set by ``NEUROCLASS_HISTORY``: a folder, a database URL or ``off``; else the user's data folder."""
    value = os.environ.get(HISTORY_VARIABLE, "").strip()
    shared = os.environ.get(SHARED_VARIABLE, "").strip().lower() in ("1", "yes", "true", "on")
    if value.lower() in _OFF:
        return Place("sqlite://", _temporary_folder(), 0)
    if os.environ.get(CACHE_VARIABLE, "").strip():
        folder = cache_folder() / "history"
    else:
        folder = Path(user_data_dir("neuroclass", appauthor=False)) / "history"
    if "://" in value:
        return Place(value, folder / "files", _days(), shared)
    folder = Path(value).expanduser() if value else folder
    return Place(f"sqlite:///{folder / 'history.sqlite'}", folder / "files", _days(), shared)


def _days() -> int:
    value = os.environ.get(DAYS_VARIABLE, "").strip() or str(DEFAULT_DAYS)
    if not value.isdigit() or int(value) < 1:
        raise SettingsError(f"{DAYS_VARIABLE} is {value!r}; expected a whole number of days, 1 or more.")
    return int(value)


@st.cache_resource
def _temporary_folder() -> Path:
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
        temporary = Place("sqlite://", _temporary_folder(), 0)
        return History(temporary.url, Spool(temporary.folder)), temporary, str(error)


def history() -> History:
    """Open the history; a temporary one if the configured location cannot be written."""
    return _open(place())[0]


def retention_notice() -> str:
    """Describe where uploads are stored and for how long, and any problem with the configured location."""
    _, where, trouble = _open(place())
    return f"{where.retention_notice()} {trouble}".strip()


def lasts() -> bool:
    """Whether the history outlives the server."""
    return _open(place())[1].days > 0


@st.cache_data(show_spinner=False, max_entries=4)
def _version(cards: tuple[tuple[str, float], ...]) -> str:
    return " ".join(f"{name} {str(read_card(MODELS_DIR / name)['weights_sha256'])[:8]}" for name, _ in cards)


def model_version() -> str:
    """Version of the shipped models: the first digits of their weights' SHA-256."""
    names = ("dann", "lspin")
    return _version(tuple((name, (MODELS_DIR / name / "card.json").stat().st_mtime) for name in names))
