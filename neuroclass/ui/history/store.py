"""The server's history: location, retention and model version."""

import atexit
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import streamlit as st

from neuroclass.errors import HistoryError
from neuroclass.io import history_place
from neuroclass.io.history import History
from neuroclass.io.history_database import PAUSE_S
from neuroclass.io.history_place import HISTORY_VARIABLE, MAX_BYTES, Place
from neuroclass.io.quotas import quotas
from neuroclass.io.spool import Spool

PRUNE_EVERY_S = 3600.0


def place() -> Place:
    """As `neuroclass.io.history_place.place`, with a temporary folder where nothing outlives the server."""
    where = history_place.place()
    return where if where.days else replace(where, folder=_temporary_folder())


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
                    self._history = History(self._where.url, spool(), self._where.shared, quotas())
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


def retention_notice(login: bool = False) -> str:
    """Describe for how long uploads are kept and who sees them, and any problem with the configured location."""
    where, (_, trouble) = place(), _spool(place())
    if trouble:
        return trouble
    try:
        history()
    except HistoryError as error:
        return f"{where.retention_notice(login)} {error}"
    return where.retention_notice(login)


def location() -> str:
    """Describe where uploads are stored; for whoever wants to know."""
    return place().location()


def lasts() -> bool:
    """Whether the history outlives the server."""
    return place().days > 0 and not _spool(place())[1]
