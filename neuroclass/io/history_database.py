"""The history's database: one that may be locked, full, unreachable, or replaced while it is open."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.orm import Session

from neuroclass.errors import HistoryError
from neuroclass.io.history_tables import PlaceRow
from neuroclass.io.migrations import HEAD, revision_of, upgrade

PAUSE_S = 5.0
"""After a failure the database is not asked again for so long, s."""
BUSY_MS = 5000
"""So long an operation waits for a lock that another one holds, ms."""
CONNECT_S = 5
TRIES = 8
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


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

    @property
    def kind(self) -> str:
        """``sqlite``, ``postgresql`` or what else SQLAlchemy calls it."""
        return self._engine.dialect.name

    def generation(self) -> str:
        """Changes when the database is replaced, restored or vanishes, so that what was kept in it is not there.

        Raises
        ------
        HistoryError
            If the database cannot be used.
        """
        with self.session() as session:
            return f"{self._of_file()} {session.scalar(select(PlaceRow.id))}"

    def _of_file(self) -> str:
        if self._file is None:
            return ""
        try:
            stat = self._file.stat()
        except OSError:
            return "gone"
        return f"{stat.st_dev} {stat.st_ino}"

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A transaction that only reads, and sees the database as it is at its beginning."""
        with self.session() as session:
            if self.kind == "sqlite":
                session.connection().exec_driver_sql("BEGIN")
            else:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    def revision(self) -> str:
        """Revision of the tables."""
        with self.session() as session:
            return revision_of(session.connection())

    @contextmanager
    def session(self, alone: str = "") -> Iterator[Session]:
        """A transaction; what goes wrong is a `HistoryError`, and for some seconds the database is not asked again.

        Parameters
        ----------
        alone : str
            Transactions of the same word, in whichever process, follow each other; empty for any.
        """
        if time.monotonic() < self._down_until:
            raise HistoryError(self._trouble)
        try:
            self._prepare()
            with Session(self._engine) as session, session.begin():
                if alone:
                    wait_for_turn(session.connection(), alone)
                yield session
        except (SQLAlchemyError, ImportError, OSError) as error:
            self._forget()
            self._opened, self._trouble = None, _cannot(error)
            self._down_until = time.monotonic() + PAUSE_S
            raise HistoryError(self._trouble) from error

    def _prepare(self) -> None:
        """See that the tables are there and of this version; several servers may do so at once."""
        if self._opened is not None and self._opened == self._of_file():
            return
        self._forget()
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in reversed(range(TRIES)):
            try:
                _bring_up_to_date(self._engine)
                break
            except (OperationalError, ProgrammingError):
                if not left:
                    raise
                time.sleep(0.05 + 0.1 * random.random())
        self._opened = self._of_file()

    def _forget(self) -> None:
        """Close connections; the one to a database in memory is the database."""
        if not isinstance(self._engine.pool, StaticPool):
            self._engine.dispose()


def _bring_up_to_date(engine: Engine) -> None:
    """Make or change the tables where they are not of this version; whoever comes first does it, the others wait."""
    with engine.connect() as connection:
        if revision_of(connection) == HEAD:
            return
    with engine.begin() as connection:
        wait_for_turn(connection, "tables")
        if revision_of(connection) != HEAD:
            upgrade(connection)


def wait_for_turn(connection: Connection, word: str) -> None:
    """Hold a lock of that name until the transaction ends; on SQLite the one that writes."""
    if connection.dialect.name == "sqlite":
        if not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"neuroclass {word}", 0))))


def _engine(url: str) -> Engine:
    if url in ("sqlite://", "sqlite:///:memory:"):
        return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    address = make_url(url)
    address = address.set(drivername=_DRIVERS.get(address.drivername, address.drivername))
    name = address.get_backend_name()
    waits = {"connect_timeout": CONNECT_S} if name == "postgresql" and "connect_timeout" not in address.query else {}
    engine = create_engine(address, hide_parameters=True, pool_pre_ping=name != "sqlite", connect_args=waits)
    if name in _SETTINGS:
        event.listen(engine, "connect", _SETTINGS[name])
    return engine


def _file_of(engine: Engine) -> Path | None:
    name = engine.url.database
    plain = engine.dialect.name == "sqlite" and name and name != ":memory:" and not name.startswith("file:")
    return Path(name) if plain and name else None


def _cannot(error: Exception) -> str:
    what = str(error).splitlines()[0][:200]
    if isinstance(error, ModuleNotFoundError):
        what += "; pip install 'neuroclass[server]' brings PostgreSQL's"
    return (
        f"The history's database cannot be used ({what}). Expected an SQLAlchemy URL, a folder that can be written or "
        "off in NEUROCLASS_HISTORY, and room on the disk."
    )


def _set_sqlite(connection: Any, _: object) -> None:
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _set_postgresql(connection: Any, _: object) -> None:
    connection.execute(f"SET lock_timeout = {BUSY_MS}")
    connection.commit()


_SETTINGS = {"sqlite": _set_sqlite, "postgresql": _set_postgresql}
