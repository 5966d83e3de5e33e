"""Large uploads through Streamlit's own routes: on disk, whole, and never in Streamlit's memory."""

import re
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from streamlit import config
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile
from streamlit.web.server.starlette import starlette_routes

from neuroclass.config import PROJECT_DIR
from neuroclass.ui import arrivals
from tests import loops

LARGE = b"\x00\r\n--" + b"sweep" * (arrivals.LARGE_BYTES // 5 + 1)
SMALL = b"sweep"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    manager = MemoryUploadedFileManager("/upload")
    runtime = SimpleNamespace(is_active_session=lambda session: session == "s")
    routes = starlette_routes.create_upload_routes(runtime, manager, "")
    context = SimpleNamespace(session_id="s")
    monkeypatch.setattr(arrivals, "get_script_run_ctx", lambda: context)
    monkeypatch.setattr(starlette_routes, "is_xsrf_enabled", lambda: False)
    yield SimpleNamespace(app=arrivals.LargeUploads(Starlette(routes=routes)), manager=manager)
    for one in arrivals._arrived.values():
        one.file.close()
    arrivals._arrived.clear()


def _put(server, content: bytes, session: str = "s"):
    files = {"file": ('a "small" cell é.abf', content, "application/x-abf")}
    return _sent(server, session, files=files)


def _sent(server, session: str, **body):
    async def put() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app), base_url="http://here") as client:
            return await client.put(f"/_stcore/upload_file/{session}/7", **body)

    return loops.run(put())


def _on_page(server) -> UploadedFile:
    (record,) = server.manager.get_files("s", ["7"])
    return UploadedFile(record, None)


@pytest.mark.parametrize("content", [LARGE, SMALL])
def test_a_page_reads_what_was_sent_wherever_it_is_kept(server, content):
    assert _put(server, content).status_code == 204
    file = _on_page(server)
    assert file.name == _named(server, SMALL)
    _put(server, content)
    assert arrivals.opened(_on_page(server)).read() == content
    assert arrivals.opened(_on_page(server)).read() == content  # again, from the first byte on


def _named(server, content: bytes) -> str:
    _put(server, content)
    return _on_page(server).name


def test_streamlit_holds_none_of_a_large_file(server):
    _put(server, LARGE)
    assert _on_page(server).getvalue() == b"" and len(arrivals._arrived) == 1
    arrivals.forget(_on_page(server))
    assert not arrivals._arrived


def test_a_file_that_streamlit_refuses_is_not_kept(server):
    assert _put(server, LARGE, session="of nobody").status_code == 400
    assert not arrivals._arrived


def test_what_is_no_form_with_a_file_is_refused(server):
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert _sent(server, "s", content=b"x" * len(LARGE), headers=headers).status_code == 400
    assert _sent(server, "s", data={"field": "x" * len(LARGE)}).status_code == 400
    assert not arrivals._arrived


def test_what_exceeds_the_limit_is_refused_before_it_is_written(server, monkeypatch):
    monkeypatch.setattr(
        config, "get_option", lambda name: 8 if name == "server.maxUploadSize" else config._config_options[name].value
    )
    assert _put(server, LARGE).status_code == 413
    assert not arrivals._arrived


def test_a_second_upload_of_the_same_place_replaces_the_first(server):
    _put(server, LARGE)
    (first,) = arrivals._arrived.values()
    _put(server, LARGE + b"more")
    assert first.file.closed
    assert arrivals.opened(_on_page(server)).read() == LARGE + b"more"


def test_what_no_page_asks_for_goes_and_sooner_when_its_session_is_closed(server, monkeypatch):
    now = SimpleNamespace(time=0.0)
    monkeypatch.setattr(arrivals, "time", SimpleNamespace(monotonic=lambda: now.time))
    still_open = [True]
    monkeypatch.setattr(arrivals, "_is_open", lambda _session: still_open[0])
    for wait, left in ((arrivals.IDLE_S - 1, 1), (arrivals.IDLE_S + 1, 0)):
        now.time = 0.0
        _put(server, LARGE)
        (arrival,) = arrivals._arrived.values()
        arrival.used = 0.0
        now.time = wait
        arrivals.forget_idle()
        assert len(arrivals._arrived) == left
    assert arrival.file.closed
    now.time = 0.0
    _put(server, LARGE)
    arrivals._arrived[("s", "7")].used = 0.0
    still_open[0], now.time = False, arrivals.CLOSED_S + 1
    arrivals.forget_idle()
    assert not arrivals._arrived


def test_every_page_reads_uploads_from_where_they_are():
    direct = re.compile(r"\b(file|upload|found|uploaded)\.(getvalue|getbuffer|read)\(")
    places = [*(PROJECT_DIR / "neuroclass" / "ui").rglob("*.py"), *(PROJECT_DIR / "pages").glob("*.py")]
    assert not [path.name for path in places if direct.search(path.read_text())]
