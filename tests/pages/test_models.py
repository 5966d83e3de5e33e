"""The picker of models and the Models page: a model is uploaded, chosen, used on every page, compared and deleted."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.cohort.demo import load_demo
from neuroclass.features import FEATURE_NAMES
from neuroclass.library.entry import SHIPPED
from neuroclass.library.library import ModelLibrary
from neuroclass.library.package import export_model
from neuroclass.reports import own
from neuroclass.reports.own import train_into, write_own_report

Open = Callable[..., AppTest]
USES = ("classify", "history", "performance", "shap_values", "gates", "domains", "models_library")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped_models: None) -> ModelLibrary:
    """The library of the server that `open_page` runs, with an LDA of mouse subclasses."""
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    library = ModelLibrary()
    train_into(library, "lda", load_demo(), "subclass", "my lda")
    return library


def texts(app: AppTest) -> str:
    kinds = (app.caption, app.info, app.warning, app.markdown, app.error, app.success)
    return "\n".join(str(one.value) for kind in kinds for one in kind)


@pytest.mark.parametrize("page", USES)
def test_every_page_has_the_picker_and_takes_the_model_of_the_address(open_page: Open, library, page: str) -> None:
    entry = library.get("my lda")
    app = open_page(page, model=entry.id)
    assert not app.exception
    picker = app.sidebar.selectbox(key="model-picker")
    assert picker.value == entry.id
    assert entry.short in texts(app)
    assert app.query_params["model"] in (entry.id, [entry.id])


@pytest.mark.parametrize("page", USES)
def test_without_a_choice_pages_are_as_they_were(open_page: Open, library, page: str) -> None:
    app = open_page(page)
    assert not app.exception
    assert app.sidebar.selectbox(key="model-picker").value == SHIPPED
    assert "my lda" not in texts(app) or page == "models_library"


LACKS = (
    ("performance", "has no report"),
    ("shap_values", "has no report"),
    ("gates", "has no gates"),
    ("domains", "has no domain-invariant"),
)


@pytest.mark.parametrize(("page", "said"), LACKS)
def test_what_a_model_lacks_is_said_and_its_report_offered(open_page: Open, library, page: str, said: str) -> None:
    app = open_page(page, model=library.get("my lda").id)
    assert said in texts(app)
    offered = [button for button in app.button if button.label == "Make its report"]
    assert bool(offered) == (said == "has no report")
    assert not offered or "on a calm machine" in texts(app)


def test_a_model_shows_its_own_report_once_it_is_made(
    open_page: Open, library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "N_SUBSETS", 60)
    monkeypatch.setattr(own, "EXPLAINED_CELLS", 3)
    entry = library.get("my lda")
    write_own_report(entry, load_demo(), 1)
    measured = library.get("my lda").card["metrics"]["metrics"]["accuracy"]["mean"]
    app = open_page("performance", model=entry.id)
    assert not app.exception
    assert app.metric[0].value == f"{measured:.1%}"
    beside = open_page("performance", model=entry.id, view="Beside the built-in model")
    assert not beside.exception
    assert "different cells" in texts(beside)
    shap = open_page("shap_values", model=entry.id)
    assert not shap.exception
    assert "my lda" in texts(shap)
    partial = open_page("performance", model=entry.id, view="Partial recordings")
    assert not partial.exception


def test_a_link_to_a_model_that_is_gone_says_so_and_shows_the_default(open_page: Open, library) -> None:
    entry = library.get("my lda")
    library.delete("my lda")
    app = open_page("classify", model=entry.id)
    assert not app.exception
    assert app.sidebar.selectbox(key="model-picker").value == SHIPPED
    assert "is not used" in texts(app)


def test_the_labs_default_is_used_where_nothing_is_chosen_and_shipped_can_be_asked_for(
    open_page: Open, library
) -> None:
    entry = library.promote("my lda")
    assert open_page("classify").sidebar.selectbox(key="model-picker").value == entry.id
    assert open_page("classify", model=SHIPPED).sidebar.selectbox(key="model-picker").value == SHIPPED
    assert open_page("performance", model="LSPIN").sidebar.selectbox(key="model-picker").value == SHIPPED


def test_titles_of_shipped_models_in_old_addresses_still_choose_the_task(open_page: Open, library) -> None:
    app = open_page("performance", model="LSPIN")
    assert not app.exception
    assert app.sidebar.selectbox(key="model-picker").value == SHIPPED
    assert app.segmented_control(key="model").value == "LSPIN"


def cell_table() -> bytes:
    frame = load_demo().frame
    return frame[frame["species"] == "mouse"].head(1)[["species", *FEATURE_NAMES]].to_csv(index=False).encode()


def test_the_picked_model_judges_and_the_history_says_which_did(
    open_page: Open, library, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = SimpleNamespace(token_urlsafe=lambda n: "browser-" + "x" * n)
    monkeypatch.setattr("neuroclass.ui.history.browser_identity.secrets", same)
    entry = library.get("my lda")
    app = open_page("classify", section="Export")
    app.file_uploader(key="files").upload("cell.csv", cell_table(), "text/csv").run()
    assert not app.exception
    before = texts(app)
    app.sidebar.selectbox(key="model-picker").select(entry.id).run()
    assert not app.exception
    after = texts(app)
    assert "classified by my lda" in after
    assert "my lda" not in before
    assert f"--model {entry.id}" in "\n".join(one.value for one in app.code)
    history = open_page("history")
    assert not history.exception
    models = history.dataframe[0].value["Models"].iloc[0]
    assert "my lda" in models
    assert " | " in models


def test_an_uploaded_model_is_listed_renamed_and_deleted(open_page: Open, library) -> None:
    content = export_model(library.get("my lda"))
    entry = library.delete("my lda")
    app = open_page("models_library")
    app.file_uploader(key="model-file").upload("m.neuroclass.zip", content, "application/zip").run()
    assert not app.exception
    assert library.get("my lda").id == entry.id
    table = app.dataframe[0].value
    assert list(table["Set"]) == [*["Built-in"] * 3, "my lda"]
    assert list(table["Model"]) == ["DANN", "LSPIN", "Human subclass", "LDA"]
    bad = open_page("models_library")
    bad.file_uploader(key="model-file").upload("m.zip", b"PK\x03\x04nothing", "application/zip").run()
    assert not bad.exception
    assert "not a model that NeuroClass exported" in texts(bad)
    assert len(library.entries()) == 2


def test_each_model_has_a_button_that_uses_it(open_page: Open, library) -> None:
    entry = library.get("my lda")
    app = open_page("models_library")
    assert "use-shipped" not in [one.key for one in app.button] and "In use" in texts(app)
    app.button(key=f"use-{entry.id}").click().run()
    assert not app.exception
    assert app.sidebar.selectbox(key="model-picker").value == entry.id
    assert f"use-{entry.id}" not in [one.key for one in app.button] and not app.button(key="use-shipped").disabled


def test_a_card_says_the_classes_and_on_which_cells_it_was_scored(open_page: Open, library) -> None:
    said = texts(open_page("models_library")).replace("\\", "")
    assert "**Classes:** Glutamatergic, Pvalb, Sst, Vip, Htr3a" in said
    assert "donor-grouped cross-validation on 382 GABAergic cells of 52 donors" in said
    assert (
        "Glutamatergic is scored apart, in cells of two studies: found in 95.4 to 98.0% of held-out excitatory cells"
        in said
    )
    assert "trained on all 795 cells of 115 donors" in said
    assert "Lee, Dalley et al., Science 382, 2023; Berg et al., Nature 598, 2021; Allen Cell Types Database" in said


def test_two_models_are_compared_on_the_page(open_page: Open, library) -> None:
    train_into(library, "lda", load_demo(), "broad", "broad lda")
    app = open_page("models_library", first=library.get("my lda").id, second=library.get("broad lda").id)
    assert not app.exception
    assert "tell different things" in texts(app)
    app.button(key="compare-verdicts").click().run()
    assert not app.exception
    assert any("κ" in metric.label for metric in app.metric)
