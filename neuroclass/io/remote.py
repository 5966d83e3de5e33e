"""Read NWB files over HTTP ranges: the parser process, which has no network, asks this one for bytes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import RecordingError
from neuroclass.io.range_file import BLOCK, RangeFile
from neuroclass.io.sandbox import Receive, ask, recordings_decoder
from neuroclass.io.tasks import REMOTE_RECORDINGS, REMOTE_SWEEPS


@dataclass(frozen=True)
class SweepTable:
    """The sweeps of a remote file.

    Attributes
    ----------
    sweeps : tuple of mapping
        See `neuroclass.io.nwb_sweeps.stored_sweeps`.
    needed : int
        Bytes that the current-clamp sweeps and their stimuli take in the file.
    subject : mapping of str to str
        Of the animal or donor: ``subject_id``, ``species``, ``age``, ``sex``, as far as the file tells.
    transferred : int
        Bytes that came over the network so far.
    """

    sweeps: tuple[Mapping[str, Any], ...]
    needed: int
    subject: Mapping[str, str]
    transferred: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**vars(self), "sweeps": [dict(sweep) for sweep in self.sweeps], "subject": dict(self.subject)}


def sweep_table(file: RangeFile, limits: ReadLimits = ReadLimits()) -> SweepTable:
    """List the sweeps of a remote file; only its metadata are fetched.

    Raises
    ------
    RecordingError
        It is no NWB file, damaged or unsafe.
    FetchError
        It cannot be fetched.
    """

    def decode(header: dict[str, Any], _: Receive) -> SweepTable:
        subject = {str(key): str(value) for key, value in header["subject"].items()}
        return SweepTable(tuple(header["sweeps"]), int(header["needed"]), subject, file.transferred)

    request = _request(REMOTE_SWEEPS, file, limits)
    return ask(request, file.name, limits.seconds_for(file.size), decode, RecordingError, file.ensure)


def remote_recordings(file: RangeFile, limits: ReadLimits = ReadLimits()) -> tuple[Recording, ...]:
    """Read the current-clamp sweeps of a remote file; only they and the metadata are fetched.

    Raises
    ------
    RecordingError, FetchError
        As `sweep_table`, and as `neuroclass.io.recordings.read_recordings`.
    """
    request = {**_request(REMOTE_RECORDINGS, file, limits), "name": file.name.rsplit("/", 1)[-1]}
    seconds = limits.seconds_for(file.size)
    return ask(request, file.name, seconds, recordings_decoder(limits), RecordingError, file.ensure)


def _request(task: str, file: RangeFile, limits: ReadLimits) -> dict[str, Any]:
    size = file.size
    return {
        "task": task,
        "path": str(file.path.absolute()),
        "size": size,
        "block": BLOCK,
        "present": file.present,
        "name": file.name,
        "limits": {**asdict(limits), "bytes": limits.bytes_for(size), "memory": limits.memory_for(size)},
    }
