"""What pages keep and show when models are replaced, the history fails or another tab changes it."""

import gc
import io
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from sqlalchemy import Engine, event
from streamlit.testing.v1 import AppTest

from neuroclass.io import history_database
from neuroclass.io.history import History, StoredFile
from neuroclass.io.spool import Spool
from neuroclass.ui.history import store
from neuroclass.ui.selection import chosen_ids, table_key
from tests.replaced import copy_of_models, perturb

TABLE = b"cell,species,tau,sag,vrest,ri,latency\nA,mouse,20,0.1,-70,150,0.05\n"
ME = "browser-" + "x" * 32

pytestmark = pytest.mark.usefixtures("shipped_models")


@pytest.fixture
def opened(open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Run a page as the same browser each time."""
    monkeypatch.setattr(
        "neuroclass.ui.history.browser_identity.secrets", SimpleNamespace(token_urlsafe=lambda n: "browser-" + "x" * n)
    )
    return open_page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "history"


@pytest.fixture
def history(folder: Path) -> History:
    return History(f"sqlite:///{folder / 'history.sqlite'}", Spool(folder / "files"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(history_database, "BUSY_MS", 50)
    for module in (history_database, store):
        monkeypatch.setattr(module, "PAUSE_S", 0.0)
    yield


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    for name, content in files:
        app.file_uploader(key="files").upload(name, content, "application/octet-stream")
    app.run()
    assert not app.exception
    return app


def headline(app: AppTest) -> str:
    return next(m.value for m in app.markdown if m.value.startswith("## "))


def test_the_history_credits_the_models_that_judged_when_their_files_are_replaced(
    opened, history, monkeypatch, tmp_path
):
    models = copy_of_models(tmp_path / "models")
    for module in ("classification.models", "io.artifacts", "training.library"):
        monkeypatch.setattr(f"neuroclass.{module}.MODELS_DIR", models)
    app = upload(opened("classify"), ("cells.csv", TABLE))
    (entry,) = history.find(ME)
    replaced = perturb("lspin", models)
    app.run()
    assert not app.exception
    answers = history.answers(ME, entry.id)
    first, second = answers
    assert replaced[:8] in second and replaced[:8] not in first
    for version, (one,) in answers.items():
        assert one["models"]["lspin"][:8] in version
    assert answers[second][0]["models"]["lspin"] == replaced


def break_by_lock(folder: Path) -> Callable[[], None]:
    other = sqlite3.connect(folder / "history.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    return other.close


def break_by_junk(folder: Path) -> Callable[[], None]:
    path = folder / "history.sqlite"
    for part in folder.glob("history.sqlite*"):
        part.unlink()
    path.write_bytes(b"junk" * 4000)
    return path.unlink


def break_by_a_folder_in_its_place(folder: Path) -> Callable[[], None]:
    path = folder / "history.sqlite"
    for part in folder.glob("history.sqlite*"):
        part.unlink()
    path.mkdir()
    return path.rmdir


_lifted_after: list[Callable[[], None]] = []


@pytest.fixture(autouse=True)
def nothing_stays_imposed() -> Iterator[None]:
    yield
    while _lifted_after:
        _lifted_after.pop()()


def every_connection(statement: str) -> Callable[[Path], Callable[[], None]]:
    """Impose a limit on every connection that is opened from now on, and on those that are open."""

    def impose(folder: Path) -> Callable[[], None]:
        def connected(connection: sqlite3.Connection, _: object) -> None:
            connection.execute(statement)

        event.listen(Engine, "connect", connected)
        _open_anew()

        def lift() -> None:
            if event.contains(Engine, "connect", connected):
                event.remove(Engine, "connect", connected)
                _open_anew()

        _lifted_after.append(lift)
        return lift

    return impose


def _open_anew() -> None:
    for opened in [one for one in gc.get_objects() if type(one) is Engine]:
        opened.dispose()


break_by_read_only = every_connection("PRAGMA query_only=ON")
break_by_a_full_disk = every_connection("PRAGMA max_page_count=1")
DAMAGES = (break_by_lock, break_by_junk, break_by_a_folder_in_its_place, break_by_read_only, break_by_a_full_disk)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("when", ["before the first visit", "while it is open"])
def test_a_verdict_is_shown_and_kept_later_where_the_history_fails(
    opened, history, folder, impatient, monkeypatch, damage, when
):
    monkeypatch.setattr("neuroclass.ui.evidence.evidence.show", lambda case: None)
    if when == "while it is open":
        app = opened("classify")
        repair = damage(folder)
    else:
        repair = damage(folder)
        app = opened("classify")
    upload(app, ("cells.csv", TABLE))
    assert headline(app)
    assert any("Not kept in the history" in w.value for w in app.warning)
    assert not opened("history").exception
    repair()
    app.run()
    assert not app.exception
    assert not any("Not kept" in w.value for w in app.warning)
    (entry,) = History(f"sqlite:///{folder / 'history.sqlite'}", Spool(folder / "files")).find(ME)
    assert entry.state == "done" and store.spool().path(entry.files[0].digest).read_bytes() == TABLE


def test_a_database_that_vanished_is_filled_again(opened, history, folder, monkeypatch):
    monkeypatch.setattr("neuroclass.ui.evidence.evidence.show", lambda case: None)
    app = upload(opened("classify"), ("cells.csv", TABLE))
    for part in folder.glob("history.sqlite*"):
        part.unlink()
    app.run()
    assert not app.exception
    (entry,) = history.find(ME)
    assert entry.state == "done" and history.answers(ME, entry.id)


def entries_of(history: History, *names: str) -> list[str]:
    found = []
    for at, name in enumerate(names):
        digest, size = history.spool.put(io.BytesIO(name.encode()))
        found.append(history.begin(ME, [StoredFile(name, digest, size)], {}, now=time.time() - 100 + at))
    return found


def test_what_was_ticked_is_deleted_though_another_tab_has_sorted_the_list_anew(opened, history, monkeypatch):
    monkeypatch.setattr(history_database, "PAUSE_S", 0.0)
    older, newer = entries_of(history, "older.csv", "newer.csv")
    app = opened("history")
    app.session_state[table_key("history", [newer, older])] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    history.get(ME, older)  # opened in another tab, so that it is now the first row
    next(b for b in app.button if b.label == "Delete 1 selected").click().run()
    assert not app.exception
    assert [entry.id for entry in history.find(ME)] == [older]


def test_a_tick_does_not_move_to_another_entry_when_the_list_is_sorted_anew(opened, history, monkeypatch):
    older, newer = entries_of(history, "older.csv", "newer.csv")
    app = opened("history")
    app.session_state[table_key("history", [newer, older])] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    history.get(ME, older)
    app.run()
    assert any(b.label == "Delete selected" for b in app.button)


def test_rows_stand_for_what_they_showed():
    assert table_key("t", ["a", "b"]) != table_key("t", ["b", "a"]) != table_key("t", ["ab"])
    event = SimpleNamespace(selection=SimpleNamespace(rows=[1, 7]))
    assert chosen_ids(event, ["a", "b"]) == ["b"]


def test_deleting_everything_takes_answers_and_reports_too(opened, history, monkeypatch):
    from neuroclass.ui.classify import uploads

    monkeypatch.setattr("neuroclass.ui.evidence.evidence.show", lambda case: None)
    judged = []
    measured = uploads._measured
    monkeypatch.setattr(uploads, "_measured", lambda *given: judged.append(given) or measured(*given))
    upload(opened("classify"), ("cells.csv", TABLE))
    upload(opened("classify"), ("cells.csv", TABLE))
    assert len(judged) == 1
    next(b for b in opened("history").button if b.label.startswith("Delete all")).click().run()
    assert history.find(ME) == [] and history.spool.sizes() == {}
    upload(opened("classify"), ("cells.csv", TABLE))
    assert len(judged) == 2


def test_a_search_of_a_thousand_words_is_refused_on_the_page(opened, history):
    entries_of(history, "one.csv")
    app = opened("history", q="word " * 1000)
    assert not app.exception
    assert "1000 words" in app.error[0].value
    assert isinstance(opened("history", q="one").dataframe[0].value, pd.DataFrame)
