"""Fetch recordings of a dandiset: their sweep tables, then the sweeps that are needed, or the whole file."""

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from neuroclass.config import cache_folder
from neuroclass.errors import ClampModeError, FetchError, UnreadableAssetError
from neuroclass.io.dandi import Asset, Dandiset
from neuroclass.io.dandi_cache import LIMIT_BYTES, PARTIAL, touch, trim
from neuroclass.io.download import HDF5_SIGNATURE, never
from neuroclass.io.nwb_writer import write_nwb
from neuroclass.io.origin import SWEEPS, WHOLE, keep_origin, origin_of
from neuroclass.io.polite import PoliteSession
from neuroclass.io.range_file import BLOCK, RangeFile
from neuroclass.io.remote import SweepTable, remote_recordings, sweep_table
from neuroclass.types.progress import ProgressCallback, ignore_progress

SMALL = 1_000_000
WORTH = 0.8
"""A part of a file is fetched if it is less than this share of it."""
_DROPPED = re.compile(r"[^\w.()+= -]")


@dataclass(frozen=True)
class Fetched:
    """A recording that is here.

    Attributes
    ----------
    path : Path
        The file.
    asset : Asset
        What it is in the archive.
    how : str
        ``whole file`` or ``current-clamp sweeps``.
    verified : str
        Which checksum of the archive it was compared with; empty for none.
    transferred : int
        Bytes that came over the network; 0 if it was here already.
    notes : tuple of str
        What a user should know.
    """

    path: Path
    asset: Asset
    how: str
    verified: str
    transferred: int
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**vars(self), "path": str(self.path), "asset": self.asset.path, "notes": list(self.notes)}


def dandi_folder() -> Path:
    """Where fetched recordings go by default, at most `LIMIT_BYTES` of them."""
    return cache_folder() / "dandi"


def place_of(dandiset: Dandiset, asset: Asset, folder: Path) -> Path:
    """Where a file of a dandiset goes, whatever its path says."""
    parts = [_DROPPED.sub("_", part).strip(" .")[:120] for part in PurePosixPath(asset.path).parts]
    kept = [part for part in parts if part]
    return folder.joinpath(dandiset.id, *(kept or [asset.id]))


def look(
    dandiset: Dandiset,
    asset: Asset,
    folder: Path | None = None,
    progress: ProgressCallback = ignore_progress,
    cancelled: Callable[[], bool] = never,
) -> SweepTable:
    """List the sweeps of a recording in the archive; its metadata alone are fetched, and kept for `fetch_asset`.

    Raises
    ------
    UnreadableAssetError
        It is no NWB file.
    RecordingError
        It is damaged or unsafe.
    FetchError
        It cannot be fetched.
    """
    _check_kind(asset)
    with _opened(dandiset, asset, folder or dandi_folder(), progress, cancelled) as file:
        return _table(file)


def fetch_asset(
    dandiset: Dandiset,
    asset: Asset,
    folder: Path | None = None,
    whole: bool = False,
    progress: ProgressCallback = ignore_progress,
    cancelled: Callable[[], bool] = never,
) -> Fetched:
    """Fetch a recording unless it is here: the sweeps that are needed, or all of it where that is hardly more.

    What came before a break or the process' end is not fetched again.

    Parameters
    ----------
    dandiset : Dandiset
        Its dandiset.
    asset : Asset
        The recording.
    folder : Path, optional
        Where to; by default the user's cache.
    whole : bool
        Whether to fetch all of it in any case.
    progress : ProgressCallback
        Called with the bytes transferred so far.
    cancelled : callable
        Asked after each chunk whether to stop.

    Returns
    -------
    Fetched

    Raises
    ------
    UnreadableAssetError
        It is no NWB file.
    RecordingError
        It is damaged or unsafe, or holds no current-clamp sweep.
    ChecksumError
        It is not what the archive lists.
    FetchError
        It cannot be fetched.
    """
    _check_kind(asset)
    folder = folder or dandi_folder()
    path = place_of(dandiset, asset, folder)
    here = _here(path, asset, whole)
    if here is not None:
        touch(path)
        return here
    if folder == dandi_folder() and asset.size > LIMIT_BYTES:
        raise UnreadableAssetError(
            f"{asset.path} has {asset.size / 1e9:.0f} GB; the cache holds {LIMIT_BYTES / 1e9:.0f} GB. Fetch it on the "
            "command line to a folder of your own: --to DIR."
        )
    with _opened(dandiset, asset, folder, progress, cancelled) as file:
        try:
            fetched = (
                _whole(file, asset, path) if whole or asset.size <= SMALL else _needed(file, dandiset, asset, path)
            )
            digest = _digest(fetched.path)
            keep_origin(path, _origin(dandiset, fetched, digest))
        except OSError as error:
            raise FetchError(f"{path} cannot be written ({error.strerror or error}). Choose another folder.") from error
        file.forget()
    if folder == dandi_folder():
        trim(folder, path)
    return fetched


def _check_kind(asset: Asset) -> None:
    if asset.kind == "zarr":
        raise UnreadableAssetError(
            f"{asset.path} is a Zarr folder, which is not read; expected an NWB file in HDF5. Choose another file."
        )
    if not asset.path.lower().endswith((".nwb", ".h5", ".hdf5")):
        raise UnreadableAssetError(f"{asset.path} is no NWB file. Choose files that end with .nwb.")
    if asset.size < len(HDF5_SIGNATURE):
        raise UnreadableAssetError(f"{asset.path} is empty; expected a recording. Choose another file.")


@contextmanager
def _opened(
    dandiset: Dandiset, asset: Asset, folder: Path, progress: ProgressCallback, cancelled: Callable[[], bool]
) -> Iterator[RangeFile]:
    path = folder / PARTIAL / f"{_DROPPED.sub('_', asset.id)}.part"
    with (
        PoliteSession(dandiset.api_url) as session,
        RangeFile(session, asset.url, path, asset.size, asset.path, progress, cancelled) as file,
    ):
        yield file


def _table(file: RangeFile) -> SweepTable:
    file.ensure(0, min(file.size, BLOCK))
    with file.path.open("rb") as start:
        if not start.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE:
            raise UnreadableAssetError(f"{file.name} is no HDF5 file, whatever its name says. Choose another file.")
    return sweep_table(file)


def _needed(file: RangeFile, dandiset: Dandiset, asset: Asset, path: Path) -> Fetched:
    """Fetch the current-clamp sweeps, unless the whole file is hardly more."""
    table = _table(file)
    if file.ignores_ranges or file.present_bytes + table.needed >= WORTH * asset.size:
        notes = ("The server sends whole files only.",) if file.ignores_ranges else ()
        return _whole(file, asset, path, notes)
    if not table.needed:
        raise ClampModeError(_no_current_clamp(asset, table))
    recordings = remote_recordings(file)
    subject = {key: value for key, value in table.subject.items() if key != "species"}
    said = f"Current-clamp sweeps of {asset.path}, dandiset {dandiset.id}, version {dandiset.version}."
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The file path provided")  # a draft that is no recording yet
            write_nwb(draft, recordings, table.subject.get("species", ""), {**subject, "notes": said})
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    left_out = tuple(dict.fromkeys(warning for one in recordings for warning in one.warnings))
    return Fetched(path, asset, SWEEPS, "", file.transferred, left_out)


def _no_current_clamp(asset: Asset, table: SweepTable) -> str:
    if not table.sweeps:
        return f"{asset.path} holds no intracellular sweep; expected current clamp. Choose another file."
    return (
        f"{asset.path} is voltage clamp: none of its {len(table.sweeps)} sweeps is current clamp, a potential recorded "
        "while current is injected. Choose another file."
    )


def _whole(file: RangeFile, asset: Asset, path: Path, notes: tuple[str, ...] = ()) -> Fetched:
    file.fill()
    verified = file.verify(asset.sha256, asset.etag)
    with file.path.open("rb") as start:
        if start.read(len(HDF5_SIGNATURE)) != HDF5_SIGNATURE:
            file.forget()
            raise UnreadableAssetError(f"{asset.path} is no HDF5 file, whatever its name says. Choose another file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    file.path.replace(path)
    unverified = () if verified else ("The archive lists no checksum, so none was compared.",)
    return Fetched(path, asset, WHOLE, verified, file.transferred, (*notes, *unverified))


def _here(path: Path, asset: Asset, whole: bool) -> Fetched | None:
    """A recording that was fetched before; None if it was not, or was another version or part of it."""
    origin = origin_of(path) if path.is_file() else {}
    if origin.get("asset") != asset.id or origin.get("bytes") != str(path.stat().st_size):
        return None
    if whole and origin.get("fetched") != WHOLE:
        return None
    return Fetched(path, asset, origin.get("fetched", ""), origin.get("verified", ""), 0)


def _origin(dandiset: Dandiset, fetched: Fetched, digest: str) -> Mapping[str, str]:
    asset = fetched.asset
    return {
        "archive": dandiset.api_url,
        "dandiset": dandiset.id,
        "version": dandiset.version,
        "citation": dandiset.citation,
        "doi": dandiset.doi,
        "license": dandiset.license,
        "path": asset.path,
        "asset": asset.id,
        "asset_sha256": asset.sha256,
        "fetched": fetched.how,
        "verified": fetched.verified,
        "bytes": str(fetched.path.stat().st_size),
        "file_sha256": digest,
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
