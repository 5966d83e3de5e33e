"""Who has as much as the server allows is told so; what they have stays."""

import io
import time

import pytest

from neuroclass.errors import QuotaError, SettingsError
from neuroclass.io.history import History, StoredFile
from neuroclass.io.quotas import ENTRIES_VARIABLE, MB_VARIABLE, RUNS_VARIABLE, Quotas, quotas
from neuroclass.io.spool import Spool
from neuroclass.training import runs
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.runs import RunConfig


def upload(history: History, content: bytes) -> StoredFile:
    digest, size = history.spool.put(io.BytesIO(content))
    return StoredFile("a.abf", digest, size)


def test_entries_beyond_the_quota_are_refused_and_nothing_is_lost(database, tmp_path):
    history = History(database, Spool(tmp_path / "files"), quotas=Quotas(entries=2))
    files = [upload(history, bytes([k])) for k in range(3)]
    ids = [history.begin("me", [file], {}) for file in files[:2]]
    with pytest.raises(QuotaError, match="2 entries"):
        history.begin("me", [files[2]], {})
    assert history.begin("me", [files[0]], {"species": "human"}) == ids[0]  # what is there may be opened again
    assert history.begin("you", [files[2]], {})
    assert {entry.id for entry in history.find("me")} == set(ids)
    history.delete("me", ids[:1])
    assert history.begin("me", [files[2]], {})


def test_bytes_beyond_the_quota_are_refused_and_a_content_counts_once(database, tmp_path):
    history = History(database, Spool(tmp_path / "files"), quotas=Quotas(bytes=2_000_000))
    large, small = upload(history, b"x" * 1_500_000), upload(history, b"y" * 600_000)
    history.begin("me", [large], {})
    history.begin("me", [large], {}, "the same content as another cell")
    with pytest.raises(QuotaError, match=r"this adds .* this server allows 2 MB"):
        history.begin("me", [small], {})
    assert len(history.find("me")) == 2
    assert history.spool.path(small.digest).is_file()


def test_runs_beyond_the_quota_wait_for_tomorrow(tmp_path, monkeypatch):
    monkeypatch.setenv(RUNS_VARIABLE, "1")
    registry = JobRegistry(tmp_path)
    monkeypatch.setattr(registry, "advance", lambda: None)
    first = registry.start(RunConfig("dann"), "me")
    with pytest.raises(QuotaError, match="allows 1"):
        registry.start(RunConfig("dann"), "me")
    registry.start(RunConfig("dann"), "you")
    record = runs.read_json(tmp_path / first / runs.JOB)
    runs.write_json(tmp_path / first / runs.JOB, record | {"queued": time.time() - 90_000})
    assert registry.start(RunConfig("dann"), "me")


def test_settings(monkeypatch):
    assert quotas().bytes == 5_000_000_000
    monkeypatch.setenv(MB_VARIABLE, "7")
    monkeypatch.setenv(ENTRIES_VARIABLE, "none")
    assert (quotas().bytes, quotas().entries) == (7_000_000, None)
    for value in ("0", "-1", "many", "1.5"):
        monkeypatch.setenv(MB_VARIABLE, value)
        with pytest.raises(SettingsError, match="whole number"):
            quotas()
