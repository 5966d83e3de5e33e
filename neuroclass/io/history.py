"""Every classified cell, kept in a small database: SQLite in a folder, or a server by its URL.

What is to be classified is written before it is computed, so that a crash loses no upload. Each entry has an
owner; nobody else finds, opens or deletes it, unless the lab shares its history.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, ForeignKey, StaticPool, Text, create_engine, event, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from neuroclass.errors import HistoryError
from neuroclass.io.spool import Spool

DAY_S = 86_400.0
LISTED = 500
PENDING, DONE = "pending", "done"


@dataclass(frozen=True)
class StoredFile:
    """A file of an entry: its name, SHA-256 and number of bytes."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True)
class Entry:
    """What was uploaded to be classified together, and how far that is.

    Attributes
    ----------
    id : str
        Unguessable; it stands in links.
    name, cell : str
        The files' names; the cell's name where several files are one cell.
    files : tuple of StoredFile
        In the order given.
    context : mapping
        What the user said, as `contexts.to_json` gives it.
    state : str
        ``pending`` until an answer is kept, then ``done``.
    written, opened : float
        First kept and last opened, seconds since 1970.
    summary : str
        Cells and labels, for people and for searching.
    models : tuple of str
        Versions of the models that answered, the latest last.
    """

    id: str
    name: str
    cell: str
    files: tuple[StoredFile, ...]
    context: Mapping[str, Any]
    state: str
    written: float
    opened: float
    summary: str
    models: tuple[str, ...]


class _Base(DeclarativeBase):
    pass


class _EntryRow(_Base):
    __tablename__ = "entries"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(Text)
    cell: Mapped[str] = mapped_column(Text)
    context: Mapped[str] = mapped_column(Text)
    state: Mapped[str]
    written: Mapped[float]
    opened: Mapped[float] = mapped_column(index=True)
    summary: Mapped[str] = mapped_column(Text)
    files: Mapped[list["_FileRow"]] = relationship(order_by="_FileRow.position", cascade="all, delete-orphan")
    answers: Mapped[list["_AnswerRow"]] = relationship(order_by="_AnswerRow.written", cascade="all, delete-orphan")


class _FileRow(_Base):
    __tablename__ = "files"
    entry: Mapped[str] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]


class _AnswerRow(_Base):
    __tablename__ = "answers"
    entry: Mapped[str] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    written: Mapped[float]
    content: Mapped[str] = mapped_column(Text)


_ALL = (selectinload(_EntryRow.files), selectinload(_EntryRow.answers).load_only(_AnswerRow.model))


class History:
    """The database and the folder of uploaded files.

    Parameters
    ----------
    url : str
        SQLAlchemy's address of the database, such as ``sqlite:////home/me/history.sqlite``.
    spool : Spool
        Where the files lie.
    shared : bool
        Whether everyone finds everyone's entries.

    Raises
    ------
    HistoryError
        If the database cannot be opened.
    """

    def __init__(self, url: str, spool: Spool, shared: bool = False) -> None:
        self.spool, self.shared = spool, shared
        try:
            self._engine = _engine(url)
            _Base.metadata.create_all(self._engine)
        except (SQLAlchemyError, ArgumentError, ImportError, ValueError) as error:
            what = str(error).splitlines()[0][:200]
            raise HistoryError(
                f"The history's database cannot be opened ({what}). Expected an SQLAlchemy URL, a folder or off in "
                "NEUROCLASS_HISTORY."
            ) from error

    def begin(
        self,
        owner: str,
        files: Sequence[StoredFile],
        context: Mapping[str, Any],
        cell: str = "",
        now: float | None = None,
    ) -> str:
        """Keep what is about to be classified; returns the entry's id.

        The same files under the same cell's name are the same entry, whose context becomes the one given.
        """
        now = time.time() if now is None else now
        key = hashlib.sha256(json.dumps([[f.digest for f in files], cell]).encode()).hexdigest()
        with Session(self._engine) as session, session.begin():
            row = session.scalar(select(_EntryRow).where(_EntryRow.owner == _hidden(owner), _EntryRow.key == key))
            if row is None:
                row = _EntryRow(id=secrets.token_urlsafe(16), owner=_hidden(owner), key=key, written=now, summary="")
                row.files = [
                    _FileRow(position=k, name=f.name, digest=f.digest, size=f.size) for k, f in enumerate(files)
                ]
                session.add(row)
            row.name, row.cell = " + ".join(f.name for f in files), cell
            row.context, row.state, row.opened = json.dumps(context), PENDING, now
            return row.id

    def finish(
        self,
        owner: str,
        id: str,
        model: str,
        answers: Sequence[Mapping[str, Any]],
        summary: str,
        now: float | None = None,
    ) -> None:
        """Keep the answer of a version of the models; an earlier one of the same version is replaced."""
        with Session(self._engine) as session, session.begin():
            row = self._row(session, owner, id)
            if row is None:
                return
            row.answers = [answer for answer in row.answers if answer.model != model]
            session.flush()
            written = time.time() if now is None else now
            row.answers.append(_AnswerRow(model=model, written=written, content=json.dumps(answers)))
            row.state, row.summary = DONE, summary

    def get(self, owner: str, id: str) -> Entry | None:
        """One entry; None where the owner has no such."""
        with Session(self._engine) as session, session.begin():
            row = self._row(session, owner, id)
            if row is None:
                return None
            row.opened = time.time()
            return _entry(row)

    def find(self, owner: str, text: str = "") -> list[Entry]:
        """Entries in whose names, cells or labels every word of a text stands, the last opened first; at most 500."""
        chosen = select(_EntryRow).options(*_ALL).order_by(_EntryRow.opened.desc()).limit(LISTED)
        if not self.shared:
            chosen = chosen.where(_EntryRow.owner == _hidden(owner))
        for word in text.split():
            chosen = chosen.where(
                (_EntryRow.name + " " + _EntryRow.cell + " " + _EntryRow.summary).icontains(word, autoescape=True)
            )
        with Session(self._engine) as session:
            return [_entry(row) for row in session.scalars(chosen)]

    def answers(self, owner: str, id: str) -> dict[str, list[dict[str, Any]]]:
        """What each version of the models answered, the latest last."""
        with Session(self._engine) as session:
            row = self._row(session, owner, id)
            return {} if row is None else {a.model: json.loads(a.content) for a in row.answers}

    def delete(self, owner: str, ids: Collection[str]) -> int:
        """Delete entries with their answers, and files that no other entry has; returns how many entries."""
        with Session(self._engine) as session, session.begin():
            chosen = select(_EntryRow).where(_EntryRow.id.in_(list(ids)))
            if not self.shared:
                chosen = chosen.where(_EntryRow.owner == _hidden(owner))
            return self._remove(session, session.scalars(chosen).all())

    def delete_all(self, owner: str) -> int:
        """Delete all of one owner's entries, also where the history is shared; returns how many."""
        with Session(self._engine) as session, session.begin():
            mine = select(_EntryRow).where(_EntryRow.owner == _hidden(owner))
            return self._remove(session, session.scalars(mine).all())

    def prune(self, days: float, max_bytes: int, now: float | None = None) -> None:
        """Delete entries not opened for `days`, and the longest unused files beyond `max_bytes` together."""
        now = time.time() if now is None else now
        with Session(self._engine) as session, session.begin():
            old = select(_EntryRow).where(_EntryRow.opened < now - days * DAY_S)
            self._remove(session, session.scalars(old).all())
        sizes = self.spool.sizes()
        total = sum(sizes.values())
        for digest, size in sizes.items():
            if total <= max_bytes:
                break
            self.spool.remove([digest])
            total -= size

    def _remove(self, session: Session, rows: Sequence[_EntryRow]) -> int:
        digests = {file.digest for row in rows for file in row.files}
        for row in rows:
            session.delete(row)
        session.flush()
        kept = set(session.scalars(select(_FileRow.digest).where(_FileRow.digest.in_(list(digests)))))
        self.spool.remove(digests - kept)
        return len(rows)

    def _row(self, session: Session, owner: str, id: str) -> _EntryRow | None:
        row = session.get(_EntryRow, id)
        return row if row is not None and (self.shared or row.owner == _hidden(owner)) else None


def _engine(url: str) -> Engine:
    if url in ("sqlite://", "sqlite:///:memory:"):
        return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        if engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return engine


def _prepare(connection: Any, _: object) -> None:
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _hidden(owner: str) -> str:
    """The owner as the database knows it, from which a browser's secret cannot be told."""
    return hashlib.sha256(owner.encode()).hexdigest()


def _entry(row: _EntryRow) -> Entry:
    return Entry(
        row.id,
        row.name,
        row.cell,
        tuple(StoredFile(file.name, file.digest, file.size) for file in row.files),
        json.loads(row.context),
        row.state,
        row.written,
        row.opened,
        row.summary,
        tuple(answer.model for answer in row.answers),
    )
