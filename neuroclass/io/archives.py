"""Unpack zip archives as hostile input: members get names of our own and are limited in number and size.

A member's name never becomes a path. Sizes declared in the archive are not trusted; bytes are counted as
they are unpacked.
"""

import hashlib
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from neuroclass.errors import NeuroClassError, RecordingError, RejectedInput, UnsafeFileError

_ZIP, _END, _END64 = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _LOCATOR_BYTES, _LONGEST_COMMENT = 22, 20, 65_535
_OFFICE = "[Content_Types].xml"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_IGNORED = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class ArchiveLimits:
    """Limits for unpacking one archive.

    Attributes
    ----------
    members : int
        Maximum number of files.
    bytes : int
        Maximum total size of the unpacked files.
    directory : int
        Maximum size of the table of contents.
    """

    members: int = 1000
    bytes: int = 2_000_000_000
    directory: int = 2_000_000


@dataclass(frozen=True)
class Member:
    """A file unpacked from an archive.

    Attributes
    ----------
    name : str
        Display name: the archive's name and the member's own.
    path : Path
        The unpacked file.
    digest : str
        SHA-256 of its content.
    """

    name: str
    path: Path
    digest: str


def is_archive(path: Path) -> bool:
    """Whether a file's content is a zip archive; XLSX spreadsheets do not count."""
    with path.open("rb") as file:
        if file.read(4) not in (_ZIP, _END):
            return False
    return _OFFICE not in _names(path)


def is_spreadsheet(path: Path) -> bool:
    """Whether a file's content is an XLSX spreadsheet."""
    names = _names(path)
    return _OFFICE in names and any(name.startswith("xl/") for name in names)


def _names(path: Path) -> Collection[str]:
    """Names of the files in an archive; empty if it cannot be read."""
    with suppress(zipfile.BadZipFile, NeuroClassError, OSError, ValueError, NotImplementedError):
        _check_directory(path, path.name, ArchiveLimits())
        with zipfile.ZipFile(path) as archive:
            return archive.NameToInfo.keys()
    return ()


def unpack(
    path: Path, name: str, folder: Path, limits: ArchiveLimits = ArchiveLimits()
) -> Iterator[Member | RejectedInput]:
    """Unpack an archive's files into a folder, one at a time.

    Parameters
    ----------
    path : Path
        The archive.
    name : str
        Display name of the archive.
    folder : Path
        Existing folder for the files, which are named by number.
    limits : ArchiveLimits
        Limits on the unpacked files.

    Yields
    ------
    Member or RejectedInput
        Each file, or why it was rejected; the rest continue unless the archive exceeds a limit.
    """
    try:
        _check_directory(path, name, limits)
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir() and not _is_ignored(info.filename)]
            if not members:
                raise RecordingError(f"{name} is an archive without a file; expected recordings or feature tables.")
            if len(members) > limits.members:
                raise UnsafeFileError(f"{name} holds {len(members):,} files; at most {limits.members:,} are unpacked.")
            left = limits.bytes
            for number, info in enumerate(members):
                shown = f"{name}/{shown_name(info.filename)}"
                try:
                    member = _extract(archive, info, shown, folder / f"{number:05d}", left)
                except RecordingError as error:
                    yield RejectedInput(shown, error)
                    if isinstance(error, _TooMuch):
                        return
                    continue
                left -= member.path.stat().st_size
                yield member
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        yield RejectedInput(name, RecordingError(f"{name} is a damaged zip archive ({error}); zip its files again."))
    except NeuroClassError as error:
        yield RejectedInput(name, error)


class _TooMuch(UnsafeFileError):
    """An archive exceeds its size limit."""

    @property
    def kind(self) -> str:
        return UnsafeFileError.__name__


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str, target: Path, left: int) -> Member:
    if info.flag_bits & 1:
        raise RecordingError(f"{shown} is encrypted; unpack it and upload the file itself.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UnsafeFileError(f"{shown} is a link; put the file itself into the archive.")
    if info.compress_type not in _METHODS:
        raise RecordingError(f"{shown} is compressed by an uncommon method; zip it with deflate, the usual one.")
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(info) as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                if not size and chunk.startswith(_ZIP) and not shown.lower().endswith((".xlsx", ".xlsm")):
                    raise UnsafeFileError(f"{shown} is an archive within the archive; unpack it first.")
                size += len(chunk)
                if size > left:
                    raise _TooMuch(
                        f"{shown}: the archive unpacks to more than is taken from one upload. Upload fewer files at "
                        "once; what came before this file is kept."
                    )
                digest.update(chunk)
                out.write(chunk)
        if is_archive(target):
            raise UnsafeFileError(f"{shown} is an archive within the archive; unpack it first.")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        target.unlink(missing_ok=True)
        raise RecordingError(f"{shown} is damaged in the archive ({error}); zip it again.") from error
    except NeuroClassError:
        target.unlink(missing_ok=True)
        raise
    return Member(shown, target, digest.hexdigest())


def _check_directory(path: Path, name: str, limits: ArchiveLimits) -> None:
    """Reject a table of contents that would not fit in memory, before reading it."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - _LOCATOR_BYTES))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        raise RecordingError(f"{name} is a zip archive that was cut short; copy or zip it again.")
    (declared,) = struct.unpack_from("<L", tail, at + 12)
    if tail[max(0, at - _LOCATOR_BYTES) :].startswith(_END64) or declared > limits.directory:
        raise UnsafeFileError(
            f"{name} lists more than {limits.members:,} files or 4 GB; upload it in several smaller archives."
        )


def _is_ignored(name: str) -> bool:
    return name.startswith(_IGNORED[0]) or PurePosixPath(name).name in _IGNORED[1:]


def shown_name(name: str) -> str:
    """A file name safe to display: a relative path, no control characters, at most 200 characters."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    text = "/".join(parts)[-200:]
    return "".join(c for c in text if unicodedata.category(c)[0] != "C") or "unnamed"
