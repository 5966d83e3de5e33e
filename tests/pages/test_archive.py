"""The page Archive, against a loopback archive: it asks on request only, and a killed batch goes on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.extraction.archive_jobs import ArchiveJobs, reports_of
from neuroclass.io.dandi import list_assets, open_dandiset
from neuroclass.io.dandi_fetch import fetch_asset
from neuroclass.training.job import State
from neuroclass.ui.archive import batch, handed, listing
from neuroclass.ui.history import store
from tests.docs.archive import files
from tests.io.allen_server import nobody
from tests.io.dandi_server import CITATION, VERSION, Archive, Stored, dandi_server

Open = Callable[..., AppTest]
OWNER = "browser-" + "x" * 32
PATIENCE_S = 240


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Archive]:
    """Two recordings and a file that is none; one browser."""
    monkeypatch.setattr(
        "neuroclass.ui.history.browser_identity.secrets", SimpleNamespace(token_urlsafe=lambda n: "browser-" + "x" * n)
    )
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    for kept in (listing._listings, batch.registry):
        kept.clear()
    with dandi_server(*files(), Stored("sub-9/b.nwb", b"x" * 99, subject="9")) as (url, archive):
        monkeypatch.setenv("NEUROCLASS_DANDI_URL", url)
        yield archive


def _list(app: AppTest, number: str, version: str = "") -> AppTest:
    app.text_input[0].set_value(number)
    app.text_input[1].set_value(version)
    return next(button for button in app.button if button.label == "List files").click().run()


def test_nothing_is_asked_until_a_button_is_pressed(archive: Archive, open_page: Open) -> None:
    app = open_page("archive", dandiset="000020")
    assert not app.exception
    assert app.text_input[0].value == "000020"
    assert archive.requests == []
    assert "dandiset" in app.info[0].value and any("List files" in one.value for one in app.markdown)
    app = _list(app, "20")
    assert not app.exception
    assert list(app.dataframe[0].value["path"]) == [one.path for one in archive.files]
    assert any(CITATION.split(" (")[0].replace(".", "\\.") in one.value for one in app.caption)
    assert archive.served == 0
    archive.requests.clear()
    assert len(open_page("archive", dandiset="20").dataframe) == 1
    assert archive.requests == []


@pytest.mark.parametrize(
    ("number", "version", "kind"),
    [
        ("999999", "", "Not in archive"),
        ("x", "", "no dandiset's number"),
        ("", "", "No dandiset is named"),
        ("20", "9", "Not in archive"),
    ],
)
def test_what_cannot_be_listed_is_said(archive: Archive, open_page: Open, number: str, version: str, kind: str) -> None:
    app = _list(open_page("archive"), number, version)
    assert not app.exception
    assert kind in app.error[0].value


def test_without_network_it_is_said(archive: Archive, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody() as url:
        monkeypatch.setenv("NEUROCLASS_DANDI_URL", f"{url}/api")
        app = _list(open_page("archive"), "20")
    assert not app.exception
    assert "cannot be reached" in app.error[0].value


def test_hostile_names_are_shown_as_text(archive: Archive, open_page: Open) -> None:
    archive.files.append(Stored("sub-<script>/$x$ ![](http://evil).nwb", b"x", subject="<b>"))
    app = _list(open_page("archive"), "20")
    assert not app.exception
    assert len(app.dataframe[0].value) == 4


@pytest.mark.slow
def test_a_killed_batch_is_shown_and_resumed(archive: Archive, open_page: Open, shipped_models: None) -> None:
    jobs, dandiset = ArchiveJobs(), open_dandiset("20")
    job_id = jobs.queue(dandiset, list_assets(dandiset), OWNER)
    _until(lambda: len(reports_of(jobs.look(job_id))) > 0)
    os.killpg(int(jobs._record(job_id)["pid"]), signal.SIGKILL)
    _until(lambda: jobs.look(job_id).state is not State.RUNNING)
    app = open_page("archive", job=job_id)
    assert not app.exception
    assert "of 3 recordings are done" in app.warning[0].value
    assert app.dataframe[0].value["recording"][0] == archive.files[0].path
    archive.requests.clear()
    next(button for button in app.button if button.label == "Resume").click().run()
    _until(lambda: jobs.look(job_id).state is State.DONE)
    assert not [path for path, _ in archive.requests if archive.files[0].id in path]
    app = open_page("archive", job=job_id)
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["broad"]) == ["excitatory", "inhibitory", ""]
    assert "UnreadableAssetError" in table["note"][2]
    assert any("Cite:" in one.value for one in app.caption)


def test_another_browser_sees_no_batch_of_this_one(archive: Archive, open_page: Open) -> None:
    jobs, dandiset = ArchiveJobs(), open_dandiset("20")
    job_id = jobs.queue(dandiset, list_assets(dandiset)[:1], "another")
    try:
        app = open_page("archive", job=job_id)
        assert "no such batch of this browser" in app.error[0].value
    finally:
        jobs.cancel(job_id, "another")


def test_a_fetched_recording_opens_on_classify_and_is_cited(
    archive: Archive, open_page: Open, shipped_models: None
) -> None:
    dandiset = open_dandiset("20")
    with fetch_asset(dandiset, list_assets(dandiset)[0]).path.open("rb") as content:
        digest = store.spool().put(content, OWNER)[0]
    app = open_page("classify", **{handed.ADDRESS: digest, "section": "Export"})
    assert not app.exception
    assert any("From dandiset 000020" in one.value for one in app.caption)
    assert any(f"000020/{VERSION}".replace(".", "\\.") in one.value for one in app.markdown)


@pytest.mark.parametrize("address", ["0" * 64, "../../etc/passwd", "x"])
def test_an_address_opens_only_what_was_fetched(archive: Archive, open_page: Open, address: str) -> None:
    app = open_page("classify", **{handed.ADDRESS: address})
    assert not app.exception
    assert not any("From dandiset" in one.value for one in app.caption)


def _until(come: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not come():
        assert time.monotonic() < give_up
        time.sleep(0.1)
