"""The history's tables are those that the code expects, whatever version of NeuroClass made the database."""

import io
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from neuroclass.errors import HistoryError
from neuroclass.io import migrations
from neuroclass.io.history import DONE, History, StoredFile
from neuroclass.io.history_tables import Base
from neuroclass.io.spool import Spool

BEFORE_REVISIONS = """
CREATE TABLE entries (
    id VARCHAR NOT NULL, owner VARCHAR NOT NULL, "key" VARCHAR NOT NULL, name TEXT NOT NULL, cell TEXT NOT NULL,
    context TEXT NOT NULL, state VARCHAR NOT NULL, written FLOAT NOT NULL, opened FLOAT NOT NULL, summary TEXT NOT NULL,
    PRIMARY KEY (id));
CREATE INDEX ix_entries_key ON entries ("key");
CREATE INDEX ix_entries_opened ON entries (opened);
CREATE INDEX ix_entries_owner ON entries (owner);
CREATE TABLE files (
    entry VARCHAR NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, digest VARCHAR NOT NULL,
    size INTEGER NOT NULL, PRIMARY KEY (entry, position),
    FOREIGN KEY(entry) REFERENCES entries (id) ON DELETE CASCADE);
CREATE INDEX ix_files_digest ON files (digest);
CREATE TABLE answers (
    entry VARCHAR NOT NULL, model VARCHAR NOT NULL, written FLOAT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (entry, model), FOREIGN KEY(entry) REFERENCES entries (id) ON DELETE CASCADE)
"""
OWNER = "2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0"
"""SHA-256 of ``me``."""


def run(url: str, *statements: str) -> None:
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def earlier(database: str, tmp_path: Path) -> str:
    """A database as the version before revisions left it, with an entry that was answered."""
    digest, size = Spool(tmp_path / "files").put(io.BytesIO(b"sweeps"))
    run(
        database,
        *BEFORE_REVISIONS.split(";"),
        "INSERT INTO entries VALUES ('an-entry', '" + OWNER + "', 'k', 'a.abf', 'c7', '{\"species\": \"mouse\"}', "
        "'done', 1e9, 2e9, 'a: Sst')",
        f"INSERT INTO files VALUES ('an-entry', 0, 'a.abf', '{digest}', {size})",
        "INSERT INTO answers VALUES ('an-entry', 'v1', 1e9, '[{\"cell\": \"a\"}]')",
    )
    return database


def differences(url: str) -> list[object]:
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": migrations.REVISIONS}
        )
        found = compare_metadata(context, Base.metadata)
    engine.dispose()
    return list(found)


def test_migrated_tables_are_those_of_the_code(database, tmp_path):
    History(database, Spool(tmp_path / "files"))
    assert differences(database) == []


def test_a_difference_between_tables_and_code_is_seen(database, tmp_path):
    History(database, Spool(tmp_path / "files"))
    run(database, "ALTER TABLE entries ADD COLUMN colour TEXT", "DROP INDEX ix_files_digest")
    assert len(differences(database)) == 2


def test_a_database_from_before_revisions_keeps_everything(earlier, tmp_path):
    history = History(earlier, Spool(tmp_path / "files"))
    entry = history.get("me", "an-entry")
    assert (entry.state, entry.cell, entry.context, entry.summary) == (DONE, "c7", {"species": "mouse"}, "a: Sst")
    assert history.spool.path(entry.files[0].digest).read_bytes() == b"sweeps"
    assert history.answers("me", "an-entry") == {"v1": [{"cell": "a"}]}
    assert differences(earlier) == []


def test_a_database_whose_making_was_cut_off_is_completed(database, tmp_path):
    run(database, *BEFORE_REVISIONS.split(";")[:2])
    history = History(database, Spool(tmp_path / "files"))
    history.begin("me", [StoredFile("a.abf", "0" * 64, 1)], {})
    assert differences(database) == []


def test_a_change_that_fails_leaves_the_database_as_it_was(earlier, tmp_path, monkeypatch):
    run(earlier, "CREATE TABLE place (something TEXT)")  # in the way of the last revision
    with pytest.raises(HistoryError, match="cannot be used"):
        History(earlier, Spool(tmp_path / "files"))
    engine = create_engine(earlier)
    assert not inspect(engine).has_table(migrations.REVISIONS)
    engine.dispose()
    run(earlier, "DROP TABLE place")
    assert History(earlier, Spool(tmp_path / "files")).get("me", "an-entry") is not None


def test_a_database_of_a_later_version_is_left_alone(database, tmp_path):
    History(database, Spool(tmp_path / "files")).begin("me", [], {})
    run(database, f"UPDATE {migrations.REVISIONS} SET version_num = '9999'")
    with pytest.raises(HistoryError, match="later version of NeuroClass \\(revision 9999"):
        History(database, Spool(tmp_path / "files"))
    engine = create_engine(database)
    with engine.connect() as connection:
        assert migrations.revision_of(connection) == "9999"
    engine.dispose()


def test_the_revision_that_the_code_names_is_the_last():
    assert ScriptDirectory.from_config(migrations._config()).get_heads() == [migrations.HEAD]
