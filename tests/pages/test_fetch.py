"""A database cell's recording is fetched from its page, from a loopback server."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from benchmarks.pages import write_cells
from neuroclass.config import cache_folder
from neuroclass.io.allen import AllenCache
from neuroclass.io.fetching import FetchState, cache_limit
from neuroclass.ui.cells.recordings import fetches
from tests.io.allen_server import NWB, SPECIMEN, allen_server

Open = Callable[..., AppTest]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: Open) -> Path:
    """Tables of made-up cells, the first of which the server knows."""
    folder = tmp_path / "tables"
    folder.mkdir()
    write_cells(folder, 30)
    for table in folder.iterdir():
        table.write_text(table.read_text().replace("500000000_", f"{SPECIMEN}_"))
    monkeypatch.setenv("NEUROCLASS_DATA", str(folder))
    return folder


def test_progress_then_the_file_then_its_refusal(
    database: Path, open_page: Open, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with allen_server() as (url, _):
        monkeypatch.setenv("NEUROCLASS_ALLEN_URL", url)
        app = open_page("explore", cell=str(SPECIMEN))
        assert not app.exception
        assert any("is not on this machine" in m.value for m in app.markdown)
        app.button(key=f"fetch-{SPECIMEN}").click().run()
        give_up = time.monotonic() + 60
        while (one := fetches().look(str(SPECIMEN))) and one.state is FetchState.RUNNING:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        assert AllenCache(cache_folder() / "allen").nwb_path(str(SPECIMEN)).read_bytes() == NWB
        app.run()
    assert not app.exception
    assert not any("is not on this machine" in m.value for m in app.markdown)
    assert "is damaged" in app.error[0].value


def test_the_limit_is_shown_and_set(database: Path, open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", cell=str(SPECIMEN))
    assert any("0.00 of 20 GB used" in e.label for e in app.expander)
    app.number_input[0].set_value(3.5).run()
    next(b for b in app.button if b.label == "Set the limit").click().run()
    assert not app.exception
    assert any("0.00 of 3.5 GB used" in e.label for e in app.expander)
    assert cache_limit(AllenCache(cache_folder() / "allen")) == 3_500_000_000
