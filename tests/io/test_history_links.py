"""A read-only link to a verdict: who makes and opens it, what it shows, and when it leads nowhere."""

import io
from pathlib import Path

import pytest
from sqlalchemy import select

from neuroclass.errors import AccessError, HistoryError
from neuroclass.io.history import DAY_S, History, StoredFile
from neuroclass.io.history_backup import back_up, restore
from neuroclass.io.history_links import link_of, linked, make_link, open_link, withdraw_link
from neuroclass.io.history_tables import Base
from neuroclass.io.quotas import Quotas
from neuroclass.io.spool import Spool
from neuroclass.types.visitors import Right, Role, Visitor

ANSWERS = [{"cell": "a", "broad": {"excitatory": 1.0}}]
ADMIN = Visitor("chief", frozenset(Right), Role.ADMIN)
STRANGER = Visitor("stranger", frozenset(), Role.VISITOR)
LAB = Visitor("colleague", frozenset({Right.OPEN_LINKS}))


@pytest.fixture
def history(database: str, tmp_path: Path) -> History:
    return History(database, Spool(tmp_path / "files"))


@pytest.fixture
def entry(history: History) -> str:
    """An entry that was answered."""
    return classified(history)


def classified(history: History, content: bytes = b"sweeps", owner: str = "me") -> str:
    digest, size = history.spool.put(io.BytesIO(content))
    id = history.begin(owner, [StoredFile("a.abf", digest, size)], {"species": "mouse"}, "c7", now=1000.0)
    history.finish(owner, id, "v1", ANSWERS, "a: excitatory", now=2000.0)
    return id


def test_a_colleague_sees_what_the_owner_saw(history, entry):
    token = make_link(history, "me", entry, "v1", now=3000.0)
    shared = open_link(history, "colleague", token)
    assert (shared.entry.name, shared.entry.cell, shared.entry.context) == ("a.abf", "c7", {"species": "mouse"})
    assert history.spool.path(shared.entry.files[0].digest).read_bytes() == b"sweeps"
    assert (shared.link.made, shared.link.judged, shared.link.model) == (3000.0, 2000.0, "v1")
    assert shared.answers == ANSWERS
    assert link_of(history, "me", entry) == shared.link
    assert linked(history, "me") == {entry: 3000.0}


def test_tokens_differ_are_long_and_only_their_hash_is_kept(history, entry):
    tokens = {make_link(history, "me", entry, "v1") for _ in range(20)}
    assert len(tokens) == 20 and min(map(len, tokens)) >= 43
    with history.database.session() as session:
        rows = str([session.execute(select(*table.columns)).all() for table in Base.metadata.sorted_tables])
    assert "excitatory" in rows
    assert not [token for token in tokens if token in rows]


def test_a_new_link_takes_the_place_of_the_earlier_one(history, entry):
    first, second = make_link(history, "me", entry, "v1"), make_link(history, "me", entry, "v1")
    assert open_link(history, "colleague", first) is None
    assert open_link(history, "colleague", second) is not None


@pytest.mark.parametrize("token", ["", "x" * 43, "\0", "\ud800", "%"])
def test_a_token_that_never_was_opens_nothing(history, entry, token):
    make_link(history, "me", entry, "v1")
    assert open_link(history, "colleague", token) is None


def test_a_withdrawn_link_opens_nothing_and_leaves_the_entry(history, entry):
    token = make_link(history, "me", entry, "v1")
    assert withdraw_link(history, "me", entry) is True
    assert withdraw_link(history, "me", entry) is False
    assert open_link(history, "colleague", token) is None
    assert link_of(history, "me", entry) is None
    assert history.answers("me", entry) == {"v1": ANSWERS}


def test_only_its_owner_and_who_manages_everything_make_and_withdraw_it(history, entry):
    for other in ("colleague", LAB):
        with pytest.raises(HistoryError, match="no kept verdict"):
            make_link(history, other, entry, "v1")
    token = make_link(history, "me", entry, "v1")
    for other in ("colleague", LAB):
        assert link_of(history, other, entry) is None
        assert withdraw_link(history, other, entry) is False
    assert linked(history, "colleague") == {}
    assert open_link(history, LAB, token) is not None
    assert withdraw_link(history, ADMIN, entry) is True
    assert open_link(history, LAB, token) is None


def test_roles_say_who_opens_links_whether_or_not_there_is_one(history, entry):
    for token in (make_link(history, "me", entry, "v1"), "never"):
        with pytest.raises(AccessError, match="may not open a link"):
            open_link(history, STRANGER, token)


@pytest.mark.parametrize("how", ["delete", "delete_all", "prune", "an admin"])
def test_it_dies_with_its_entry(history, entry, how):
    token = make_link(history, "me", entry, "v1")
    if how == "delete":
        history.delete("me", [entry])
    elif how == "delete_all":
        history.delete_all("me")
    elif how == "prune":
        history.prune(days=1, max_bytes=10**9, now=1000.0 + 2 * DAY_S)
    else:
        history.delete(ADMIN, [entry])
    assert open_link(history, "colleague", token) is None
    assert linked(history, "me") == {}
    again = classified(history)
    assert link_of(history, "me", again) is None


def test_opening_changes_neither_histories_nor_how_long_an_entry_is_kept(history, entry):
    mine = classified(history, b"the reader's", owner="colleague")
    history.quotas = Quotas(bytes=0, entries=1)
    before = [history.find(owner) for owner in ("me", "colleague")]
    token = make_link(history, "me", entry, "v1")
    assert open_link(history, "colleague", token) is not None
    assert [history.find(owner) for owner in ("me", "colleague")] == before
    assert [one.id for one in before[1]] == [mine]
    assert history.get("colleague", entry) is None
    assert history.delete("colleague", [entry]) == 0


def test_it_keeps_showing_the_verdict_that_was_shared(history, entry):
    token = make_link(history, "me", entry, "v1")
    history.begin("me", list(history.get("me", entry).files), {"species": "human"}, "c7")
    history.finish("me", entry, "v2", [], "corrected")
    shared = open_link(history, "colleague", token)
    assert (shared.entry.context, shared.answers, shared.link.model) == ({"species": "mouse"}, ANSWERS, "v1")


def test_what_was_not_answered_by_these_models_has_no_link(history, entry):
    with pytest.raises(HistoryError, match="Open the cell on Classify"):
        make_link(history, "me", entry, "v2")


def test_a_link_goes_over_with_the_entry_to_a_login(history, entry):
    token = make_link(history, "me", entry, "v1")
    history.hand_over("me", LAB)
    assert withdraw_link(history, "me", entry) is False
    assert open_link(history, "colleague", token) is not None
    assert withdraw_link(history, LAB, entry) is True


def test_a_backup_carries_links(history, entry, tmp_path):
    token = make_link(history, "me", entry, "v1", now=3000.0)
    before = open_link(history, "colleague", token)
    classified(history, b"without a link")
    back_up(history, tmp_path / "backup.zip")
    other = History(f"sqlite:///{tmp_path / 'other' / 'history.sqlite'}", Spool(tmp_path / "other" / "files"))
    restore(other, tmp_path / "backup.zip")
    assert open_link(other, "colleague", token) == before
    withdraw_link(other, "me", entry)
    restore(other, tmp_path / "backup.zip", overwrite=True)
    assert open_link(other, "colleague", token) == before
    restore(history, tmp_path / "backup.zip", overwrite=True)
    assert open_link(history, "colleague", token) == before
    assert len(linked(history, "me")) == 1
