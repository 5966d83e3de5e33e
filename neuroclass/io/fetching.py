"""Fetch recordings in the background: start, watch, cancel and resume."""

import contextlib
import json
import threading
from dataclasses import dataclass, replace
from enum import StrEnum

from neuroclass.config import AllenSettings, allen_settings
from neuroclass.errors import NeuroClassError, SettingsError
from neuroclass.io.allen import PARTIAL_FOLDER, AllenCache, fetch_nwb
from neuroclass.io.download import FetchCancelled
from neuroclass.types.progress import Progress

MAX_RUNNING = 2
LIMIT_FILE = "limit.json"
GIGABYTE = 1_000_000_000


class FetchState(StrEnum):
    """State of a fetch."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Fetch:
    """Snapshot of one fetch.

    Attributes
    ----------
    state : FetchState
        Its state.
    done_bytes : int
        Bytes downloaded.
    total_bytes : int or None
        Total bytes; None if the server does not say.
    message : str
        Reason of a failure.
    """

    state: FetchState
    done_bytes: int = 0
    total_bytes: int | None = None
    message: str = ""


class Fetches:
    """Background fetches, shared by all sessions of a server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fetches: dict[str, Fetch] = {}
        self._stop: dict[str, threading.Event] = {}

    def start(self, cache: AllenCache, specimen: str, settings: AllenSettings | None = None) -> None:
        """Fetch a recording in a thread, resuming an earlier attempt if the server can.

        Raises
        ------
        SettingsError
            If too many fetches are running.
        """
        with self._lock:
            running = [name for name, one in self._fetches.items() if one.state is FetchState.RUNNING]
            if specimen in running:
                return
            if len(running) >= MAX_RUNNING:
                raise SettingsError(
                    f"{len(running)} recordings are being fetched, the most at once. Wait or cancel one."
                )
            self._fetches[specimen] = Fetch(FetchState.RUNNING)
            stop = self._stop[specimen] = threading.Event()
        settings = settings or replace(allen_settings(), cache_limit_bytes=cache_limit(cache))
        threading.Thread(
            target=self._run, args=(cache, specimen, settings, stop), name=f"fetch-{specimen}", daemon=True
        ).start()

    def look(self, specimen: str) -> Fetch | None:
        """Snapshot of a fetch; None if there was none."""
        with self._lock:
            return self._fetches.get(specimen)

    def cancel(self, specimen: str) -> None:
        """Stop a fetch at its next chunk; the part so far is kept if the server can resume."""
        with self._lock:
            if specimen in self._stop:
                self._stop[specimen].set()

    def _run(self, cache: AllenCache, specimen: str, settings: AllenSettings, stop: threading.Event) -> None:
        def note(progress: Progress) -> None:
            with self._lock:
                self._fetches[specimen] = Fetch(FetchState.RUNNING, progress.done, progress.total)

        try:
            fetch_nwb(cache, specimen, settings, note, stop.is_set)
            end, message = FetchState.DONE, ""
        except FetchCancelled:
            end, message = FetchState.CANCELLED, ""
        except NeuroClassError as error:
            end, message = FetchState.FAILED, str(error)
        except Exception as error:  # a thread can only report through its record
            end, message = FetchState.FAILED, f"{type(error).__name__}: {error}"
        with self._lock:
            self._fetches[specimen] = replace(self._fetches[specimen], state=end, message=message)


def partial_bytes(cache: AllenCache, specimen: str) -> int:
    """Bytes of an interrupted download that can be resumed."""
    part = cache.folder / PARTIAL_FOLDER / f"{cache.nwb_path(specimen).parent.name}-ephys.nwb.part"
    return part.stat().st_size if part.is_file() and part.with_suffix(".etag").is_file() else 0


def cache_limit(cache: AllenCache) -> int:
    """Maximum size of the cached recordings, bytes: as set by the user, else the default."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        stored = json.loads((cache.folder / LIMIT_FILE).read_text(encoding="utf-8")).get("limit_bytes")
        if isinstance(stored, int) and stored >= 0:
            return stored
    return AllenSettings().cache_limit_bytes


def set_cache_limit(cache: AllenCache, limit_bytes: int) -> tuple[str, ...]:
    """Set the cache limit and delete the least recently used recordings beyond it.

    Returns
    -------
    tuple of str
        Specimens whose recordings were deleted.

    Raises
    ------
    SettingsError
        If the limit is negative or the folder cannot be written.
    """
    AllenSettings(cache_limit_bytes=limit_bytes)
    try:
        cache.folder.mkdir(parents=True, exist_ok=True)
        (cache.folder / LIMIT_FILE).write_text(json.dumps({"limit_bytes": limit_bytes}), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{cache.folder} cannot be written ({error}). Set NEUROCLASS_CACHE to another folder."
        ) from error
    return cache.trim(limit_bytes)
