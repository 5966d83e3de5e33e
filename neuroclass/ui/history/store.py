"""The server's history: location, retention and model version."""

import atexit
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from platformdirs import user_data_dir

from neuroclass.config import CACHE_VARIABLE, cache_folder
from neuroclass.errors import HistoryError, SettingsError
from neuroclass.io.history import History
from neuroclass.io.history_database import PAUSE_S
from neuroclass.io.spool import Spool

HISTORY_VARIABLE = "NEUROCLASS_HISTORY"
SHARED_VARIABLE = "NEUROCLASS_HISTORY_SHARED"
DAYS_VARIABLE = "NEUROCLASS_HISTORY_DAYS"
DEFAULT_DAYS = 90
MAX_BYTES = 20_000_000_000
PRUNE_EVERY_S = 3600.0
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
            f"{self.days} days after they were last opened, or when you delete them on the History page; where all "
            f"files together exceed {MAX_BYTES / 1e9:.0f} GB, the recordings that were longest not used go earlier."
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
def _spool(where: Place) -> tuple[Spool, str]:
    """The folder of uploads, or a temporary one and what is wrong with the configured one."""
    try:
        spool = Spool(where.folder)
        with spool.workplace():
            return spool, ""
    except OSError as error:
        return Spool(_temporary_folder()), (
            f"The folder {where.folder} cannot be written ({error.strerror or error}): uploads go when the server "
            f"stops. Set {HISTORY_VARIABLE} to a folder that can be written."
        )


class _Opened:
    """A history, opened when it can be, and pruned now and then.

    Parameters
    ----------
    where : Place
        Its location.
    """

    def __init__(self, where: Place) -> None:
        self._where, self._lock = where, threading.Lock()
        self._history: History | None = None
        self._wait_until, self._trouble, self._prune_at = 0.0, "", 0.0

    def get(self) -> History:
        """The history; raises HistoryError while its database cannot be opened, and tries again after some seconds."""
        with self._lock:
            now = time.monotonic()
            if self._history is None:
                if now < self._wait_until:
                    raise HistoryError(self._trouble)
                try:
                    self._history = History(self._where.url, spool(), self._where.shared)
                except HistoryError as error:
                    self._wait_until, self._trouble = time.monotonic() + PAUSE_S, str(error)
                    raise
            due = self._where.days > 0 and now >= self._prune_at
            self._prune_at = now + PRUNE_EVERY_S if due else self._prune_at
            opened = self._history
        if due:
            with suppress(HistoryError, OSError):
                opened.prune(self._where.days, MAX_BYTES)
        return opened


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(where: Place) -> _Opened:
    return _Opened(where)


def spool() -> Spool:
    """The folder of uploads; a temporary one if the configured location cannot be written."""
    return _spool(place())[0]


def history() -> History:
    """Open the history.

    Raises
    ------
    HistoryError
        If its database cannot be used now.
    """
    return _opened(place()).get()


def retention_notice() -> str:
    """Describe where uploads are stored and for how long, and any problem with the configured location."""
    where, (_, trouble) = place(), _spool(place())
    if trouble:
        return trouble
    try:
        history()
    except HistoryError as error:
        return f"{where.retention_notice()} {error}"
    return where.retention_notice()


def lasts() -> bool:
    """Whether the history outlives the server."""
    return place().days > 0 and not _spool(place())[1]
