"""A backup holds the whole history and is restored wholly or not at all, from any database to any other."""

import io
import json
import multiprocessing
import os
import stat
import zipfile
from pathlib import Path

import pytest

from neuroclass.errors import HistoryError
from neuroclass.io import history_backup, history_database
from neuroclass.io.history import DONE, PENDING, History, StoredFile
from neuroclass.io.history_backup import ENTRIES, FILES, MANIFEST, Contents, back_up, restore
from neuroclass.io.spool import Spool

ANSWERS = {"v1": [{"cell": "a", "broad": {"excitatory": 1.0}}], "v2": []}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_database, "PAUSE_S", 0.0)


def upload(history: History, content: bytes, name: str = "a.abf") -> StoredFile:
    digest, size = history.spool.put(io.BytesIO(content))
    return StoredFile(name, digest, size)


@pytest.fixture
def full(tmp_path: Path) -> History:
    """A history in a file with three entries of two owners, one of them unanswered, and a file that two hold."""
    history = History(f"sqlite:///{tmp_path / 'from' / 'history.sqlite'}", Spool(tmp_path / "from" / "files"))
    shared = upload(history, b"shared")
    first = history.begin("me", [shared, upload(history, b"own", "own\N{MICRO SIGN}.abf")], {"n": [1]}, "c7")
    for model, answers in ANSWERS.items():
        history.finish("me", first, model, answers, "a: excitatory")
    history.begin("you", [shared], {})
    history.begin("you", [upload(history, b"third")], {})
    return history


@pytest.fixture
def backup(full: History, tmp_path: Path) -> Path:
    path = tmp_path / "backup.zip"
    assert back_up(full, path) == Contents(entries=3, files=3, bytes=14, missing=0)
    return path


@pytest.fixture
def empty(database: str, tmp_path: Path) -> History:
    return History(database, Spool(tmp_path / "to"))


def everything(history: History) -> list[object]:
    found = []
    for owner in ("me", "you"):
        for entry in sorted(history.find(owner), key=lambda one: one.id):
            contents = [history.spool.path(file.digest).read_bytes() for file in entry.files]
            found.append((owner, entry, contents, history.answers(owner, entry.id)))
    return found


def test_what_is_restored_is_what_was_there_in_whichever_database(full, backup, empty):
    before = empty.generation()
    assert restore(empty, backup) == Contents(3, 3, 14, 0)
    assert len(everything(full)) == 3
    assert everything(empty) == everything(full)
    assert {state for _, entry, *_ in everything(empty) for state in [entry.state]} == {DONE, PENDING}
    assert empty.generation() != before
    assert not list(empty.spool.folder.glob("claim-*"))


def test_a_backup_of_a_server_goes_into_a_file_and_back(full, backup, empty, tmp_path):
    restore(empty, backup)
    back_up(empty, tmp_path / "again.zip")
    other = History(f"sqlite:///{tmp_path / 'other.sqlite'}", Spool(tmp_path / "other"))
    restore(other, tmp_path / "again.zip")
    assert everything(other) == everything(full)


def test_a_backup_is_its_owners_and_replaces_a_file_only_when_told(full, backup):
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    content = backup.read_bytes()
    with pytest.raises(HistoryError, match="exists"):
        back_up(full, backup)
    assert backup.read_bytes() == content
    full.delete_all("you")
    assert back_up(full, backup, overwrite=True).entries == 1


def test_a_history_with_entries_is_replaced_only_when_told(full, backup, empty):
    mine = empty.begin("me", [upload(empty, b"newer")], {})
    with pytest.raises(HistoryError, match="has 1 entries"):
        restore(empty, backup)
    assert [entry.id for entry in empty.find("me")] == [mine]
    assert len(empty.spool.sizes()) == 1
    restore(empty, backup, overwrite=True)
    assert everything(empty) == everything(full)
    assert len(empty.spool.sizes()) == 3


def test_a_file_that_is_gone_or_damaged_is_counted_and_the_entry_kept(full, empty, tmp_path):
    entry, other = full.find("you")
    full.spool.path(entry.files[0].digest).unlink()
    full.spool.path(other.files[0].digest).write_bytes(b"another")
    contents = back_up(full, tmp_path / "b.zip")
    assert (contents.entries, contents.files, contents.missing) == (3, 1, 2)
    restore(empty, tmp_path / "b.zip")
    assert {one.id for one in empty.find("you")} == {entry.id, other.id}


def changed(path: Path, name: str, content: bytes | None) -> None:
    """Write an archive again with one member replaced, or without it."""
    with zipfile.ZipFile(path) as archive:
        members = {one: archive.read(one) for one in archive.namelist()}
    members.pop(name)
    if content is not None:
        members[name] = content
    with zipfile.ZipFile(path, "w") as archive:
        for one, what in members.items():
            archive.writestr(one, what)


def manifest_of(path: Path) -> dict[str, object]:
    with zipfile.ZipFile(path) as archive:
        return dict(json.loads(archive.read(MANIFEST)))


def lines_of(path: Path, change) -> None:
    """Write the entries anew, with a checksum that fits."""
    import hashlib

    with zipfile.ZipFile(path) as archive:
        plain = [json.loads(line) for line in archive.read(ENTRIES).splitlines()]
    lines = "".join(f"{json.dumps(one)}\n" for one in change(plain)).encode()
    manifest = manifest_of(path) | {"entries_sha256": hashlib.sha256(lines).hexdigest()}
    changed(path, ENTRIES, lines)
    changed(path, MANIFEST, json.dumps(manifest).encode())


def a_file_of(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return next(name for name in archive.namelist() if name.startswith(FILES))


DAMAGE = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "turned bit": lambda path: path.write_bytes(bytes([one ^ (k == 120) for k, one in enumerate(path.read_bytes())])),
    "no archive": lambda path: path.write_bytes(b"something else"),
    "empty": lambda path: path.write_bytes(b""),
    "another archive": lambda path: changed(path, MANIFEST, None),
    "manifest of another": lambda path: changed(path, MANIFEST, b'{"format": "other"}'),
    "manifest a list": lambda path: changed(path, MANIFEST, b"[]"),
    "fewer entries": lambda path: changed(path, ENTRIES, b""),
    "no entries": lambda path: changed(path, ENTRIES, None),
    "file changed": lambda path: changed(path, a_file_of(path), b"other"),
    "file missing": lambda path: changed(path, a_file_of(path), None),
    "one entry less": lambda path: lines_of(path, lambda plain: plain[1:]),
    "entry without a name": lambda path: lines_of(path, lambda plain: [*plain[1:], {**plain[0], "name": None}]),
    "path for a digest": lambda path: lines_of(
        path, lambda plain: [*plain[1:], {**plain[0], "files": [{"name": "a", "digest": "../../x", "size": 1}]}]
    ),
    "a text": lambda path: lines_of(path, lambda plain: [*plain[1:], "entry"]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_changes_nothing(full, backup, tmp_path, damage):
    DAMAGE[damage](backup)
    history = History("sqlite://", Spool(tmp_path / "to"))
    mine = history.begin("me", [upload(history, b"mine")], {})
    with pytest.raises(HistoryError, match="backup"):
        restore(history, backup, overwrite=True)
    assert [entry.id for entry in history.find("me")] == [mine]
    assert len(history.spool.sizes()) == 1


def _restore_and_die(url: str, folder: Path, backup: Path) -> None:
    history, made, row = History(url, Spool(folder)), [], history_backup._row

    def dying(plain, number, path):
        made.append(number)
        if len(made) > 4:  # three while it is checked, then in the middle of the transaction
            os._exit(9)
        return row(plain, number, path)

    history_backup._row = dying
    restore(history, backup, overwrite=True)


def test_a_restoration_that_is_killed_leaves_the_history_as_it_was(full, backup, database, tmp_path):
    history = History(database, Spool(tmp_path / "to"))
    mine = history.begin("me", [upload(history, b"mine")], {})
    process = multiprocessing.get_context("fork").Process(
        target=_restore_and_die, args=(database, tmp_path / "to", backup)
    )
    process.start()
    process.join(30)
    assert process.exitcode == 9
    assert [entry.id for entry in history.find("me")] == [mine]
    assert history.find("you") == []
    restore(history, backup, overwrite=True)
    assert everything(history) == everything(full)


def test_a_full_disk_leaves_no_backup(full, tmp_path, monkeypatch):
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history_backup, "_add", no_room)
    with pytest.raises(HistoryError, match="No space left"):
        back_up(full, tmp_path / "b" / "backup.zip")
    assert list((tmp_path / "b").iterdir()) == []
