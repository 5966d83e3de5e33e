"""History of classified cells in a database: SQLite in a folder, or a server given by its URL.

An upload is stored before it is classified, so a crash loses nothing. Each entry has an owner; nobody else can
find, open or delete it, unless the lab shares its history.
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
    """A file of an entry: name, SHA-256 and size in bytes."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True)
class Entry:
    """Files uploaded as one input, and the state of their classification.

    Attributes
    ----------
    id : str
        Unguessable; used in links.
    name, cell : str
        File names; the cell's name if several files form one cell.
    files : tuple of StoredFile
        In the order given.
    context : mapping
        The cell's metadata, as `neuroclass.classification.metadata.to_json` writes it.
    state : str
        ``pending`` until a verdict is stored, then ``done``.
    written, opened : float
        First stored and last opened, seconds since 1970.
    summary : str
        Cells and labels, for display and search.
    models : tuple of str
        Model versions with stored verdicts, latest last.
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
        SQLAlchemy URL of the database, such as ``sqlite:////home/me/history.sqlite``.
    spool : Spool
        Store of the uploaded files.
    shared : bool
        Whether everyone can see all entries.

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
        """Store an upload before it is classified; returns the entry's id.

        The same files with the same cell name share an entry, whose metadata are replaced.
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
        """Store a model version's verdicts, replacing earlier ones of the same version."""
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
        """One entry; None if the owner has no such entry."""
        with Session(self._engine) as session, session.begin():
            row = self._row(session, owner, id)
            if row is None:
                return None
            row.opened = time.time()
            return _entry(row)

    def find(self, owner: str, text: str = "") -> list[Entry]:
        """Search names, cells and labels for every word of a text; last opened first, at most 500."""
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
        """Stored verdicts by model version, latest last."""
        with Session(self._engine) as session:
            row = self._row(session, owner, id)
            return {} if row is None else {a.model: json.loads(a.content) for a in row.answers}

    def delete(self, owner: str, ids: Collection[str]) -> int:
        """Delete entries with their verdicts and unshared files; returns the number of entries."""
        with Session(self._engine) as session, session.begin():
            chosen = select(_EntryRow).where(_EntryRow.id.in_(list(ids)))
            if not self.shared:
                chosen = chosen.where(_EntryRow.owner == _hidden(owner))
            return self._remove(session, session.scalars(chosen).all())

    def delete_all(self, owner: str) -> int:
        """Delete all entries of one owner, even in a shared history; returns their number."""
        with Session(self._engine) as session, session.begin():
            mine = select(_EntryRow).where(_EntryRow.owner == _hidden(owner))
            return self._remove(session, session.scalars(mine).all())

    def prune(self, days: float, max_bytes: int, now: float | None = None) -> None:
        """Delete entries not opened for `days`, and the least recently used files beyond `max_bytes` in total."""
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
    """Hash of an owner for the database, so that it does not reveal the browser's secret."""
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
