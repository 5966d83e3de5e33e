"""How much of the history is whose, for whoever administers the server."""

import io
from pathlib import Path

import pytest

from neuroclass.errors import AccessError
from neuroclass.io.history import DAY_S, History, StoredFile, hidden_owner
from neuroclass.io.history_backup import back_up
from neuroclass.io.history_usage import note_login, usage
from neuroclass.io.spool import Spool
from neuroclass.types.visitors import Visitor

ADA = Visitor("login of Ada", frozenset(), name="Ada")


@pytest.fixture
def history(database: str, tmp_path: Path) -> History:
    return History(database, Spool(tmp_path / "files"))


def upload(history: History, content: bytes, name: str = "a.abf") -> StoredFile:
    digest, size = history.spool.put(io.BytesIO(content))
    return StoredFile(name, digest, size)


def test_a_content_counts_once_an_owner(history):
    shared = upload(history, b"shared")
    history.begin("me", [shared, upload(history, b"own")], {}, "c7")
    for file in (shared, upload(history, b"third"), upload(history, b"shared", "renamed.abf")):
        history.begin("you", [file], {})
    assert {one.owner: (one.entries, one.bytes) for one in usage(history)} == {
        hidden_owner("me"): (1, 9),
        hidden_owner("you"): (3, 11),
    }
    assert [one.entries for one in usage(history, hidden_owner("me"))] == [1]


def test_who_logged_in_has_a_name_until_they_stay_away(history):
    history.begin(ADA, [upload(history, b"x")], {})
    history.begin("a browser", [upload(history, b"x")], {})
    for name in ("Ada", "Ada L."):
        note_login(history, Visitor(ADA.owner, frozenset(), name=name), now=1e9)
    assert {one.owner: one.name for one in usage(history)} == {
        hidden_owner(ADA): "Ada L.",
        hidden_owner("a browser"): "",
    }
    history.prune(days=90, max_bytes=10_000, now=1e9 + 89 * DAY_S)
    assert {one.name for one in usage(history)} == {"Ada L.", ""}
    history.prune(days=90, max_bytes=10_000, now=1e9 + 91 * DAY_S)
    assert {one.name for one in usage(history)} == {""}


def test_it_is_for_admins(history, tmp_path):
    with pytest.raises(AccessError):
        usage(history, by=ADA)
    with pytest.raises(AccessError):
        history.prune(1, 1, by=ADA)
    with pytest.raises(AccessError):
        back_up(history, tmp_path / "b.zip", by=ADA)
    assert not (tmp_path / "b.zip").exists()
