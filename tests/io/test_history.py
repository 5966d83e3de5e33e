"""What is kept of classified cells, for whom and for how long."""

import io
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from neuroclass.errors import HistoryError
from neuroclass.io.history import DAY_S, DONE, PENDING, History, StoredFile
from neuroclass.io.history_tables import Base
from neuroclass.io.spool import Spool

ANSWER = [{"cell": "a", "broad": {"excitatory": 1.0}}]


@pytest.fixture
def history(database: str, tmp_path: Path) -> History:
    return History(database, Spool(tmp_path / "files"))


def upload(history: History, content: bytes, name: str = "a.abf") -> StoredFile:
    digest, size = history.spool.put(io.BytesIO(content))
    return StoredFile(name, digest, size)


def test_an_upload_is_kept_before_it_is_answered_and_survives_the_end_of_the_process(history, database, tmp_path):
    file = upload(history, b"sweeps")
    id = history.begin("me", [file], {"species": "mouse"})
    again = History(database, Spool(tmp_path / "files"))
    (entry,) = again.find("me")
    assert (entry.id, entry.state, entry.files, entry.context) == (id, PENDING, (file,), {"species": "mouse"})
    assert again.spool.path(file.digest).read_bytes() == b"sweeps"
    again.finish("me", id, "v1", ANSWER, "a: excitatory")
    assert again.get("me", id).state == DONE


def test_nobody_else_finds_opens_changes_or_deletes_an_entry(history):
    id = history.begin("me", [upload(history, b"mine")], {})
    history.finish("other", id, "v1", ANSWER, "stolen")
    assert history.find("other") == []
    assert history.get("other", id) is None
    assert history.answers("other", id) == {}
    assert history.delete("other", [id]) == 0
    assert history.get("me", id).state == PENDING


def test_the_database_does_not_hold_the_owners_secret(history):
    history.begin("my-secret-cookie", [upload(history, b"x")], {})
    with history.database.session() as session:
        rows = [session.execute(select(table)).all() for table in Base.metadata.sorted_tables]
    assert any(rows)
    assert "my-secret-cookie" not in str(rows)


def test_a_shared_history_is_everyones(database, tmp_path):
    shared = History(database, Spool(tmp_path / "files"), shared=True)
    id = shared.begin("me", [upload(shared, b"x")], {})
    assert [entry.id for entry in shared.find("other")] == [id]
    assert shared.delete("other", [id]) == 1


def test_the_same_files_are_the_same_entry_with_the_latest_context(history):
    files = [upload(history, b"ramp", "ramp.abf"), upload(history, b"steps", "steps.abf")]
    first = history.begin("me", files, {"species": "mouse"}, "c7")
    assert history.begin("me", files, {"species": "human"}, "c7") == first
    assert history.get("me", first).context == {"species": "human"}
    assert history.begin("me", files, {}, "c8") != first
    assert history.begin("you", files, {}, "c7") != first


def test_two_versions_of_the_models_are_kept_side_by_side(history):
    id = history.begin("me", [upload(history, b"x")], {})
    other = [{"cell": "a", "broad": {"excitatory": 0.4}}]
    for model, content in (("v1", []), ("v1", ANSWER), ("v2", other)):
        history.finish("me", id, model, content, "")
    assert history.answers("me", id) == {"v1": ANSWER, "v2": other}
    assert history.get("me", id).models == ("v1", "v2")


def test_verdicts_are_those_of_the_entrys_metadata(history):
    files = [upload(history, b"x")]
    id = history.begin("me", files, {"species": "mouse"})
    history.finish("me", id, "v1", ANSWER, "", context={"species": "mouse"})
    history.begin("me", files, {"species": "human"})
    assert history.answers("me", id) == {}
    history.finish("me", id, "v1", ANSWER, "", context={"species": "mouse"})  # of another tab, too late
    assert (history.answers("me", id), history.get("me", id).state) == ({}, PENDING)
    history.finish("me", id, "v2", ANSWER, "", context={"species": "human"})
    history.begin("me", files, {"species": "human"})
    assert history.answers("me", id) == {"v2": ANSWER}


def test_every_word_is_searched_and_signs_mean_themselves(history):
    for name, summary in (("slice1.abf", "a: Pvalb"), ("slice2.abf", "b: Sst"), ("100%_x.abf", "c: Sst")):
        id = history.begin("me", [upload(history, name.encode(), name)], {})
        history.finish("me", id, "v1", [], summary)
    names = lambda text: sorted(entry.name for entry in history.find("me", text))  # noqa: E731
    assert names("SLICE pvalb") == ["slice1.abf"]
    assert names("sst") == ["100%_x.abf", "slice2.abf"]
    assert names("%") == names("_") == ["100%_x.abf"]
    assert names("'; DROP TABLE entries; --") == []


def test_deleting_an_entry_deletes_its_file_unless_another_has_it(history):
    shared, own = upload(history, b"shared"), upload(history, b"own")
    first = history.begin("me", [shared, own], {}, "c")
    second = history.begin("you", [shared], {})
    assert history.delete("me", [first]) == 1
    assert set(history.spool.sizes()) == {shared.digest}
    history.delete("you", [second])
    assert history.spool.sizes() == {}


def test_old_entries_and_the_longest_unused_files_go(history):
    now = 1e9
    old = upload(history, b"old")
    history.begin("me", [old], {}, now=now - 100 * DAY_S)
    young = [upload(history, bytes([k]) * 1000, f"{k}") for k in range(3)]
    for file in young:
        history.begin("me", [file], {}, now=now - 5 * DAY_S)
    history.prune(days=90, max_bytes=2000, now=now)
    assert sorted(entry.name for entry in history.find("me")) == ["0", "1", "2"]
    assert old.digest not in history.spool.sizes()
    assert sum(history.spool.sizes().values()) == 2000


def test_files_are_for_their_owner_only_and_no_path_leads_out(history, tmp_path):
    file = upload(history, b"x")
    assert stat.S_IMODE(history.spool.path(file.digest).stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="no SHA-256"):
        history.spool.path("../../etc/passwd")


def test_threads_write_at_once(history):
    file = upload(history, b"x")
    failures = []

    def work(k: int) -> None:
        try:
            id = history.begin(f"user {k}", [file], {})
            history.finish(f"user {k}", id, "v1", ANSWER, "")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert all(len(history.find(f"user {k}")) == 1 for k in range(20))


def test_an_address_that_leads_nowhere_is_refused(tmp_path):
    for url in ("no such thing://", "nonsense", "postgresql://nobody@localhost:1/none"):
        with pytest.raises(HistoryError, match="NEUROCLASS_HISTORY"):
            History(url, Spool(tmp_path / "files"))


def test_deleting_all_leaves_what_others_keep(tmp_path):
    for shared in (True, False):
        history = History("sqlite://", Spool(tmp_path / "files"), shared=shared)
        for who in ("me", "you"):
            history.begin(who, [upload(history, who.encode(), who)], {})
        assert history.delete_all("me") == 1
        assert [entry.name for entry in history.find("you")] == ["you"]


def test_twenty_threads_that_bring_the_same_files_make_one_entry(history):
    file, found, failures = upload(history, b"x"), [], []
    together = threading.Barrier(20)

    def work() -> None:
        try:
            together.wait(20)
            found.append(history.begin("me", [file], {}))
            history.finish("me", found[-1], "v1", ANSWER, "")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(set(found)) == 1
    assert len(history.find("me")) == 1


@pytest.mark.parametrize("odd", ["nul \0 inside", "half a character \udcff", "\N{MICRO SIGN}V \N{EM DASH} x"])
def test_any_text_is_kept_and_looked_for(history, odd):
    id = history.begin("me", [upload(history, b"x", odd)], {"note": odd}, odd)
    history.finish("me", id, "v1", [{"cell": odd}], odd)
    assert history.get("me", id).context == {"note": odd}
    assert history.answers("me", id) == {"v1": [{"cell": odd}]}
    assert [entry.id for entry in history.find("me", odd)] == [id]
    assert history.get("me", odd) is None
    assert history.delete("me", [odd, id]) == 1


def test_a_file_beyond_two_gigabytes_has_its_size(history):
    file = StoredFile("large.nwb", upload(history, b"x").digest, 5_000_000_000)
    id = history.begin("me", [file], {})
    assert history.get("me", id).files == (file,)
