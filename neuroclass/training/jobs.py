"""Training runs in separate processes: start, watch, cancel, and find again by id.

Everything about a job lies in its folder, so that any session of any server sees the same.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from neuroclass.config import PROJECT_DIR, cache_folder
from neuroclass.errors import SettingsError
from neuroclass.types.models import MODELS

MAX_RUNNING = 2
SAME_START_S = 2.0
"""Start times of one process may differ so far, s, where the system's clock was set in between."""
_NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z]{4,5}-[0-9a-f]{6}")


class State(StrEnum):
    """State of a job."""

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
    """

    id: str
    model: str
    state: State
    status: dict[str, Any]
    history: tuple[dict[str, Any], ...]
    result: dict[str, Any]
    message: str
    folder: Path


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

    def start(self, model: str, arguments: Sequence[str] = ()) -> str:
        """Start training in a process of its own group, with low priority.

        Parameters
        ----------
        model : str
            ``dann`` or ``lspin``.
        arguments : sequence of str
            Further arguments of ``python -m neuroclass train``.

        Returns
        -------
        str
            The job's id.

        Raises
        ------
        SettingsError
            If the model is unknown or enough jobs are running.
        """
        if model not in MODELS:
            raise SettingsError(f"There is no model {model}; expected one of {', '.join(MODELS)}.")
        running = [job for job in self.recent() if job.state is State.RUNNING]
        if len(running) >= MAX_RUNNING:
            raise SettingsError(f"{len(running)} training runs are under way, the most at once. Wait or cancel one.")
        job_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{model}-{secrets.token_hex(3)}"
        folder = self.folder / job_id
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", "neuroclass", "train", model, "--json", "--out", str(folder / "model")]
        command += ["--status", str(folder / "status.json"), *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with (folder / "result.json").open("wb") as out, (folder / "messages.txt").open("wb") as messages:
            process = subprocess.Popen(
                ["nice", "-n", "10", *command] if os.name == "posix" else command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=messages,
                cwd=PROJECT_DIR,
                env=environment,
                start_new_session=True,
            )
        record = {"model": model, "pid": process.pid, "started": _start_time(process.pid), "command": command}
        (folder / "job.json").write_text(json.dumps(record), encoding="utf-8")
        self._processes[job_id] = process
        return job_id

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
        history = tuple(status.get("history", ()))
        state = self._state(job_id, folder, record)
        result = _read_json(folder / "result.json") if state is State.DONE else {}
        message = _tail(folder / "messages.txt")
        return Job(job_id, str(record.get("model", "")), state, status, history, result, message, folder)

    def cancel(self, job_id: str) -> None:
        """End a running job and everything it started.

        Raises
        ------
        SettingsError
            If there is no job of that id.
        """
        folder = self._folder_of(job_id)
        if self._state(job_id, folder, _read_json(folder / "job.json")) is not State.RUNNING:
            return
        (folder / "cancelled").touch()
        pid = int(_read_json(folder / "job.json")["pid"])
        _end_group(pid, signal.SIGTERM)
        deadline = time.monotonic() + 1.5
        while self._alive(job_id, folder) and time.monotonic() < deadline:
            time.sleep(0.05)
        if self._alive(job_id, folder):
            _end_group(pid, signal.SIGKILL)

    def recent(self, limit: int = 10) -> list[Job]:
        """The latest jobs, newest first."""
        if not self.folder.is_dir():
            return []
        names = sorted((p.name for p in self.folder.iterdir() if _NAME.fullmatch(p.name)), reverse=True)
        return [self.look(name) for name in names[:limit] if (self.folder / name / "job.json").is_file()]

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
        started = _start_time(int(record.get("pid", -1)))
        return started is not None and abs(started - float(record.get("started", 0.0))) < SAME_START_S

    def _state(self, job_id: str, folder: Path, record: dict[str, Any]) -> State:
        if record and self._alive(job_id, folder):
            return State.RUNNING
        if (folder / "cancelled").exists():
            return State.CANCELLED
        return State.DONE if _read_json(folder / "result.json") else State.FAILED


def _start_time(pid: int) -> float | None:
    """When a process began, s since the epoch: tells it from a later one of the same id; None where it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.Error, ValueError):
        return None


def _end_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _tail(path: Path, n_bytes: int = 2000) -> str:
    try:
        return path.read_bytes()[-n_bytes:].decode("utf-8", "replace")
    except OSError:
        return ""
