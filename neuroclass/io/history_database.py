"""The history's tables, and a database that may be locked, full, unreachable, or replaced while it is open."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, ForeignKey, StaticPool, Text, create_engine, event
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from neuroclass.errors import HistoryError

PAUSE_S = 5.0
"""After a failure the database is not asked again for so long, s."""
BUSY_MS = 5000
TRIES = 8


class Base(DeclarativeBase):
    """The history's tables."""


class EntryRow(Base):
    """Files uploaded as one input."""

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
    files: Mapped[list["FileRow"]] = relationship(order_by="FileRow.position", cascade="all, delete-orphan")
    answers: Mapped[list["AnswerRow"]] = relationship(order_by="AnswerRow.written", cascade="all, delete-orphan")


class FileRow(Base):
    """One file of an entry."""

    __tablename__ = "files"
    entry: Mapped[str] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]


class AnswerRow(Base):
    """The verdicts of one version of the models on an entry."""

    __tablename__ = "answers"
    entry: Mapped[str] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    written: Mapped[float]
    content: Mapped[str] = mapped_column(Text)


class Database:
    """The history's database.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.

    Raises
    ------
    HistoryError
        If it cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self._down_until, self._trouble = 0.0, ""
        self._opened: str | None = None
        try:
            self._engine = _engine(url)
        except (SQLAlchemyError, ArgumentError, ImportError, ValueError, OSError) as error:
            raise HistoryError(_cannot(error)) from error
        self._file = _file_of(self._engine)
        with self.session():
            pass

    def generation(self) -> str:
        """Changes when the database's file is replaced or vanishes, so that what was kept in it is not there."""
        if self._file is None:
            return ""
        try:
            stat = self._file.stat()
        except OSError:
            return "gone"
        return f"{stat.st_dev} {stat.st_ino}"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction; what goes wrong is a `HistoryError`, and for some seconds the database is not asked again."""
        if time.monotonic() < self._down_until:
            raise HistoryError(self._trouble)
        try:
            self._prepare()
            with Session(self._engine) as session, session.begin():
                yield session
        except (SQLAlchemyError, ImportError, OSError) as error:
            self._forget()
            self._opened, self._trouble = None, _cannot(error)
            self._down_until = time.monotonic() + PAUSE_S
            raise HistoryError(self._trouble) from error

    def _prepare(self) -> None:
        """Create the tables of a new database; several servers may do so at once."""
        if self._opened is not None and self._opened == self.generation():
            return
        self._forget()
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in reversed(range(TRIES)):
            try:
                Base.metadata.create_all(self._engine)
                break
            except (OperationalError, ProgrammingError):
                if not left:
                    raise
                time.sleep(0.05 + 0.1 * random.random())
        self._opened = self.generation()

    def _forget(self) -> None:
        """Close connections; the one to a database in memory is the database."""
        if not isinstance(self._engine.pool, StaticPool):
            self._engine.dispose()


def _engine(url: str) -> Engine:
    if url in ("sqlite://", "sqlite:///:memory:"):
        return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    return engine


def _file_of(engine: Engine) -> Path | None:
    name = engine.url.database
    plain = engine.dialect.name == "sqlite" and name and name != ":memory:" and not name.startswith("file:")
    return Path(name) if plain and name else None


def _cannot(error: Exception) -> str:
    what = str(error).splitlines()[0][:200]
    return (
        f"The history's database cannot be used ({what}). Expected an SQLAlchemy URL, a folder that can be written or "
        "off in NEUROCLASS_HISTORY, and room on the disk."
    )


def _prepare(connection: Any, _: object) -> None:
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
