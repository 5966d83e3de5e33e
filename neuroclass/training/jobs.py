"""The queue of training runs in separate processes: start, watch, pause, resume, cancel, and find again by id.

Everything about a run lies in its folder, so that any session of any server sees the same. So many run at once; the
others wait, and the next is that of the visitor who has had the fewest turns lately.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from neuroclass.config import PROJECT_DIR
from neuroclass.errors import SettingsError
from neuroclass.io.atomic import write_atomically
from neuroclass.io.quotas import DAY_S, quotas
from neuroclass.library.entry import hidden
from neuroclass.training import runs
from neuroclass.training.job import RESUMABLE, UNDER_WAY, Job, State, number, tail
from neuroclass.training.processes import end, is_alive, start_time
from neuroclass.training.runs import (
    RunConfig,
    create_run,
    find_run,
    is_run_id,
    mark,
    read_json,
    runs_folder,
    write_json,
)
from neuroclass.types.visitors import Owner, Right, visitor_of

MAX_RUNNING = 2
MAX_WAITING = 5
"""Runs of one visitor that may wait for their turn."""
COMMAND_LINE = "command line"
"""Owner of the runs that a terminal started."""
_LOOKED_AT = 200
_GRACE_S = 1.5
"""So long a process may take to keep its state once it is asked to end."""


@dataclass
class JobRegistry:
    """Starts runs and keeps the handles of those it started.

    Attributes
    ----------
    folder : Path
        Folder of all runs.
    """

    folder: Path = field(default_factory=runs_folder)
    _processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict, repr=False)

    def start(self, config: RunConfig, owner: Owner = "", own: bytes | None = None) -> str:
        """Queue training in a process of its own group, with low priority; it starts at once where one more may run.

        Parameters
        ----------
        config : RunConfig
            What to train.
        owner : str or Visitor
            Who starts it, and may pause and cancel it.
        own : bytes, optional
            The owner's labelled table.

        Returns
        -------
        str
            The run's id.

        Raises
        ------
        SettingsError
            If too many runs of the owner are waiting.
        QuotaError
            If they started as many within a day as the server allows.
        AccessError
            If they may not train.
        """
        who = visitor_of(owner)
        who.require(Right.TRAIN)
        with self._lock():
            self._check_waiting(who.owner)
            self._check_quota(who.owner)
            folder = create_run(config, self.folder, {"owner": hidden(who.owner)}, own, queued=True)
        self.advance()
        return folder.name

    def _enqueue(self, job_id: str, record: Mapping[str, Any], owner: Owner, files: Mapping[str, bytes] = {}) -> str:
        """Queue a command as a job with these files in its folder; it starts at once where one more may run.

        Raises
        ------
        SettingsError
            If too many jobs of the owner are waiting.
        QuotaError
            If they started as many within a day as the server allows.
        AccessError
            If they may not train.
        """
        who = visitor_of(owner)
        who.require(Right.TRAIN)
        folder = self.folder / job_id
        with self._lock():
            self._check_waiting(who.owner)
            self._check_quota(who.owner)
            folder.mkdir(parents=True)
            for name, content in files.items():
                write_atomically(folder / name, content)
            mark(folder, add=runs.QUEUED)
            write_json(folder / runs.JOB, {**record, "owner": hidden(who.owner), "queued": time.time()})
        self.advance()
        return job_id

    def resume(self, job_id: str, owner: Owner = "", shared: bool = False) -> None:
        """Queue a run again that was paused, interrupted, cancelled or failed; it continues from its kept state.

        Raises
        ------
        SettingsError
            If there is no such run, it is another visitor's, it is under way or done, or too many are waiting.
        """
        job = self._own(job_id, owner, shared, "resume")
        with self._lock():
            if self.look(job_id).state not in RESUMABLE:
                raise SettingsError(
                    f"{job_id} is {self.look(job_id).state.value}; only a run that was paused, interrupted or "
                    "cancelled, or that failed, can be resumed. Start a new one."
                )
            self._check_waiting(visitor_of(owner).owner)
            write_json(job.folder / runs.JOB, self._record(job_id) | {"queued": time.time()})
            mark(job.folder, add=runs.QUEUED, remove=(runs.PAUSED, runs.CANCELLED, runs.FAILED))
        self.advance()

    def pause(self, job_id: str, owner: Owner = "", shared: bool = False) -> None:
        """End a run for now; it keeps its state. A waiting run leaves the queue.

        Raises
        ------
        SettingsError
            If there is no such run, or another visitor started it.
        """
        self._end(self._own(job_id, owner, shared, "pause"), runs.PAUSED)

    def cancel(self, job_id: str, owner: Owner = "", shared: bool = False) -> None:
        """End a running run and everything it started, or take a waiting one from the queue.

        Parameters
        ----------
        job_id : str
            The run.
        owner : str or Visitor
            Who cancels it.
        shared : bool
            Whether everyone may cancel every run.

        Raises
        ------
        SettingsError
            If there is no run of that id, or another visitor started it.
        """
        self._end(self._own(job_id, owner, shared, "cancel"), runs.CANCELLED)

    def _own(self, job_id: str, owner: Owner, shared: bool, deed: str) -> Job:
        job, who = self.look(job_id), visitor_of(owner, shared)
        who.require(Right.TRAIN)
        if not job.controlled_by(who):
            raise SettingsError(f"Another visitor started this training run; only they can {deed} it.")
        return job

    def _end(self, job: Job, why: str) -> None:
        with self._lock():
            state = self.look(job.id).state
            if state in UNDER_WAY:
                mark(job.folder, add=why, remove=(runs.QUEUED,))
        if state is not State.RUNNING:
            return
        pid = int(self._record(job.id)["pid"])
        end(pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        while self._alive(job.id, job.folder) and time.monotonic() < deadline:
            time.sleep(0.05)
        if self._alive(job.id, job.folder):
            end(pid, signal.SIGKILL)

    def _check_waiting(self, owner: str) -> None:
        waiting = [one for one in self._waiting() if self._record(one).get("owner") == hidden(owner)]
        if len(waiting) >= MAX_WAITING:
            raise SettingsError(f"{len(waiting)} of your training runs are waiting. Wait for them or cancel one.")

    def _check_quota(self, owner: str) -> None:
        """Count the runs that an owner started within a day, those that have ended too."""
        since, records = time.time() - DAY_S, map(self._record, self._names())
        mine = [one for one in records if one.get("owner") == hidden(owner) and number(one.get("queued")) > since]
        quotas().check_runs(len(mine))

    def advance(self) -> None:
        """Start as many waiting runs as may run."""
        if not self._waiting():
            return
        with self._lock():
            while waiting := self._waiting():
                records = {name: self._record(name) for name in self._names()[:_LOOKED_AT]}
                running = [name for name, record in records.items() if self._runs(name, record)]
                if len(running) >= MAX_RUNNING:
                    return
                self._launch(min(waiting, key=lambda name: self._turn(name, records, running)))

    def _turn(
        self, job_id: str, records: dict[str, dict[str, Any]], running: Sequence[str]
    ) -> tuple[int, float, float, str]:
        """Sorts waiting runs: how many its owner has under way, when the owner last had a turn, how long it waits."""
        own = self._record(job_id)
        theirs = {name: record for name, record in records.items() if record.get("owner") == own.get("owner")}
        turns = [number(record.get("started")) for record in theirs.values()]
        return sum(name in theirs for name in running), max(turns, default=0.0), number(own.get("queued")), job_id

    def _launch(self, job_id: str) -> None:
        folder, record = self.folder / job_id, self._record(job_id)
        own = [str(word) for word in record.get("command", ())]
        command = own or [sys.executable, "-m", "neuroclass", "train", "--resume", str(folder), "--json"]
        answer = folder / runs.RESULT if own else Path(os.devnull)  # a run writes its result itself, as a whole
        try:
            with answer.open("wb") as out, (folder / runs.MESSAGES).open("ab") as messages:
                process = subprocess.Popen(
                    ["nice", "-n", "10", *command] if os.name == "posix" else command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=messages,
                    cwd=PROJECT_DIR,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                    start_new_session=True,
                )
            record |= {"pid": process.pid, "started": start_time(process.pid)}
            write_json(folder / runs.JOB, record)
            self._processes[job_id] = process
            threading.Thread(target=self._follow, args=(process,), daemon=True).start()
        finally:
            mark(folder, remove=(runs.QUEUED,))

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        with suppress(OSError):
            self.advance()

    def _lock(self) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / "lock")

    def _waiting(self) -> list[str]:
        queued = (path.parent for path in self.folder.glob(f"*/{runs.QUEUED}"))
        return sorted(one.name for one in queued if is_run_id(one.name) and (one / runs.JOB).is_file())

    def _names(self) -> list[str]:
        """All runs, newest first."""
        if not self.folder.is_dir():
            return []
        return sorted((p.name for p in self.folder.iterdir() if is_run_id(p.name)), reverse=True)

    def _record(self, job_id: str) -> dict[str, Any]:
        return read_json(self.folder / job_id / runs.JOB)

    def _runs(self, name: str, record: dict[str, Any]) -> bool:
        return bool(record) and self._state(name, self.folder / name, record) is State.RUNNING

    def look(self, job_id: str) -> Job:
        """Take a snapshot of a run.

        Raises
        ------
        SettingsError
            If there is no run of that id.
        """
        if not is_run_id(job_id):
            raise SettingsError("There is no training run of that id here. Start one, or pick one from the list.")
        folder = find_run(job_id, self.folder)
        record = read_json(folder / runs.JOB)
        status = read_json(folder / runs.STATUS)
        for name in ("epoch", "of", "seconds", "left_s"):
            if name in status and not number(status[name]):
                del status[name]
        epochs = read_json(folder / runs.HISTORY).get("epochs")
        state = self._state(job_id, folder, record)
        return Job(
            id=job_id,
            model=str(record.get("model", "-".join(job_id.split("-")[2:-1]))),
            state=state,
            status=status,
            history=tuple(one for one in epochs if isinstance(one, dict)) if isinstance(epochs, list) else (),
            config=read_json(folder / runs.CONFIG),
            result=read_json(folder / runs.RESULT) if state is State.DONE else {},
            metrics=read_json(folder / runs.METRICS),
            message=tail(folder / runs.MESSAGES),
            folder=folder,
            owner=str(record.get("owner", "")),
        )

    def recent(self, limit: int = 10) -> list[Job]:
        """The latest runs, newest first."""
        self.advance()
        return [self.look(name) for name in self._names()[:limit] if (self.folder / name / runs.JOB).is_file()]

    def _alive(self, job_id: str, folder: Path) -> bool:
        record = read_json(folder / runs.JOB)
        process = self._processes.get(job_id)
        if process is not None and process.pid == record.get("pid"):
            return process.poll() is None
        return is_alive(int(number(record.get("pid"), -1)), number(record.get("started")))

    def _state(self, job_id: str, folder: Path, record: dict[str, Any]) -> State:
        if record and self._alive(job_id, folder):
            return State.RUNNING
        if read_json(folder / runs.RESULT):
            return State.DONE
        for name, state in ((runs.CANCELLED, State.CANCELLED), (runs.QUEUED, State.QUEUED)):
            if (folder / name).exists():
                return state
        if (folder / runs.FAILED).exists() or not read_json(folder / runs.CONFIG):
            return State.FAILED
        return State.PAUSED if (folder / runs.PAUSED).exists() else State.INTERRUPTED
