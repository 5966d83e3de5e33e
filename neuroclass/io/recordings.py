"""Read recordings of any supported format, recognised by content rather than name."""

import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import ClampModeError, NeuroClassError, RecordingError, UnitsError
from neuroclass.io.abf import abf_channels, read_abf
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.hdf5_safety import open_hdf5
from neuroclass.io.heka import read_heka
from neuroclass.io.heka_tree import EXPORT, SIGNATURES, TREES
from neuroclass.io.igor import is_igor_experiment, is_igor_wave, read_igor_experiment, read_igor_wave
from neuroclass.io.matlab import is_matlab, is_matlab_73, read_matlab, read_matlab_73
from neuroclass.io.neo_formats import HEAD, neo_format, read_with_neo, suffixed
from neuroclass.io.nwb1 import is_nwb1, nwb1_pairings, read_nwb1
from neuroclass.io.nwb2 import is_nwb2, nwb2_pairings, read_nwb2
from neuroclass.io.pairings import Pairing, pairings_of
from neuroclass.io.plausibility import tidied
from neuroclass.io.proposals import TimeLeft, noted, with_proposals
from neuroclass.io.sweep_table import PARQUET, looks_like_sweep_table, read_sweep_table, table_channels
from neuroclass.io.winwcp import is_winwcp, read_winwcp

_ABF = (b"ABF ", b"ABF2")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_SEARCH = 0.7  # of the time limit is used up when no further reading is tried
_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_KNOWN = (
    "NWB 1 or 2, ABF 1 or 2, HEKA PatchMaster, WinWCP, Igor, AxoGraph, MATLAB, Spike2, Elphy, ATF, or a CSV or "
    "Parquet table of sweeps"
)
_ELSEWHERE = {
    b"S64": "a 64-bit Spike2 file, which is not read here. In Spike2, export it to a 32-bit .smr or to MATLAB.",
    b"VER=": "a WinEDR file, which is not read here. In WinEDR, export it to ABF.",
    b"CEDFILE": "a CED Signal file, which is not read here. In Signal, export it to MATLAB.",
    b"IGOR": "an Igor text file, which is not read here. In Igor, load it and save the experiment as packed (.pxp).",
}


def read_recordings(
    path_or_bytes: str | Path | bytes,
    *,
    name: str | None = None,
    mapping: ChannelMapping | None = None,
    limits: ReadLimits = ReadLimits(),
    sandboxed: bool = True,
) -> tuple[Recording, ...]:
    """Read the current-clamp sweeps of a file, in mV and pA.

    Parameters
    ----------
    path_or_bytes : str, Path or bytes
        The file or its content.
    name : str, optional
        Display name; by default the file name.
    mapping : ChannelMapping, optional
        Channels and units that override the file's header.
    limits : ReadLimits
        Resource limits.
    sandboxed : bool
        Whether to parse in a separate process with limited memory and time.

    Returns
    -------
    tuple of Recording
        One for each cell.

    Raises
    ------
    ClampModeError
        The file is voltage clamp.
    UnitsError
        The units or channels are not plausible.
    UnsafeFileError
        The file links to other files.
    RecordingError
        The file is damaged or not a recording.
    """
    with _as_path(path_or_bytes) as path:
        shown = name or (path.name if not isinstance(path_or_bytes, bytes) else "recording")
        if not sandboxed:
            return parse(path, shown, mapping or ChannelMapping(), limits)
        from neuroclass.io.sandbox import parse_in_sandbox

        with suffixed(path) as named:
            return parse_in_sandbox(named, shown, mapping or ChannelMapping(), limits)


def parse(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read a file in this process; see `read_recordings`."""
    begun = time.process_time()
    try:
        return _read(path, name, mapping, limits)
    except (UnitsError, ClampModeError) as error:
        pairings = pairings_of(error.channels) or _pairings(path, name, limits)
        spent = time.process_time() - begun
        raise with_proposals(
            error,
            mapping,
            pairings,
            lambda tried: _dispatch(path, name, tried, limits),
            lambda tried: _accept(path, name, tried, limits),
            TimeLeft(_SEARCH * limits.seconds_for(path.stat().st_size) - spent, spent),
        ) from None


def parse_nwb(file: io.RawIOBase, name: str, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read an NWB file from a file object in this process; see `read_recordings` for what it raises."""
    with whatever_fails_refused(name, "NWB"):
        return tidied(_read_hdf5(cast(BinaryIO, file), name, ChannelMapping(), limits))


@contextmanager
def whatever_fails_refused(name: str, expected: str) -> Iterator[None]:
    """Turn whatever a reader stumbles over into a refusal in words.

    Raises
    ------
    RecordingError
        In place of an error that says nothing to a user.
    """
    try:
        yield
    except NeuroClassError:
        raise
    except MemoryError as error:
        raise RecordingError(f"{name} needs more memory than a recording may have.") from error
    except Exception as error:
        raise RecordingError(
            f"{name} cannot be read: it is damaged or of an unknown variant ({type(error).__name__}: {error}). "
            f"Expected {expected}."
        ) from error


def _read(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read a file as a user says, and check each of its cells."""
    with whatever_fails_refused(name, _KNOWN):
        recordings = _dispatch(path, name, mapping, limits)
    return tidied(noted(recordings, mapping))


def _accept(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> None:
    """Raise unless the file can be read as proposed, with a current."""
    recordings = _read(path, name, mapping, limits)
    if not any(sweep.current_known for recording in recordings for sweep in recording.sweeps):
        raise RecordingError(f"{name} has no current under this reading.")


def _pairings(path: Path, name: str, limits: ReadLimits) -> list[Pairing]:
    """Channels of a file that could be potential and current; none where its format has no names for them."""
    with suppress(Exception), path.open("rb") as file:
        head = file.read(HEAD)
        if head.startswith(_HDF5):
            with open_hdf5(path, name, limits) as hdf5:
                return nwb2_pairings(hdf5) if is_nwb2(hdf5) else nwb1_pairings(hdf5)
        if head[:4] in _ABF:
            return pairings_of(abf_channels(path))
        if looks_like_sweep_table(head) or head.startswith(PARQUET):
            return pairings_of(table_channels(path, name, limits))
    return []


def _dispatch(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise RecordingError(f"{name} is empty; expected {_KNOWN}.")
    if mapping.series is not None and head[:4] not in SIGNATURES:
        raise RecordingError(f"{name} is no HEKA bundle and has no series; name none of this file.")
    if head.startswith(_HDF5):
        return _read_hdf5(path, name, mapping, limits)
    if head[:4] in _ABF:
        return read_abf(path, name, mapping)
    if looks_like_sweep_table(head) or head.startswith(PARQUET):
        return read_sweep_table(path, name, mapping, limits)
    if head[:4] in SIGNATURES:
        return read_heka(path, name, mapping, limits)
    if head[:4] in TREES:
        raise RecordingError(f"{name} is a tree of a HEKA file and holds no samples. Choose the .dat file. {EXPORT}.")
    if is_winwcp(head):
        return read_winwcp(path, name, mapping, limits)
    if is_matlab(head):
        return read_matlab(path, name, mapping, limits)
    if head.startswith(_PACKED):
        raise RecordingError(f"{name} is a packed file; unpack it, or zip its files, and try again.")
    kind = neo_format(head)
    if kind is not None:
        return read_with_neo(path, name, kind, mapping)
    if is_igor_wave(head):
        return read_igor_wave(path, name, mapping, limits)
    if is_igor_experiment(path):
        return read_igor_experiment(path, name, mapping, limits)
    for start, advice in _ELSEWHERE.items():
        if head.startswith(start):
            raise RecordingError(f"{name} is {advice}")
    raise RecordingError(f"{name} is of no known format; expected {_KNOWN}.")


def _read_hdf5(path: Path | BinaryIO, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    with open_hdf5(path, name, limits) as hdf5:
        if is_nwb2(hdf5):
            return read_nwb2(hdf5, name, mapping, limits)
        if is_nwb1(hdf5):
            return read_nwb1(hdf5, name, mapping, limits)
        if is_matlab_73(hdf5):
            return read_matlab_73(hdf5, name, mapping, limits)
    raise RecordingError(f"{name} is an HDF5 file but not NWB, nor MATLAB's; expected {_KNOWN}.")


@contextmanager
def _as_path(path_or_bytes: str | Path | bytes) -> Iterator[Path]:
    if not isinstance(path_or_bytes, bytes):
        path = Path(path_or_bytes)
        if not path.is_file():
            raise RecordingError(f"There is no file {path}.")
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
        path = Path(folder) / "recording"
        path.write_bytes(path_or_bytes)
        yield path
