"""Parse files in a separate process, which may run out of memory or time, or crash, without harm.

Warm parser processes are pooled and handle one file at a time; each is replaced after a failure or a number
of files. Samples come back as raw numbers behind a JSON header.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np

from neuroclass import errors
from neuroclass.config import PROJECT_DIR
from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import ClampMode, Recording, Sweep
from neuroclass.errors import NeuroClassError, Proposal, RecordingError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.parser_clock import BUSY, ParserClock
from neuroclass.io.tasks import RECORDINGS
from neuroclass.types.arrays import Floats

Receive: TypeAlias = Callable[[int], bytearray]
Serve: TypeAlias = Callable[[int, int], Sequence[Sequence[int]]]
Answer = TypeVar("Answer")

_MAX_HEADER = 64_000_000
_FILES_PER_WORKER = 200
_CHUNK = 1 << 20
_AT_ONCE = max(2, os.cpu_count() or 2)
_POLL_S = 0.5
_GRACE_S = 30.0
_NETWORK_S = 3600.0


class _Worker:
    """One parsing process."""

    def __init__(self) -> None:
        paths = [str(PROJECT_DIR), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(p for p in paths if p),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "ARROW_DEFAULT_MEMORY_POOL": "system",  # gives memory back, and reserves none
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "neuroclass.io.sandbox_worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT_DIR,
            env=environment,
        )
        self.served = 0
        self.used = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, request: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(dict(request)).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self, n: int, clock: ParserClock) -> bytearray:
        """Read exactly `n` bytes; raises TimeoutError or EOFError."""
        assert self.process.stdout is not None
        pipe = self.process.stdout.fileno()
        out = bytearray(n)
        view, filled = memoryview(out), 0
        while filled < n:
            left = clock.left()
            if left <= 0:
                raise TimeoutError
            if not select.select([pipe], [], [], min(left, _POLL_S))[0]:
                continue
            part = os.read(pipe, min(_CHUNK, n - filled))
            if not part:
                raise EOFError
            view[filled : filled + len(part)] = part
            filled += len(part)
        return out

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class _Pool:
    """Warm workers of this process; a forked child creates its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._idle: list[_Worker] = []
        self._owner = os.getpid()

    @contextlib.contextmanager
    def worker(self) -> Iterator[_Worker]:
        """Wait for a worker for one file; it returns to the pool only if the file succeeded."""
        with self._lock:
            if self._owner != os.getpid():
                self._idle, self._owner = [], os.getpid()
                self._slots = threading.BoundedSemaphore(_AT_ONCE)
            slots = self._slots
        with slots:
            yield from self._one()

    def _one(self) -> Iterator[_Worker]:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is not None and not worker.alive:
            worker.close()
            worker = None
        worker = worker or _Worker()
        try:
            yield worker
        except BaseException:
            worker.close()
            raise
        worker.used = time.monotonic()
        with self._lock:
            keep = worker.served < _FILES_PER_WORKER and len(self._idle) < 2
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.close()

    def rest(self, idle_s: float) -> None:
        """End workers that read a file and were not used since, with the memory that it took."""
        oldest = time.monotonic() - idle_s
        with self._lock:
            tired = [one for one in self._idle if one.served and one.used < oldest]
            self._idle = [one for one in self._idle if one not in tired]
        for worker in tired:
            worker.close()

    def close(self) -> None:
        """End all idle workers."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._owner == os.getpid():
            for worker in idle:
                worker.close()


_pool, _remote_pool = _Pool(), _Pool()  # whoever waits for a network keeps nobody from reading files
atexit.register(_pool.close)
atexit.register(_remote_pool.close)


def warm_up() -> None:
    """Start a parsing process before the first file needs it."""
    with _pool.worker():
        pass


def rest(idle_s: float) -> None:
    """Replace the parsing processes that nobody used for some time by a fresh one."""
    before = len(_pool._idle)
    _pool.rest(idle_s)
    _remote_pool.rest(idle_s)
    if before and not _pool._idle:
        warm_up()


def parse_in_sandbox(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Parse a file in another process.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Display name.
    mapping : ChannelMapping
        Channels and units that override its header.
    limits : ReadLimits
        Limits on memory and time.

    Returns
    -------
    tuple of Recording
        One for each cell.

    Raises
    ------
    RecordingError
        The file was rejected, or parsing it exceeded a limit or crashed.
    """
    size = path.stat().st_size
    request = {
        "task": RECORDINGS,
        "path": str(path.absolute()),
        "name": name,
        "mapping": asdict(mapping),
        "limits": {**asdict(limits), "bytes": limits.bytes_for(size), "memory": limits.memory_for(size)},
    }

    return ask(request, name, limits.seconds_for(size), recordings_decoder(limits), RecordingError)


def recordings_decoder(limits: ReadLimits) -> Callable[[dict[str, Any], Receive], tuple[Recording, ...]]:
    """What makes recordings of a parser's answer, see `ask`."""

    def decode(header: dict[str, Any], receive: Receive) -> tuple[Recording, ...]:
        return _decode(header, receive, limits)

    return decode


def ask(
    request: Mapping[str, Any],
    name: str,
    seconds: float,
    decode: Callable[[dict[str, Any], Receive], Answer],
    refuse: type[NeuroClassError],
    serve: Serve | None = None,
) -> Answer:
    """Have a parsing process answer a request.

    Parameters
    ----------
    request : mapping
        What `sandbox_worker` is asked.
    name : str
        Display name of the file.
    seconds : float
        Limit on processor time, s.
    decode : callable
        Makes the answer from its header, and from a function that receives as many bytes as are asked for; raises
        ValueError or KeyError if they do not fit.
    refuse : type of NeuroClassError
        The error for a file that took too long or ended the process.
    serve : callable, optional
        Puts bytes of a remote file, from a start to a stop, where the parser can read them, and returns the runs of
        blocks that are there; its errors end the parser and are raised.

    Returns
    -------
    Whatever `decode` makes.

    Raises
    ------
    NeuroClassError
        The process rejected the file, or `refuse`.
    """
    with (_remote_pool if serve else _pool).worker() as worker:
        worker.served += 1
        clock = ParserClock(worker.process, seconds)
        try:
            worker.send({**request, "at_most_s": BUSY * seconds + _GRACE_S + (_NETWORK_S if serve else 0.0)})
            header = _header(worker, clock)
            while serve is not None and "need" in header:
                begun = time.monotonic()
                have = serve(*map(int, header["need"]))
                clock.extend(time.monotonic() - begun)
                worker.send({"have": have})
                header = _header(worker, clock)
            if "error" not in header:
                return decode(header, lambda n: worker.receive(n, clock))
        except TimeoutError:
            raise refuse(f"{name} took longer than {seconds:.0f} s to read; it is damaged or too large.") from None
        except (EOFError, BrokenPipeError, ConnectionError, ValueError, KeyError):
            raise refuse(f"{name} cannot be read: {_ending(worker)}") from None
    raise _error(header["error"], refuse)


def _header(worker: _Worker, clock: ParserClock) -> dict[str, Any]:
    (length,) = struct.unpack("<Q", worker.receive(8, clock))
    if length > _MAX_HEADER:
        raise EOFError
    header = json.loads(worker.receive(length, clock))
    if not isinstance(header, dict):
        raise ValueError(header)
    return header


def _ending(worker: _Worker) -> str:
    """Describe how a worker ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        code = worker.process.wait(timeout=1)
        if code < 0:
            return f"its parser was ended by {signal.Signals(-code).name}; the file is damaged."
    return "its parser stopped; the file is damaged or needs too much memory."


def _error(header: dict[str, Any], otherwise: type[NeuroClassError]) -> NeuroClassError:
    kind = getattr(errors, header["type"], otherwise)
    kind = kind if isinstance(kind, type) and issubclass(kind, NeuroClassError) else otherwise
    if not issubclass(kind, RecordingError):
        return kind(header["found"])
    offered = header.get("proposals", ())
    proposals = [Proposal(one["reading"], one["options"], one["assumes"]) for one in offered]
    return kind(header["found"], proposals, header["words"])


def _decode(header: dict[str, Any], receive: Receive, limits: ReadLimits) -> tuple[Recording, ...]:
    total = sum(s["n_times"] for r in header["recordings"] for s in r["sweeps"])
    if 16 * total > 2 * limits.bytes:
        raise ValueError(total)
    return tuple(
        Recording(
            r["source"],
            r["cell"],
            tuple(_decode_sweep(s, receive) for s in r["sweeps"]),
            tuple(r["warnings"]),
            r["metadata"],
            r["format"],
        )
        for r in header["recordings"]
    )


def _decode_sweep(header: dict[str, Any], receive: Receive) -> Sweep:
    def samples() -> Floats:
        return np.frombuffer(receive(8 * header["n_times"]), dtype=np.float64)

    return Sweep(
        header["number"],
        samples(),
        samples(),
        header["rate_hz"],
        ClampMode(header["clamp_mode"]),
        header["stimulus_name"],
        header["recorded_current"],
        tuple(header["notes"]),
        began_s=header["began_s"],
    )
