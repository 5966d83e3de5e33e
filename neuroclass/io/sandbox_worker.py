"""The parser process: reads requests from its input, writes recordings and tables to its output.

It gives up what parsing does not need, see `confinement`, keeps to each file's memory limit, and ends when its parent
does, or when a request takes longer than the parent waits.
"""

import json
import os
import resource
import signal
import struct
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import NeuroClassError, RecordingError, describe
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.confinement import confine
from neuroclass.io.nwb_sweeps import stored_sweeps
from neuroclass.io.ranged_reader import RangedReader, Runs
from neuroclass.io.recordings import parse, parse_nwb
from neuroclass.io.table_columns import TableLimits
from neuroclass.io.table_readers import Wanted, column_names, read_table, sheet_names
from neuroclass.io.tasks import COLUMNS, RECORDINGS, REMOTE_RECORDINGS, REMOTE_SWEEPS, SHEETS, TABLE

Reply: TypeAlias = tuple[dict[str, Any], Iterable[bytes | memoryview]]


_NEW = 150_000_000
_LOOK_S = 1.0


def main() -> None:
    """Serve requests until the input ends."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # a reader that prints would garble the output
    tempfile.gettempdir()  # looks for a folder by writing into it, which is about to be forbidden
    confine()
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, request["at_most_s"])  # the kernel ends it, whatever the parser does
        _answer(out, request)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end_with(parent: int) -> None:
    """End in the middle of a file when the process that asked for it is gone."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


def _answer(out: BinaryIO, request: dict[str, Any]) -> None:
    # What libraries reserved for earlier files is not this one's.
    wanted = _reserved() + request["limits"]["memory"]
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))
    try:
        remote = _REMOTE_TASKS.get(request["task"])
        header, buffers = remote(request, _opened(out, request)) if remote else _TASKS[request["task"]](request)
    except NeuroClassError as error:
        header, buffers = (
            {"error": {**describe(error), "found": _found(error), "words": getattr(error, "words", "")}},
            [],
        )
    _write_header(out, header)
    for buffer in buffers:
        _write(out, buffer)


def _write_header(out: BinaryIO, header: dict[str, Any]) -> None:
    text = json.dumps(header).encode()
    _write(out, struct.pack("<Q", len(text)) + text)


def _opened(out: BinaryIO, request: dict[str, Any]) -> RangedReader:
    """The file of a remote task; what is missing of it the parent fetches."""

    def fetch(start: int, stop: int) -> Runs:
        _write_header(out, {"need": [start, stop]})
        answer: dict[str, Runs] = json.loads(sys.stdin.buffer.readline())
        return answer["have"]

    return RangedReader(Path(request["path"]), request["size"], request["block"], request["present"], fetch)


def _found(error: NeuroClassError) -> str:
    return error.found if isinstance(error, RecordingError) else error.plain


def _reserved() -> int:
    """Address space of this process, bytes, beyond that of a new one; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return max(0, pages * resource.getpagesize() - _NEW)


def _recordings(request: dict[str, Any]) -> Reply:
    limits = ReadLimits(**request["limits"])
    return _samples(parse(Path(request["path"]), request["name"], ChannelMapping(**request["mapping"]), limits))


def _remote_recordings(request: dict[str, Any], file: RangedReader) -> Reply:
    with file:
        return _samples(parse_nwb(file, request["name"], ReadLimits(**request["limits"])))


def _remote_sweeps(request: dict[str, Any], file: RangedReader) -> Reply:
    with file:
        return stored_sweeps(file, request["name"], ReadLimits(**request["limits"])), ()


def _samples(recordings: tuple[Recording, ...]) -> Reply:
    sweeps = (sweep for recording in recordings for sweep in recording.sweeps)
    buffers = (samples.data.cast("B") for sweep in sweeps for samples in (sweep.v_mv, sweep.i_pa))
    return {"recordings": [_describe(r) for r in recordings]}, buffers


def _table(request: dict[str, Any]) -> Reply:
    table = read_table(
        Path(request["path"]), request["name"], Wanted(**request["wanted"]), TableLimits(**request["limits"])
    )
    header = {
        "n_rows": len(table.rows),
        "numbers": list(table.numbers),
        "unread": {name: list(column.unread.items()) for name, column in table.numbers.items()},
        "texts": {name: list(column.distinct) for name, column in table.texts.items()},
        "names": [name[:60] for name in table.names],
        "notes": table.notes,
    }
    numbers, texts = table.numbers.values(), table.texts.values()
    columns: list[array[Any]] = [table.rows, *(one.values for one in numbers), *(one.codes for one in texts)]
    return header, (memoryview(column).cast("B") for column in columns)


def _columns(request: dict[str, Any]) -> Reply:
    return {"columns": column_names(Path(request["path"]))}, ()


def _sheets(request: dict[str, Any]) -> Reply:
    return {"sheets": sheet_names(Path(request["path"]), request["name"], TableLimits(**request["limits"]))}, ()


_TASKS: dict[str, Callable[[dict[str, Any]], Reply]] = {
    RECORDINGS: _recordings,
    TABLE: _table,
    COLUMNS: _columns,
    SHEETS: _sheets,
}
_REMOTE_TASKS: dict[str, Callable[[dict[str, Any], RangedReader], Reply]] = {
    REMOTE_SWEEPS: _remote_sweeps,
    REMOTE_RECORDINGS: _remote_recordings,
}


def _write(out: BinaryIO, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view.nbytes:
        view = view[out.write(view) :]


def _describe(recording: Recording) -> dict[str, Any]:
    return {
        "source": recording.source,
        "cell": recording.cell,
        "warnings": recording.warnings,
        "metadata": dict(recording.metadata),
        "format": recording.format,
        "sweeps": [
            {
                "number": s.number,
                "n_times": s.n_times,
                "rate_hz": s.rate_hz,
                "clamp_mode": s.clamp_mode.value,
                "stimulus_name": s.stimulus_name,
                "recorded_current": s.recorded_current,
                "notes": s.notes,
                "began_s": s.began_s,
            }
            for s in recording.sweeps
        ],
    }


if __name__ == "__main__":
    main()
