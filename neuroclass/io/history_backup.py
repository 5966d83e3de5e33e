"""A history as one file, whatever database it is in: a zip archive of JSON lines and of the uploaded files.

``entries.jsonl`` has a line an entry, with its verdicts and its link; ``files/`` the contents by SHA-256;
``manifest.json`` says how many there are, and the SHA-256 of the lines.
"""

import hashlib
import json
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from neuroclass import __version__
from neuroclass.errors import HistoryError
from neuroclass.io.atomic import replacing
from neuroclass.io.history import DONE, PENDING, History
from neuroclass.io.history_tables import AnswerRow, EntryRow, FileRow, LinkRow, PlaceRow
from neuroclass.io.spool import is_digest
from neuroclass.types.visitors import OPERATOR, Right, Visitor

FORMAT = "neuroclass-history-1"
MANIFEST, ENTRIES, FILES = "manifest.json", "entries.jsonl", "files/"
_AT_ONCE = 200
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Contents:
    """What a backup holds.

    Attributes
    ----------
    entries, files : int
        Numbers of entries and of uploaded files.
    bytes : int
        Size of the files.
    missing : int
        Files that entries name and that were not there any more, or damaged on the disk, when it was made.
    """

    entries: int
    files: int
    bytes: int
    missing: int


def back_up(history: History, path: Path, overwrite: bool = False, by: Visitor = OPERATOR) -> Contents:
    """Write the history, as it is now, to one file; it may be in use meanwhile.

    Parameters
    ----------
    history : History
        To back up.
    path : Path
        The file, readable by its owner only; there as a whole or not at all.
    overwrite : bool
        Whether it may replace a file.
    by : Visitor
        Who asks for it.

    Raises
    ------
    AccessError
        If they do not administer the server.
    HistoryError
        If there is such a file, it cannot be written, or the database cannot be used.
    """
    by.require(Right.ADMINISTER)
    if path.exists() and not overwrite:
        raise HistoryError(f"{path} exists. Give another name, or allow to overwrite it.")
    try:
        with replacing(path) as draft:
            draft.touch(mode=0o600)
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                return _write(history, archive)
    except OSError as error:
        raise HistoryError(
            f"The backup cannot be written to {path} ({error.strerror or error}). Name a folder that can be written, "
            "with room for it."
        ) from error


def _write(history: History, archive: zipfile.ZipFile) -> Contents:
    digests: set[str] = set()
    lines, count = hashlib.sha256(), 0
    link = selectinload(EntryRow.link).undefer(LinkRow.content)
    chosen = select(EntryRow).options(selectinload(EntryRow.files), selectinload(EntryRow.answers), link)
    with history.database.snapshot() as session, archive.open(ENTRIES, "w", force_zip64=True) as out:
        for row in session.scalars(chosen.order_by(EntryRow.id).execution_options(yield_per=_AT_ONCE)):
            line = f"{json.dumps(_plain(row))}\n".encode()
            lines.update(line)
            out.write(line)
            digests |= {file.digest for file in row.files}
            count += 1
    sizes = [size for one in sorted(digests) if (size := _add(archive, history.spool.path(one), one)) is not None]
    contents = Contents(count, len(sizes), sum(sizes), len(digests) - len(sizes))
    manifest = {
        "format": FORMAT,
        "neuroclass": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": history.database.revision(),
        "entries_sha256": lines.hexdigest(),
        **asdict(contents),
    }
    archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return contents


def _add(archive: zipfile.ZipFile, path: Path, digest: str) -> int | None:
    """Add a stored content; None if it is gone or damaged."""
    try:
        with path.open("rb") as file:
            if _digest(file) != digest:
                return None
        archive.write(path, f"{FILES}{digest}")
    except FileNotFoundError:
        return None
    return archive.getinfo(f"{FILES}{digest}").file_size


def _plain(row: EntryRow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _TEXTS + _TIMES},
        "context": json.loads(row.context),
        "files": [{"name": file.name, "digest": file.digest, "size": file.size} for file in row.files],
        "answers": [
            {"model": one.model, "written": one.written, "content": json.loads(one.content)} for one in row.answers
        ],
        **({"link": _plain_link(row.link)} if row.link else {}),
    }


def _plain_link(link: LinkRow) -> dict[str, Any]:
    return {
        **{name: getattr(link, name) for name in _LINK_TEXTS + _LINK_TIMES},
        "context": json.loads(link.context),
        "content": json.loads(link.content),
    }


_LINK_TEXTS = ("token", "model", "software")
_LINK_TIMES = ("made", "judged")
_TEXTS = ("id", "owner", "key", "name", "cell", "state", "summary")
_TIMES = ("written", "opened")


def restore(history: History, path: Path, overwrite: bool = False) -> Contents:
    """Put a backup into a history, wholly or not at all; the backup is checked before anything is changed.

    Parameters
    ----------
    history : History
        Where to, of the same database as the backup's or another.
    path : Path
        What `back_up` wrote.
    overwrite : bool
        Whether its entries may take the place of those in the history.

    Raises
    ------
    HistoryError
        If the file is no backup or damaged, the history has entries, or the database cannot be used.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            contents = _checked(archive, path)
            _refuse_entries(history, overwrite)
            with _claimed(history, archive):
                _replace(history, archive, path, overwrite)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise HistoryError(
            f"{path} cannot be restored ({error.strerror or error}). Nothing was changed; name a backup that can be "
            "read, and see that the disk has room."
        ) from error
    return contents


def _refuse_entries(history: History, overwrite: bool) -> None:
    with history.database.session() as session:
        _refuse(session, overwrite)


def _refuse(session: Session, overwrite: bool) -> None:
    count = session.scalar(select(func.count()).select_from(EntryRow)) or 0
    if count and not overwrite:
        raise HistoryError(
            f"The history has {count:,} entries, which a restored backup would replace. Back it up, then allow to "
            "overwrite it; or name an empty place in NEUROCLASS_HISTORY."
        )


@contextmanager
def _claimed(history: History, archive: zipfile.ZipFile) -> Iterator[None]:
    """Contents of a backup in the spool; claimed meanwhile, and deleted where no entry comes to hold them."""
    claimant = f"restore {secrets.token_hex(16)}"
    digests = [one.removeprefix(FILES) for one in archive.namelist() if one.startswith(FILES)]
    try:
        for digest in digests:
            with archive.open(f"{FILES}{digest}") as file:
                history.spool.put(file, claimant)
        yield
    finally:
        with suppress(HistoryError):  # a day later they are deleted with all that no entry holds
            history.spool.release(digests, claimant)
            history.sweep(digests)


def _replace(history: History, archive: zipfile.ZipFile, path: Path, overwrite: bool) -> None:
    with history.database.session(alone="restore") as session:
        _refuse(session, overwrite)
        before = set(session.scalars(select(FileRow.digest).distinct()))
        if overwrite:
            for table in (LinkRow, AnswerRow, FileRow, EntryRow):
                session.execute(delete(table))
        session.execute(update(PlaceRow).values(id=secrets.token_hex(16)))
        for number, plain in enumerate(_lines(archive), 1):
            session.add(_row(plain, number, path))
            if number % _AT_ONCE == 0:
                session.flush()
                session.expunge_all()
    history.sweep(before)


def _lines(archive: zipfile.ZipFile) -> Iterator[Any]:
    with archive.open(ENTRIES) as file:
        for line in file:
            yield json.loads(line)


def _row(plain: Any, number: int, path: Path) -> EntryRow:
    try:
        texts, times = {name: plain[name] for name in _TEXTS}, {name: float(plain[name]) for name in _TIMES}
        if not all(isinstance(one, str) for one in texts.values()) or plain["state"] not in (PENDING, DONE):
            raise TypeError("a text is none")
        row = EntryRow(**texts, **times, context=json.dumps(dict(plain["context"])))
        row.files = [
            FileRow(position=k, name=str(one["name"]), digest=_hexadecimal(one["digest"]), size=int(one["size"]))
            for k, one in enumerate(plain["files"])
        ]
        row.answers = [
            AnswerRow(model=str(one["model"]), written=float(one["written"]), content=json.dumps(list(one["content"])))
            for one in plain["answers"]
        ]
        row.link = _link(plain["link"]) if "link" in plain else None
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"entry {number} is not one") from error
    return row


def _link(plain: Any) -> LinkRow:
    return LinkRow(
        token=_hexadecimal(plain["token"]),
        **{name: str(plain[name]) for name in _LINK_TEXTS[1:]},
        **{name: float(plain[name]) for name in _LINK_TIMES},
        context=json.dumps(dict(plain["context"])),
        content=json.dumps(list(plain["content"])),
    )


def _hexadecimal(digest: Any) -> str:
    if not isinstance(digest, str) or not is_digest(digest):
        raise ValueError("no SHA-256")
    return digest


def _checked(archive: zipfile.ZipFile, path: Path) -> Contents:
    """What an archive holds, after each of its checksums was compared.

    Raises
    ------
    HistoryError
        If it is no backup, or damaged.
    """
    try:
        manifest = json.loads(archive.read(MANIFEST))
        if manifest["format"] != FORMAT:
            raise ValueError(manifest["format"])
        contents = Contents(*(int(manifest[name]) for name in ("entries", "files", "bytes", "missing")))
        expected = str(manifest["entries_sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise HistoryError(
            f"{path} is no backup of a history that this version reads; expected a file that `neuroclass history "
            f"backup` wrote (format {FORMAT})."
        ) from error
    names = [info for info in archive.infolist() if info.filename.startswith(FILES)]
    if len(archive.namelist()) != len(names) + 2 or len(names) != contents.files:
        raise _damaged(path, f"it has {len(names)} files, not {contents.files}")
    for name, digest in [(ENTRIES, expected), *((one.filename, one.filename.removeprefix(FILES)) for one in names)]:
        try:
            with archive.open(name) as file:
                found = _digest(file)
        except KeyError as error:
            raise _damaged(path, f"{name} is not in it") from error
        if found != digest:
            raise _damaged(path, f"{name} has another checksum")
    held: set[str] = set()
    count = 0
    try:
        for count, plain in enumerate(_lines(archive), 1):
            held |= {file.digest for file in _row(plain, count, path).files}
    except ValueError as error:
        raise _damaged(path, f"line {count + 1} of {ENTRIES} is no JSON") from error
    if count != contents.entries or not {one.filename.removeprefix(FILES) for one in names} <= held:
        raise _damaged(path, f"its {count} entries are not those that it names")
    return contents


def _damaged(path: Path, what: str) -> HistoryError:
    return HistoryError(f"{path} is a damaged backup ({what}). Nothing was changed; use another one.")


def _digest(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        found.update(chunk)
    return found.hexdigest()
