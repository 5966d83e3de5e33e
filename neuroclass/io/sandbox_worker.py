"""The parser process: reads requests from its input, writes recordings to its output.

It gives up what parsing does not need, see `confinement`, keeps to each file's memory limit, and ends when its parent
does.
"""

import json
import os
import resource
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import NeuroClassError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.confinement import confine
from neuroclass.io.recordings import parse


def main() -> None:
    """Serve requests until the input ends."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # a reader that prints would garble the output
    tempfile.gettempdir()  # looks for a folder by writing into it, which is about to be forbidden
    confine()
    for line in sys.stdin.buffer:
        _answer(out, json.loads(line))


def _answer(out: BinaryIO, request: dict[str, Any]) -> None:
    limits = ReadLimits(**request["limits"])
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory if hard < 0 else min(limits.memory, hard), hard))
    try:
        recordings = parse(Path(request["path"]), request["name"], ChannelMapping(**request["mapping"]), limits)
        header: dict[str, Any] = {"recordings": [_describe(r) for r in recordings]}
    except NeuroClassError as error:
        recordings, header = (), {"error": {"type": error.kind, "message": str(error)}}
    text = json.dumps(header).encode()
    _write(out, struct.pack("<Q", len(text)) + text)
    for recording in recordings:
        for sweep in recording.sweeps:
            _write(out, sweep.v_mv.data.cast("B"))
            _write(out, sweep.i_pa.data.cast("B"))


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
            }
            for s in recording.sweeps
        ],
    }


if __name__ == "__main__":
    main()
