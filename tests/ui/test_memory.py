"""What pages leave behind in memory: bounded, and gone when nobody looks."""

import ast
import gc
import io
import weakref
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import SimpleNamespace

import pytest
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from neuroclass.classification.analysis import analyse
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.config import PROJECT_DIR
from neuroclass.errors import RecordingError
from neuroclass.ui import cache, housekeeping, kept
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.classify import uploads
from neuroclass.ui.kept import Kept
from tests.ephys import planted

UI = PROJECT_DIR / "neuroclass" / "ui"
HEAVY = ("RecordingAnalysis", "Recording", "SweepSummary", "Sweep", "Traced", "MeasuredCell")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(time=0.0)
    monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: now.time))
    return now


def test_what_nobody_uses_is_forgotten_after_a_time_and_what_is_used_is_not(clock):
    some: Kept[str] = Kept(100, len, idle_s=60)
    for_ever: Kept[str] = Kept(100, len)
    for one in (some, for_ever):
        one.put("old", "x")
        one.put("used", "y")
    clock.time = 50
    assert some.get("used") == "y"
    clock.time = 70
    kept.forget_idle()
    assert (some.get("old"), some.get("used")) == (None, "y")
    assert for_ever.get("old") == "x"


def test_what_is_kept_is_made_once_and_what_weighs_nothing_anew():
    some: Kept[str] = Kept(100, len)
    made: list[str] = []

    def make(value: str) -> Callable[[], str]:
        return lambda: made.append(value) or value

    assert [some.get_or_make("a", make("x")) for _ in range(3)] == ["x"] * 3
    assert [some.get_or_make("b", make("")) for _ in range(3)] == [""] * 3
    assert made == ["x", "", "", ""]


def test_recordings_are_bounded_together_and_by_time(clock, monkeypatch):
    monkeypatch.setattr(cache, "SAMPLE_BYTES", 3_000_000)
    uploads._recordings.clear()
    recordings = uploads._recordings()
    held = []
    for name in "abcd":
        analysis = analyse(planted.small(20_000.0))
        held.append(weakref.ref(analysis))
        recordings.put(name, [MeasuredCell(name, name, "mouse", {}, {}, analysis=analysis)])
        size = analysis.n_bytes
    del analysis
    gc.collect()
    alive = [one() for one in held if one() is not None]
    assert sum(one.n_bytes for one in alive) <= max(3_000_000, size) and len(alive) < len(held)
    del alive
    clock.time = cache.IDLE_S + 1
    housekeeping.tidy()
    assert all(one() is None for one in held)
    uploads._recordings.clear()


def fragments() -> list[tuple[str, ast.FunctionDef]]:
    found = []
    for path in UI.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and any("fragment" in ast.unparse(d) for d in node.decorator_list):
                found.append((path.name, node))
    return found


def test_no_fragment_holds_the_samples_of_a_recording_while_its_page_is_open():
    found = fragments()
    assert len(found) >= 8
    for name, one in found:
        words = " ".join(ast.unparse(a.annotation) for a in one.args.args if a.annotation is not None)
        assert not set(words.replace("[", " ").replace("]", " ").split()) & set(HEAVY), f"{name}: {one.name}"


def test_a_case_does_not_hold_the_samples_of_its_recording():
    from neuroclass.ui.evidence.case import Case

    words = {str(one.type) for one in fields(Case)}
    assert not [word for word in words if any(heavy in word for heavy in HEAVY)]
    assert isinstance(vars(Case)["analysis"], property) and isinstance(vars(Case)["traced"], property)


def test_a_lent_recording_that_is_gone_is_said_in_words():
    with pytest.raises(RecordingError, match="no longer on this machine"):
        Lent(lambda: None)()


@dataclass(eq=False)
class Session:
    id: str


def test_expired_sessions_are_let_go_though_no_other_session_comes(monkeypatch):
    storage = MemorySessionStorage(ttl_seconds=0)
    session = SimpleNamespace(session=Session("gone"))
    reference = weakref.ref(session.session)
    storage.save(session)
    runtime = SimpleNamespace(_session_mgr=SimpleNamespace(_session_storage=storage))
    del session
    monkeypatch.setattr(housekeeping, "Runtime", SimpleNamespace(exists=lambda: True, instance=lambda: runtime))
    gc.collect()
    assert reference() is not None
    housekeeping.end_expired_sessions()
    gc.collect()
    assert reference() is None


def test_streamlit_keeps_its_sessions_where_we_look_for_them():
    from streamlit.runtime.runtime import Runtime
    from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

    manager = WebsocketSessionManager(MemorySessionStorage(), None, None, lambda *_: None)
    assert hasattr(manager._session_storage._cache, "expire")
    assert "_session_mgr" in Runtime.__init__.__code__.co_names


def test_an_uploads_bytes_leave_the_memory_and_its_name_stays(monkeypatch):
    manager = MemoryUploadedFileManager("/upload")
    record = UploadedFileRec("7", "cell.abf", "application/octet-stream", b"x" * 1000)
    manager.add_file("s", record)
    context = SimpleNamespace(uploaded_file_mgr=manager, session_id="s")
    monkeypatch.setattr(housekeeping, "get_script_run_ctx", lambda: context)
    housekeeping.release(UploadedFile(record, None))
    (left,) = manager.get_files("s", ["7"])
    assert (left.name, left.data) == ("cell.abf", b"")


def test_a_released_upload_is_not_taken_for_an_empty_file_later(monkeypatch):
    import streamlit as st

    from neuroclass.errors import RejectedInput
    from neuroclass.io.history import StoredFile
    from neuroclass.ui.classify import received

    state: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", state)
    released = []
    monkeypatch.setattr(received, "release", released.append)
    monkeypatch.setattr(received, "_keep", lambda file: [StoredFile(file.name, "0" * 64, 3)])
    file = SimpleNamespace(file_id="7", name="cell.abf", getvalue=io.BytesIO(b"abc").getvalue)
    assert isinstance(received.taken(file)[0], StoredFile) and released == [file]
    (again,) = received.taken(file)
    assert isinstance(again, RejectedInput) and "drop it again" in str(again.error)
    assert CellInput.single("cell.abf", b"").files[0].size == 0
