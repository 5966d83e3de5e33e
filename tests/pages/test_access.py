"""What pages show to whom: nothing before a required login, no form to those who may not, Admin to admins."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.config import PROJECT_DIR
from neuroclass.io.history import DAY_S, History, StoredFile, hidden_owner
from neuroclass.io.history_place import HISTORY_VARIABLE
from neuroclass.io.migrations import HEAD
from neuroclass.io.quotas import ENTRIES_VARIABLE
from neuroclass.io.spool import Spool
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.runs import RunConfig
from neuroclass.types.visitors import ADMINS_VARIABLE, LOGIN_VARIABLE, Role, Visitor
from neuroclass.ui.admin import admin
from neuroclass.ui.train import form
from tests.pages.conftest import TIMEOUT_S

Open = Callable[..., AppTest]
NOBODY = Visitor("someone", frozenset(), Role.VISITOR, "Eve")


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """The history of the pages, with an old entry."""
    folder = tmp_path / "history"
    monkeypatch.setenv(HISTORY_VARIABLE, str(folder))
    history = History(f"sqlite:///{folder / 'history.sqlite'}", Spool(folder / "files"))
    digest, size = history.spool.put(io.BytesIO(b"x" * 1000))
    history.begin("me", [StoredFile("secret name.abf", digest, size)], {})
    return history


def shown(app: AppTest) -> str:
    kinds = (app.title, app.caption, app.info, app.warning, app.markdown, app.error)
    frames = "".join(frame.value.to_csv() for frame in app.dataframe)
    return "\n".join(str(one.value) for kind in kinds for one in kind) + frames


def dashboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    app = AppTest.from_file(str(PROJECT_DIR / "dashboard" / "main.py"), default_timeout=TIMEOUT_S)
    app.secrets["auth"] = {"client_id": "x", "redirect_uri": "http://localhost/oauth2callback"}
    return app


def test_where_a_login_is_required_nothing_is_shown_without_one(monkeypatch, tmp_path):
    monkeypatch.setenv(LOGIN_VARIABLE, "required")
    app = dashboard(monkeypatch, tmp_path).run()
    assert not app.exception
    assert [button.label for button in app.button] == ["Log in"]
    assert "Log in to go on" in shown(app)
    assert len(app.main) == 3  # title, sentence, button
    monkeypatch.setenv(LOGIN_VARIABLE, "optional")
    assert len(dashboard(monkeypatch, tmp_path).run().main) > 3


def test_who_follows_a_link_is_told_to_open_it_again_after_the_login(monkeypatch, tmp_path):
    monkeypatch.setenv(LOGIN_VARIABLE, "required")
    app = dashboard(monkeypatch, tmp_path)
    app.query_params["link"] = "token"
    assert "Log in to go on, then open the link again." in shown(app.run())


def test_a_required_login_that_the_server_does_not_have_shows_nothing_either(monkeypatch, tmp_path):
    monkeypatch.setenv(LOGIN_VARIABLE, "required")
    app = dashboard(monkeypatch, tmp_path)
    del app.secrets["auth"]
    app.run()
    assert "has no login" in app.error[0].value
    assert len(app.main) == 1


def test_admin_is_for_admins(open_page: Open, history, monkeypatch):
    app = open_page("admin")
    assert "may not administer" in app.error[0].value
    assert not app.dataframe and not app.button
    monkeypatch.setattr(admin, "visitor", lambda: NOBODY)
    assert "may not administer" in open_page("admin").error[0].value


def test_admin_shows_usage_and_state_and_prunes_and_cancels(open_page: Open, history, monkeypatch, tmp_path):
    monkeypatch.setenv(ADMINS_VARIABLE, "everyone")
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(JobRegistry, "advance", lambda self: None)
    JobRegistry().start(RunConfig("dann"), "me")
    app = open_page("admin")
    assert not app.exception and not [one for one in app.error if "Access" in one.value]
    text = shown(app)
    assert hidden_owner("me")[: admin.DIGITS] in text
    assert "1 owners with 1 entries; 0.0 MB" in text
    assert "queued" in text and f"Revision of the history's tables: {HEAD}" in text
    assert "secret name" not in text
    with history.database.session() as session:
        session.connection().exec_driver_sql(f"UPDATE entries SET opened = opened - {100 * DAY_S}")
    next(one for one in app.button if one.label == "Prune now").click().run()
    assert history.find("me") == []


def test_who_may_not_train_gets_no_form(open_page: Open, monkeypatch):
    monkeypatch.setattr(form, "visitor", lambda: NOBODY)
    app = open_page("train")
    assert "may not train models" in app.error[0].value
    assert not [one for one in app.button if one.label == "Start training"]


def test_beyond_the_quota_the_page_says_so_and_keeps_what_is_there(open_page: Open, history, monkeypatch, tmp_path):
    from neuroclass.classification.inputs import CellInput, InputFile
    from neuroclass.classification.metadata import CellMetadata
    from neuroclass.ui.classify import uploads

    monkeypatch.setenv(ENTRIES_VARIABLE, "1")
    monkeypatch.setattr(uploads, "visitor", lambda: "me")
    digest, _ = history.spool.put(io.BytesIO(b"another"))
    another = CellInput((InputFile("b.csv", history.spool.path(digest), digest),), "")
    assert uploads.keep(another, CellMetadata()) is None
    assert len(history.find("me")) == 1
    assert history.spool.path(digest).is_file()

    def page() -> None:
        from neuroclass.ui.classify import uploads

        uploads.what_was_not_kept()

    app = AppTest.from_function(page, default_timeout=TIMEOUT_S)
    import streamlit as st

    app.session_state["not-kept"] = st.session_state["not-kept"]
    (warning,) = app.run().warning
    assert "Not kept in the history" in warning.value and "allows 1" in warning.value
