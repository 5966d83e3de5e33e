"""A read-only link on the pages: the owner makes and withdraws it, a colleague sees the verdict and changes nothing."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.io.history import History
from neuroclass.io.history_links import link_of, make_link, open_link, withdraw_link
from neuroclass.io.spool import Spool
from neuroclass.types.visitors import Role, Visitor
from neuroclass.ui.classify import linked
from neuroclass.ui.history import links

TABLE = b"cell,species,tau,sag,vrest,ri,latency\nA,mouse,20,0.1,-70,150,0.05\n"
ME, COLLEAGUE = "owner-" + "x" * 40, "colleague-" + "y" * 40
STRANGER = Visitor("stranger", frozenset(), Role.VISITOR)
CHANGING = ("correct", "delete", "keep", "withdraw", "make", "measure", "take over", "read it", "close")

pytestmark = pytest.mark.usefixtures("shipped_models")


@pytest.fixture
def history(tmp_path: Path) -> History:
    folder = tmp_path / "cache" / "history"
    return History(f"sqlite:///{folder / 'history.sqlite'}", Spool(folder / "files"))


@pytest.fixture
def opened(open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Run a page as the browser that is named."""

    def run(name: str, who: str = ME, **query: str) -> AppTest:
        monkeypatch.setattr(
            "neuroclass.ui.history.browser_identity.secrets", SimpleNamespace(token_urlsafe=lambda n: who)
        )
        app = open_page(name, **query)
        assert not app.exception
        return app

    return run


@pytest.fixture
def classified(opened: Callable[..., AppTest], history: History) -> str:
    """An entry of the owner's; its id."""
    app = opened("classify")
    app.file_uploader(key="files").upload("cells.csv", TABLE, "text/csv").run()
    assert not app.exception
    return history.find(ME)[0].id


def shown(app: AppTest) -> str:
    kinds = (app.title, app.caption, app.info, app.warning, app.markdown, app.error)
    return "\n".join(str(one.value) for kind in kinds for one in kind)


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click()
    app.run()
    assert not app.exception
    return app


def labels(app: AppTest) -> list[str]:
    kinds: tuple[Any, ...] = (app.button, app.text_input, app.number_input, app.checkbox, app.toggle, app.file_uploader)
    return [str(one.label).lower() for kind in kinds for one in kind]


@pytest.mark.parametrize("place", ["classify", "history"])
def test_the_owner_makes_sees_and_withdraws_a_link_and_a_colleague_follows_it(
    opened, classified, history, place, monkeypatch
):
    if place == "classify":
        app = opened("classify", entry=classified, section="Export")
    else:
        monkeypatch.setattr("neuroclass.ui.history.history.chosen_ids", lambda event, ids: ids)
        app = opened("history")
    press(app, "Make a read-only link")
    (address,) = [one.value for one in app.code if "verdict?link=" in one.value]
    assert "existed since" in shown(app)
    (token,) = parse_qs(urlsplit(address).query)["link"]

    reader = opened("verdict", COLLEAGUE, link=token)
    assert reader.title[0].value == "A colleague's verdict, read only"
    headline = next(one.value for one in app.markdown if one.value.startswith("## ")) if place == "classify" else "## "
    assert headline in shown(reader)
    assert not [one for one in labels(reader) for word in CHANGING if word in one]
    assert history.find(COLLEAGUE) == []

    app = opened("classify", entry=classified, section="Export")  # another session of the owner's
    assert "It was shown when it was made" in shown(app)
    assert token not in "".join(one.value for one in app.code)
    press(app, "Withdraw the link")
    assert "Make a read-only link" in [one.label for one in app.button]
    assert shown(opened("verdict", COLLEAGUE, link=token)) == shown(opened("verdict", COLLEAGUE, link="never"))
    assert linked.GONE in shown(opened("verdict", COLLEAGUE, link=token))


@pytest.mark.parametrize("section", ["Reasons", "How sure", "Features", "Export"])
def test_every_section_of_a_linked_verdict_is_there_and_none_that_changes_it(opened, classified, history, section):
    (model,) = history.answers(ME, classified)
    app = opened("verdict", COLLEAGUE, link=make_link(history, ME, classified, model), section=section)
    (choice,) = [one for one in app.get("button_group") if "Reasons" in one.options]
    assert list(choice.options) == ["Reasons", "How sure", "Features", "Export"]
    assert not [one for one in labels(app) for word in CHANGING if word in one]
    assert not app.error


def test_a_colleagues_own_corrections_and_choice_of_models_do_not_change_it(opened, classified, history):
    (model,) = history.answers(ME, classified)
    token = make_link(history, ME, classified, model)
    plain = opened("verdict", COLLEAGUE, link=token, section="Export")
    other = opened("verdict", COLLEAGUE, link=token, section="Export", species="human", excluded="excitatory")
    assert shown(other) == shown(plain)
    digest = history.find(ME)[0].files[0].digest
    other.session_state[f"sheet-{digest}"] = "another"
    other.run()
    assert not other.exception
    assert shown(other) == shown(plain)


def test_what_the_owner_corrects_later_is_not_in_the_link(opened, classified, history):
    (model,) = history.answers(ME, classified)
    token = make_link(history, ME, classified, model)
    before = shown(opened("verdict", COLLEAGUE, link=token))
    entry = history.find(ME)[0]
    history.begin(ME, list(entry.files), {"species": "human"}, entry.cell)
    assert shown(opened("verdict", COLLEAGUE, link=token)) == before


@pytest.mark.parametrize("lost", ["models", "recordings", "software"])
def test_a_verdict_that_cannot_be_given_again_is_shown_as_it_was_kept(opened, classified, history, lost, monkeypatch):
    (model,) = history.answers(ME, classified)
    if lost == "models":
        answers = history.answers(ME, classified)[model]
        history.finish(ME, classified, "dann 00000000", answers, "A")
        model = "dann 00000000"
    token = make_link(history, ME, classified, model)
    if lost == "recordings":
        history.spool.remove([file.digest for file in history.find(ME)[0].files])
    if lost == "software":
        monkeypatch.setattr(linked, "__version__", "9.9")
    app = opened("verdict", COLLEAGUE, link=token)
    assert "as it was kept" in shown(app)
    assert app.dataframe[0].value["cell"].tolist() == ["A"]


def test_who_may_not_open_links_is_told_so_whether_or_not_there_is_one(opened, classified, history, monkeypatch):
    (model,) = history.answers(ME, classified)
    monkeypatch.setattr(linked, "visitor", lambda: STRANGER)
    token = make_link(history, ME, classified, model)
    first, second = opened("verdict", link=token), opened("verdict", link="never")
    assert "may not open a link" in shown(first)
    assert shown(first) == shown(second)


def test_others_of_a_shared_history_are_told_who_can_make_a_link(opened, classified, history, monkeypatch):
    monkeypatch.setattr("neuroclass.ui.history.history.chosen_ids", lambda event, ids: ids)
    monkeypatch.setattr(links, "visitor", lambda: STRANGER)
    app = opened("history")
    assert "Who classified this cell can make" in shown(app)
    assert "Make a read-only link" not in [one.label for one in app.button]


def test_a_link_is_withdrawn_also_while_its_cell_waits_to_be_classified_again(opened, classified, history, monkeypatch):
    monkeypatch.setattr("neuroclass.ui.history.history.chosen_ids", lambda event, ids: ids)
    (model,) = history.answers(ME, classified)
    make_link(history, ME, classified, model)
    history.begin(ME, list(history.find(ME)[0].files), {"species": "human"})
    app = press(opened("history"), "Withdraw the link")
    assert link_of(history, ME, classified) is None
    assert "once the cell is classified" in shown(app)


def test_a_link_is_as_the_server_is_reached(monkeypatch):
    for here, expected in (
        ("https://lab.example/neuro/classify", "https://lab.example/neuro/verdict?link=a-b"),
        ("http://localhost:8501/history?entry=x", "http://localhost:8501/verdict?link=a-b"),
    ):
        monkeypatch.setattr(links, "st", SimpleNamespace(context=SimpleNamespace(url=here)))
        assert links.address("a-b") == expected


def test_a_link_withdrawn_elsewhere_is_gone_here(opened, classified, history):
    app = press(opened("classify", entry=classified, section="Export"), "Make a read-only link")
    assert link_of(history, ME, classified) is not None
    token = parse_qs(urlsplit(next(one.value for one in app.code if "link=" in one.value)).query)["link"][0]
    assert open_link(history, COLLEAGUE, token) is not None
    withdraw_link(history, ME, classified)
    app.run()
    assert token not in "".join(one.value for one in app.code)
    assert "Make a read-only link" in [one.label for one in app.button]
