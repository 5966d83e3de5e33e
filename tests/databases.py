"""The databases that the history is tested on: SQLite in a folder, and a PostgreSQL server of the tests' own.

PostgreSQL refuses to run as root. Root starts it as Debian's user ``postgres``, in a folder which that user owns.
"""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

ACCOUNT = "postgres"
TEMPLATE = "plain"


def pg_ctl() -> str | None:
    """Path of the server's control program: on the path, or where Debian puts it, the latest version first."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: -float(path.parts[4]))
    return str(debian[0]) if debian else shutil.which("pg_ctl")


def _reason() -> str:
    if pg_ctl() is None:
        return "there is no PostgreSQL server (apt-get install postgresql)"
    if os.geteuid() == 0:
        if shutil.which("runuser") is None:
            return "PostgreSQL does not run as root, and there is no runuser"
        try:
            pwd.getpwnam(ACCOUNT)
        except KeyError:
            return f"PostgreSQL does not run as root, and there is no user {ACCOUNT}"
    return ""


@contextmanager
def postgresql_server() -> Iterator[Any]:
    """A server on a free port of the loopback; tests are skipped where there is none."""
    if reason := _reason():
        pytest.skip(reason)
    executors = pytest.importorskip("pytest_postgresql.executors", reason="pytest-postgresql is not installed")
    from port_for import get_port

    with tempfile.TemporaryDirectory(prefix="neuroclass-postgresql-", ignore_cleanup_errors=True) as place:
        folder, program = Path(place), str(pg_ctl())
        if os.geteuid() == 0:
            wrapper = folder / "pg_ctl"
            wrapper.write_text(f'#!/bin/sh\ncd "{folder}" && exec runuser -u {ACCOUNT} -- "{program}" "$@"\n')
            wrapper.chmod(0o755)
            shutil.chown(folder, ACCOUNT)
            program = str(wrapper)
        server = executors.PostgreSQLExecutor(
            executable=program,
            host="127.0.0.1",
            port=get_port(None),
            datadir=str(folder / "data"),
            unixsocketdir=place,
            logfile=str(folder / "log"),
            startparams="-w",
            dbname="tests",
            postgres_options="-c max_connections=200 -c synchronous_commit=off",
        )
        with server:
            yield server


@contextmanager
def postgresql_database(server: Any) -> Iterator[str]:
    """URL of a new, empty database."""
    from pytest_postgresql.janitor import DatabaseJanitor

    name = f"t{uuid4().hex[:12]}"
    janitor = DatabaseJanitor(user=server.user, host=server.host, port=server.port, dbname=name)
    janitor.init()
    try:
        yield f"postgresql+psycopg://{server.user}@{server.host}:{server.port}/{name}"
    finally:
        with suppress(Exception):
            janitor.drop()
