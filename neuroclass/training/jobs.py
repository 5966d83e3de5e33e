"""Training runs in separate processes: queue, start, watch, cancel, and find again by id.

Everything about a job lies in its folder, so that any session of any server sees the same. So many run at once; the
others wait, and the next is that of the visitor who has had the fewest turns lately.
"""

import hashlib
import json
import math
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from neuroclass.config import PROJECT_DIR, cache_folder
from neuroclass.errors import SettingsError
from neuroclass.io.atomic import write_atomically
from neuroclass.types.models import MODELS

MAX_RUNNING = 2
MAX_WAITING = 5
"""Runs of one visitor that may wait for their turn."""
_LOOKED_AT = 200
_QUEUED, _CANCELLED = "queued", "cancelled"
SAME_START_S = 2.0
"""Start times of one process may differ so far, s, where the system's clock was set in between."""
_NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z]{4,5}-[0-9a-f]{6}")


class State(StrEnum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Job:
    """Snapshot of one training run.

    Attributes
    ----------
    id : str
        Names the job's folder.
    model : str
        ``dann`` or ``lspin``.
    state : State
        What has become of it.
    status : mapping
        The last status its process wrote: epoch, of, and its quantities.
    history : tuple of dict
        Epoch, of and losses of every epoch so far.
    result : dict
        What the process printed; empty until it is done.
    message : str
        Last lines of the process' messages.
    folder : Path
        Where the job's files and the trained model are.
    owner : str
        Hash of who started it; empty if it was nobody in particular.
    """

    id: str
    model: str
    state: State
    status: dict[str, Any]
    history: tuple[dict[str, Any], ...]
    result: dict[str, Any]
    message: str
    folder: Path
    owner: str = ""

    def belongs_to(self, owner: str) -> bool:
        """Whether a visitor started it, or nobody in particular did."""
        return self.owner in ("", _hidden(owner))


@dataclass
class JobRegistry:
    """Starts jobs and keeps the handles of those it started.

    Attributes
    ----------
    folder : Path
        Folder of all jobs.
    """

    folder: Path = field(default_factory=lambda: cache_folder() / "jobs")
    _processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict, repr=False)

    def start(self, model: str, arguments: Sequence[str] = (), owner: str = "") -> str:
        """Queue training in a process of its own group, with low priority; it starts at once where one more may run.

        Parameters
        ----------
        model : str
            ``dann`` or ``lspin``.
        arguments : sequence of str
            Further arguments of ``python -m neuroclass train``.
        owner : str
            Who starts it, and may cancel it.

        Returns
        -------
        str
            The job's id.

        Raises
        ------
        SettingsError
            If the model is unknown or too many jobs of the owner are waiting.
        """
        if model not in MODELS:
            raise SettingsError(f"There is no model {model}; expected one of {', '.join(MODELS)}.")
        job_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{model}-{secrets.token_hex(3)}"
        folder = self.folder / job_id
        command = [sys.executable, "-m", "neuroclass", "train", model, "--json", "--out", str(folder / "model")]
        command += ["--status", str(folder / "status.json"), *arguments]
        record = {"model": model, "command": command, "owner": _hidden(owner), "queued": time.time()}
        with self._lock():
            waiting = [one for one in self._waiting() if self._record(one).get("owner") == _hidden(owner)]
            if len(waiting) >= MAX_WAITING:
                raise SettingsError(f"{len(waiting)} of your training runs are waiting. Wait for them or cancel one.")
            folder.mkdir(parents=True)
            (folder / _QUEUED).touch()
            write_atomically(folder / "job.json", json.dumps(record).encode())
        self.advance()
        return job_id

    def advance(self) -> None:
        """Start as many waiting jobs as may run."""
        if not self._waiting():
            return
        with self._lock():
            while waiting := self._waiting():
                records = {name: self._record(name) for name in self._names()[:_LOOKED_AT]}
                running = [name for name, record in records.items() if self._runs(name, record)]
                if len(running) >= MAX_RUNNING:
                    return
                self._launch(min(waiting, key=lambda name: self._turn(name, records, running)))

    def _turn(self, job_id: str, records: dict[str, dict[str, Any]], running: Sequence[str]) -> tuple[int, float, str]:
        """Sorts waiting jobs: runs that its owner has under way, when the owner last had a turn, its own number."""
        owner = self._record(job_id).get("owner")
        theirs = {name: record for name, record in records.items() if record.get("owner") == owner}
        turns = [_number(record.get("started")) for record in theirs.values()]
        return sum(name in theirs for name in running), max(turns, default=0.0), job_id

    def _launch(self, job_id: str) -> None:
        folder, record = self.folder / job_id, self._record(job_id)
        command = [str(word) for word in record.get("command", ())]
        try:
            with (folder / "result.json").open("wb") as out, (folder / "messages.txt").open("wb") as messages:
                process = subprocess.Popen(
                    ["nice", "-n", "10", *command] if os.name == "posix" else command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=messages,
                    cwd=PROJECT_DIR,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                    start_new_session=True,
                )
            record |= {"pid": process.pid, "started": _start_time(process.pid)}
            write_atomically(folder / "job.json", json.dumps(record).encode())
            self._processes[job_id] = process
            threading.Thread(target=self._follow, args=(process,), daemon=True).start()
        finally:
            (folder / _QUEUED).unlink(missing_ok=True)

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        with suppress(OSError):
            self.advance()

    def _lock(self) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / "lock")

    def _waiting(self) -> list[str]:
        return sorted(path.parent.name for path in self.folder.glob(f"*/{_QUEUED}") if _NAME.fullmatch(path.parent.name)
                      and (path.parent / "job.json").is_file())  # fmt: skip

    def _names(self) -> list[str]:
        """All jobs, newest first."""
        if not self.folder.is_dir():
            return []
        return sorted((p.name for p in self.folder.iterdir() if _NAME.fullmatch(p.name)), reverse=True)

    def _record(self, job_id: str) -> dict[str, Any]:
        return _read_json(self.folder / job_id / "job.json")

    def _runs(self, job_id: str, record: dict[str, Any]) -> bool:
        return bool(record) and self._state(job_id, self.folder / job_id, record) is State.RUNNING

    def look(self, job_id: str) -> Job:
        """Take a snapshot of a job.

        Raises
        ------
        SettingsError
            If there is no job of that id.
        """
        folder = self._folder_of(job_id)
        record = _read_json(folder / "job.json")
        status = _read_json(folder / "status.json")
        for name in ("epoch", "of", "seconds"):
            if name in status and not _number(status[name]):
                del status[name]
        epochs = status.get("history")
        history = tuple(one for one in epochs if isinstance(one, dict)) if isinstance(epochs, list) else ()
        state = self._state(job_id, folder, record)
        result = _read_json(folder / "result.json") if state is State.DONE else {}
        message = _tail(folder / "messages.txt")
        model, owner = str(record.get("model", job_id.split("-")[2])), str(record.get("owner", ""))
        return Job(job_id, model, state, status, history, result, message, folder, owner)

    def cancel(self, job_id: str, owner: str = "", shared: bool = False) -> None:
        """End a running job and everything it started, or take a waiting one from the queue.

        Parameters
        ----------
        job_id : str
            The job.
        owner : str
            Who cancels it.
        shared : bool
            Whether everyone may cancel every job.

        Raises
        ------
        SettingsError
            If there is no job of that id, or another visitor started it.
        """
        job = self.look(job_id)
        if not shared and not job.belongs_to(owner):
            raise SettingsError("Another visitor started this training run; only they can cancel it.")
        with self._lock():
            state = self.look(job_id).state
            if state in (State.QUEUED, State.RUNNING):
                (job.folder / _CANCELLED).touch()
                (job.folder / _QUEUED).unlink(missing_ok=True)
        if state is not State.RUNNING:
            return
        pid = int(self._record(job_id)["pid"])
        _end_group(pid, signal.SIGTERM)
        deadline = time.monotonic() + 1.5
        while self._alive(job_id, job.folder) and time.monotonic() < deadline:
            time.sleep(0.05)
        if self._alive(job_id, job.folder):
            _end_group(pid, signal.SIGKILL)

    def recent(self, limit: int = 10) -> list[Job]:
        """The latest jobs, newest first."""
        self.advance()
        return [self.look(name) for name in self._names()[:limit] if (self.folder / name / "job.json").is_file()]

    def _folder_of(self, job_id: str) -> Path:
        folder = self.folder / job_id
        if not _NAME.fullmatch(job_id) or not (folder / "job.json").is_file():
            raise SettingsError("There is no training run of that id here. Start one, or pick one from the list.")
        return folder

    def _alive(self, job_id: str, folder: Path) -> bool:
        process = self._processes.get(job_id)
        if process is not None:
            return process.poll() is None
        record = _read_json(folder / "job.json")
        started = _start_time(int(_number(record.get("pid"), -1)))
        return started is not None and abs(started - _number(record.get("started"))) < SAME_START_S

    def _state(self, job_id: str, folder: Path, record: dict[str, Any]) -> State:
        if record and self._alive(job_id, folder):
            return State.RUNNING
        if (folder / _CANCELLED).exists():
            return State.CANCELLED
        if (folder / _QUEUED).exists():
            return State.QUEUED
        return State.DONE if _read_json(folder / "result.json") else State.FAILED


def _start_time(pid: int) -> float | None:
    """When a process began, s since the epoch: tells it from a later one of the same id; None where it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.Error, ValueError, OverflowError):
        return None


def _hidden(owner: str) -> str:
    """Hash of an owner for the disk, so that it does not reveal the browser's secret; empty for nobody."""
    return hashlib.sha256(owner.encode()).hexdigest() if owner else ""


def _number(value: object, otherwise: float = 0.0) -> float:
    """A number from a file that may be damaged."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else otherwise  # type: ignore[arg-type]


def _end_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _tail(path: Path, n_bytes: int = 2000) -> str:
    try:
        return path.read_bytes()[-n_bytes:].decode("utf-8", "replace")
    except OSError:
        return ""
