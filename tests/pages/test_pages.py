"""Every page: stands, says what to do when it has nothing, survives bad input."""

import ast
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.config import PROJECT_DIR
from neuroclass.reports import store
from neuroclass.ui.methods.methods import WAY

Open = Callable[..., AppTest]
PAGES = sorted(path.stem for path in (PROJECT_DIR / "pages").glob("*.py"))
FORBIDDEN = {"torch", "shap", "umap", "scipy", "h5py", "sklearn", "pynwb", "allensdk"}
TITLES = {
    "overview": "What is this neuron?",
    "verdict": "A colleague's verdict, read only",
    "paper": "Reproduction of Ophir et al. 2023",
    "shap_values": "SHAP: which features matter",
    "gates": "Gates: the few features LSPIN uses",
    "domains": "Domains: from mouse to human",
}
RESULT_PAGES = ("performance", "shap_values", "gates", "domains")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_on_the_demo_cohort(name: str, open_page: Open, tiny_models: Path) -> None:
    app = open_page(name)
    assert not app.exception
    assert [one.value for one in app.error if "may not administer" not in one.value or name != "admin"] == []
    title = app.title[0].value
    assert title == TITLES[name] if name in TITLES else name.startswith(title.lower())


@pytest.mark.parametrize("name", RESULT_PAGES)
def test_a_result_page_without_models_says_how_to_get_them(
    name: str, open_page: Open, tiny_models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import streamlit as st

    monkeypatch.setattr(store, "MODELS_DIR", tmp_path / "nowhere")
    st.cache_resource.clear()
    app = open_page(name)
    assert not app.exception
    assert "Model file" in app.error[0].value
    assert "neuroclass train" in app.error[0].value


@pytest.mark.parametrize("name", ("overview", "explore", "train"))
def test_simulated_cells_are_called_simulated(name: str, open_page: Open, tiny_models: Path) -> None:
    app = open_page(name)
    assert any("simulated" in warning.value for warning in app.warning)


def test_methods_follows_one_simulated_cell_through_every_step(open_page: Open, shipped_models: None) -> None:
    app = open_page("methods")
    assert not app.exception
    boxes = [one.value for one in app.markdown if one.value.startswith("#### ")]
    assert [one.split(". ")[1] for one in boxes] == [title for title, _ in WAY]
    figures = {one.key for one in app.get("plotly_chart")}
    assert figures == {
        f"figure-way-{name}" for name in ("file", "sweeps", "features", "matched-0", "matched-1", "together")
    }
    captions = " ".join(one.value for one in app.caption)
    assert "evoked spikes" in captions and "In-database, weight" in captions and "Simulated" in captions
    (answer,) = [one.value.removeprefix("##### ") for one in app.markdown if one.value.startswith("##### ")]
    assert "Sst" in answer


def test_no_page_hides_a_library_of_its_name() -> None:
    assert not [name for name in PAGES if importlib.util.find_spec(name)]


@pytest.mark.parametrize("path", sorted((PROJECT_DIR / "pages").glob("*.py")), ids=lambda p: p.stem)
def test_a_page_is_thin_and_imports_nothing_heavy(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= 60
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert not names & FORBIDDEN


def test_filters_in_the_address_choose_the_cells(open_page: Open, tiny_models: Path) -> None:
    everything = open_page("explore")
    human = open_page("explore", f_species="human")
    count = [next(c.value for c in app.caption if "pass the filters" in c.value) for app in (everything, human)]
    assert count[0] != count[1]
    assert human.multiselect(key="f_species").value == ["human"]


def test_a_bad_query_is_an_error_that_helps(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", query="__import__('os')")
    assert not app.exception
    assert "Settings" in app.error[0].value and "Error" not in app.error[0].value


def test_no_match_says_what_to_do(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", query="sag > 1000")
    assert not app.exception
    assert "Clear one" in app.info[0].value


def test_a_cell_in_the_address_is_opened(open_page: Open, tiny_models: Path, demo_id: str) -> None:
    app = open_page("explore", cell=demo_id)
    assert not app.exception
    (title,) = app.title
    assert title.value.replace("\\", "").startswith(f"Cell {demo_id} · ")
    (part,) = [one for one in app.get("button_group") if "Sweeps" in one.options]
    assert part.value == "Sweeps" and "Similar cells" in part.options


def test_an_unknown_cell_in_the_address_leads_to_the_list(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", cell="no-such-cell")
    assert not app.exception
    assert any("pass the filters" in c.value for c in app.caption)
    assert any("no\\-such\\-cell" in w.value for w in app.warning)


def test_upload_of_something_else_is_refused_and_the_rest_goes_on(open_page: Open, shipped_models: None) -> None:
    app = open_page("classify")
    uploader = app.file_uploader(key="files")
    uploader.upload("evil_[a](http://x).abf", b"not a recording", "application/octet-stream")
    uploader.upload("cells.csv", b"cell,species,tau,sag,vrest,ri,latency\nA,mouse,20,0.1,-70,150,0.05\n", "text/csv")
    app.run()
    assert not app.exception
    verdicts = next(d.value for d in app.dataframe if "broad class" in d.value)["broad class"].tolist()
    assert verdicts[0].startswith("refused")
    assert len(verdicts) == 2 and not verdicts[1].startswith("refused")
    assert "](http" not in app.error[0].value
