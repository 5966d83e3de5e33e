"""A history whose database is locked, full, corrupt, replaced, away or opened by many at once, and what it deletes."""

import io
import multiprocessing
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from neuroclass.errors import HistoryError
from neuroclass.io import history_database, spool
from neuroclass.io.history import DAY_S, DONE, MOST_WORDS, History, StoredFile
from neuroclass.io.spool import Spool
from tests.databases import postgresql_database

OLD_S = 2 * spool.LEFT_OVER_S


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_database, "BUSY_MS", 50)
    monkeypatch.setattr(history_database, "PAUSE_S", 0.0)
    monkeypatch.setattr(history_database, "TRIES", 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture
def history(path: Path, tmp_path: Path) -> History:
    return History(f"sqlite:///{path}", Spool(tmp_path / "files"))


@pytest.fixture
def on_any(database: str, tmp_path: Path) -> History:
    return History(database, Spool(tmp_path / "files"))


def upload(history: History, content: bytes, owner: str = "") -> StoredFile:
    digest, size = history.spool.put(io.BytesIO(content), owner)
    return StoredFile("a.abf", digest, size)


def aged(path: Path, seconds: float = OLD_S) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def lock(history: History, path: Path) -> Callable[[], None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other.close


def every_connection(statement: str) -> Callable[[History, Path], Callable[[], None]]:
    def impose(history: History, path: Path) -> Callable[[], None]:
        def connected(connection: sqlite3.Connection, _: object) -> None:
            connection.execute(statement)

        engine = history.database._engine
        engine.dispose()
        event.listen(engine, "connect", connected)

        def lift() -> None:
            event.remove(engine, "connect", connected)
            engine.dispose()

        return lift

    return impose


def corrupt(history: History, path: Path) -> Callable[[], None]:
    history.database._engine.dispose()
    kept = path.read_bytes()
    for other in path.parent.glob("history.sqlite-*"):
        other.unlink()
    path.write_bytes(b"junk" * 4000)

    def restore() -> None:
        path.unlink()
        path.write_bytes(kept)

    return restore


FAILURES = {
    "locked": lock,
    "read-only": every_connection("PRAGMA query_only=ON"),
    "full": every_connection("PRAGMA max_page_count=1"),
    "corrupt": corrupt,
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_database_that_fails_is_an_error_in_words_and_serves_again_when_it_is_back(history, path, failure):
    repair = FAILURES[failure](history, path)
    context = {"note": "x" * 100_000}  # more than fits into the pages that are there
    with pytest.raises(HistoryError, match="cannot be used"):
        history.begin("me", [upload(history, b"x")], context)
    repair()
    id = history.begin("me", [upload(history, b"x")], context)
    history.finish("me", id, "v1", [], "")
    assert history.get("me", id).state == DONE


def server_lock(server: Any, history: History) -> Callable[[], None]:
    other = history.database._engine.connect()
    other.exec_driver_sql("LOCK TABLE entries IN ACCESS EXCLUSIVE MODE")
    return other.close


def server_read_only(server: Any, history: History) -> Callable[[], None]:
    def set_to(value: str) -> None:
        with history.database._engine.begin() as connection:
            connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
            connection.exec_driver_sql("SET TRANSACTION READ WRITE")
            name = history.database._engine.url.database
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        history.database._engine.dispose()

    set_to("on")
    return lambda: set_to("off")


def server_down(server: Any, history: History) -> Callable[[], None]:
    server.stop()
    return server.start


SERVER_FAILURES = {"locked": server_lock, "read-only": server_read_only, "down": server_down}


@pytest.mark.parametrize("failure", SERVER_FAILURES)
def test_a_server_that_fails_is_an_error_in_words_and_serves_again_when_it_is_back(postgresql, tmp_path, failure):
    with postgresql_database(postgresql) as url:
        history = History(url, Spool(tmp_path / "files"))
        before = history.begin("me", [upload(history, b"before")], {})
        repair = SERVER_FAILURES[failure](postgresql, history)
        try:
            with pytest.raises(HistoryError, match="cannot be used"):
                history.begin("me", [upload(history, b"x")], {})
            with pytest.raises(HistoryError, match="cannot be used"):
                history.finish("me", before, "v1", [], "")
        finally:
            repair()
        id = history.begin("me", [upload(history, b"x")], {})
        history.finish("me", id, "v1", [], "")
        assert history.get("me", id).state == DONE
        assert history.get("me", before) is not None


def test_a_server_that_was_restarted_in_between_is_not_noticed(postgresql, tmp_path):
    with postgresql_database(postgresql) as url:
        history = History(url, Spool(tmp_path / "files"))
        id = history.begin("me", [upload(history, b"x")], {})
        postgresql.stop()
        postgresql.start()
        assert history.get("me", id) is not None


def test_a_database_of_the_server_that_was_made_anew_says_that_it_is_another(postgresql, tmp_path):
    with postgresql_database(postgresql) as url:
        history = History(url, Spool(tmp_path / "files"))
        id, before = history.begin("me", [upload(history, b"x")], {}), history.generation()
        with history.database._engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        with pytest.raises(HistoryError):
            history.generation()
        assert history.generation() != before
        assert history.get("me", id) is None


def test_a_failing_database_is_not_asked_again_at_once(history, path, monkeypatch):
    monkeypatch.setattr(history_database, "PAUSE_S", 60.0)
    unlock = lock(history, path)
    with pytest.raises(HistoryError):
        history.begin("me", [upload(history, b"x")], {})
    unlock()
    started = time.perf_counter()
    with pytest.raises(HistoryError, match="locked"):
        history.find("me")
    assert time.perf_counter() - started < 0.04


def test_a_database_that_vanished_is_made_again_and_says_that_it_is_another(history, path):
    history.begin("me", [upload(history, b"x")], {})
    before = history.generation()
    for part in path.parent.glob("history.sqlite*"):
        part.unlink()
    assert history.generation() != before
    id = history.begin("me", [upload(history, b"x")], {})
    assert path.is_file()
    assert [entry.id for entry in History(f"sqlite:///{path}", history.spool).find("me")] == [id]


def _open_first(url: str, folder: Path, barrier, failures) -> None:
    try:
        barrier.wait(20)
        History(url, Spool(folder)).begin(f"user {os.getpid()}", [], {})
    except Exception as error:
        failures.put(repr(error))


def test_twenty_processes_open_a_new_database_at_once(database, tmp_path, monkeypatch):
    monkeypatch.undo()
    fork = multiprocessing.get_context("fork")
    barrier, failures = fork.Barrier(20), fork.Queue()
    arguments = (database, tmp_path / "files", barrier, failures)
    processes = [fork.Process(target=_open_first, args=arguments) for _ in range(20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(40)
    assert [process.exitcode for process in processes] == [0] * 20
    assert failures.empty(), failures.get()
    history = History(database, Spool(tmp_path / "files"), shared=True)
    assert len(history.find("me")) == 20


def test_a_search_of_a_thousand_words_is_refused_in_words(on_any):
    history = on_any
    with pytest.raises(HistoryError, match=f"1000 words; at most {MOST_WORDS}"):
        history.find("me", "word " * 1000)
    assert history.find("me", "word " * MOST_WORDS) == []


def test_deleting_while_another_stores_the_same_content_loses_nothing(on_any):
    history = on_any
    mine = history.begin("me", [upload(history, b"same", "me")], {})
    file = upload(history, b"same", "you")  # uploaded, not yet classified
    assert history.delete("me", [mine]) == 1
    history.begin("you", [file], {})
    assert history.spool.path(file.digest).read_bytes() == b"same"
    assert history.delete_all("you") == 1
    assert history.spool.sizes() == {}


def test_another_visit_of_ones_own_does_not_take_anothers_claim(on_any):
    history = on_any
    first = history.begin("me", [upload(history, b"same", "me")], {})
    file = upload(history, b"same", "you")
    history.begin("me", [upload(history, b"same", "me")], {"species": "mouse"})
    history.delete("me", [first])
    assert set(history.spool.sizes()) == {file.digest}


def test_deleting_all_takes_uploads_that_were_never_classified(history):
    upload(history, b"not classified", "me")
    theirs = upload(history, b"theirs", "you")
    assert history.delete_all("me") == 0
    assert set(history.spool.sizes()) == {theirs.digest}


def test_contents_without_an_entry_and_parts_go_and_what_is_in_use_stays(history):
    held = upload(history, b"held")
    history.begin("me", [held], {})
    left = aged(history.spool.path(upload(history, b"left", "me").digest))
    fresh = upload(history, b"fresh")
    folder = history.spool.folder
    (folder / "part-old").write_bytes(b"x")
    (folder / "part-folder").mkdir()
    (folder / "part-folder" / "inside").write_bytes(b"x")
    (folder / "part-new").write_bytes(b"x")
    for path in (folder / "part-old", folder / "part-folder", history.spool.path(held.digest)):
        aged(path)
    for path in folder.glob("claim-*"):
        aged(path)
    history.prune(days=90, max_bytes=10_000)
    names = {path.name for path in folder.iterdir() if not path.name.startswith("alive-")} - {"lock"}
    assert names == {held.digest, fresh.digest, "part-new"}
    assert not left.exists()


def test_an_entry_is_kept_by_its_last_opening_and_its_file_with_it(on_any):
    history = on_any
    now = time.time()
    file = upload(history, b"x" * 100)
    id = history.begin("me", [file], {}, now=now - 100 * DAY_S)
    aged(history.spool.path(file.digest), 100 * DAY_S)
    other = upload(history, b"y" * 100)
    history.begin("me", [other], {}, now=now - 50 * DAY_S)
    aged(history.spool.path(other.digest), 50 * DAY_S)
    assert history.get("me", id)
    history.prune(days=90, max_bytes=150)
    assert history.get("me", id) is not None
    assert set(history.spool.sizes()) == {file.digest}


def test_the_same_content_under_another_name_is_an_entry_of_its_own(on_any):
    history = on_any
    digest, size = history.spool.put(io.BytesIO(b"x"))
    first = history.begin("me", [StoredFile("first.abf", digest, size)], {"species": "mouse"})
    second = history.begin("me", [StoredFile("second.abf", digest, size)], {"species": "human"})
    assert first != second
    assert [f.name for f in history.get("me", first).files] == ["first.abf"]
    assert history.get("me", first).context == {"species": "mouse"}
    history.delete("me", [first])
    assert set(history.spool.sizes()) == {digest}
