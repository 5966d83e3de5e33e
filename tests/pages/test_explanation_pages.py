"""SHAP, Gates and Domains: with a whole report, with one that lacks tables, and with choices in the address."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.reports.store import ReportStore, Table

Open = Callable[..., AppTest]
PAGES = ("shap_values", "gates", "domains")
LATER = (
    Table.SHAP_GROUPS,
    Table.SHAP_BASELINES,
    Table.STABILITY,
    Table.DELETION,
    Table.GATE_ABLATION,
    Table.DOMAINS,
    Table.MATCHES,
)
"""Tables that a page can do without."""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_with_all_its_tables(name: str, open_page: Open, tiny_models: Path) -> None:
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert not any("not stored with this model" in info.value for info in app.info)


VIEWS_THAT_MAY_LACK = (
    ("shap_values", {"view": "Systems"}),
    ("shap_values", {"view": "Retraining"}),
    ("gates", {"view": "Deletion"}),
    ("gates", {"view": "One cell"}),
    ("gates", {"view": "Retraining"}),
    ("domains", {"view": "Mixing"}),
)


@pytest.mark.parametrize(("name", "query"), VIEWS_THAT_MAY_LACK)
def test_a_page_says_what_a_report_lacks(name: str, query: dict[str, str], open_page: Open, tiny_models: Path) -> None:
    for path in (tiny_models / model / "evaluation" / table.file for model in ("dann", "lspin") for table in LATER):
        path.unlink(missing_ok=True)
    app = open_page(name, **query)
    assert not app.exception
    assert any("not stored with this model" in info.value for info in app.info)


VIEWS = {
    "shap_values": ("Overview", "Importance", "Cells", "Dependence", "One cell", "Systems", "Retraining"),
    "gates": ("Overview", "Cells and gates", "By class", "Deletion", "One cell", "Retraining"),
    "domains": ("Map", "Mixing", "Nearest human cells"),
}
"""As addresses have them."""


@pytest.mark.parametrize("name", PAGES)
def test_every_view_stands_and_opens_with_its_finding(name: str, open_page: Open, tiny_models: Path) -> None:
    assert len(open_page(name).segmented_control(key="view").options) >= len(VIEWS[name])
    for view in VIEWS[name]:
        app = open_page(name, view=view)
        assert not app.exception
        assert not app.error
        assert app.segmented_control(key="view").value == view
        assert any(text.value.startswith("**") and text.value.endswith("**") for text in app.markdown), view


def test_values_that_do_not_add_up_are_an_error(open_page: Open, tiny_models: Path) -> None:
    import streamlit as st

    report = ReportStore("dann", tiny_models / "dann")
    table = report.table(Table.SHAP)
    report.write(Table.SHAP, table.assign(sag=table["sag"] + 0.01))
    st.cache_resource.clear()
    app = open_page("shap_values", by="feature")
    assert not app.exception
    assert "misses" in app.error[0].value


def test_system_and_grouping_come_from_the_address(open_page: Open, tiny_models: Path) -> None:
    lasso = open_page("shap_values", system="LASSO")
    assert any("log\\-odds" in caption.value and "LinearExplainer" in caption.value for caption in lasso.caption)
    grouped = open_page("shap_values", by="quantity (stimuli pooled)", view="Dependence")
    assert not grouped.exception
    assert any("all stimuli" in option for option in grouped.selectbox(key="feature").options)


def _popovers(block: Any) -> Iterator[str]:
    for one in getattr(block, "children", {}).values():
        if one.type == "popover":
            yield one.proto.popover.label
        yield from _popovers(one)


def test_what_the_choices_are_called_is_what_is_shown(open_page: Open, tiny_models: Path) -> None:
    def called(**query: str) -> str:
        return next(_popovers(open_page("shap_values", **query).main))

    assert called() == "DANN, all species"
    assert called(species="human") == "DANN, human"
    assert called(model="LSPIN") == "LSPIN, mouse"
    assert called(model="LSPIN", system="DANN", species="human") == "LSPIN, mouse"


def test_a_gate_that_decides_the_label_is_named(open_page: Open, tiny_models: Path) -> None:
    app = open_page("gates", view="One cell")
    assert any("the label" in text.value for text in app.markdown)


def test_a_match_says_in_how_many_trainings_it_is_found_again(open_page: Open, tiny_models: Path) -> None:
    app = open_page("domains", view="Nearest human cells")
    shares = next(frame.value["Found again"] for frame in app.dataframe if "Found again" in frame.value)
    matches = ReportStore("dann", tiny_models / "dann").table(Table.MATCHES)
    found = matches.loc[matches["id"] == app.selectbox(key="cell").value, "found_again"]
    assert shares.tolist() == pytest.approx((100 * found).tolist())


def test_what_describes_the_recording_is_left_out_of_the_comparison_of_two_cells(
    open_page: Open, tiny_models: Path
) -> None:
    app = open_page("domains", view="Nearest human cells")
    (caption,) = [one.value for one in app.caption if "Farthest apart" in one.value]
    far, left_out = caption.split("Left out")
    assert "Seal resistance" in left_out and "Seal resistance" not in far


def test_features_alone_say_why_a_quantity_can_pull_both_ways(open_page: Open, tiny_models: Path) -> None:
    def said(**query: str) -> bool:
        return any("can pull the other way" in one.value for one in open_page("shap_values", **query).caption)

    assert said(by="feature") and not said()


def test_the_strength_of_the_adversary_comes_from_the_address(open_page: Open, tiny_models: Path) -> None:
    app = open_page("domains", space="1")
    assert not app.exception
    control = app.segmented_control(key="space")
    assert control.value == "lambda1"
    assert {"0 (no adversary)", "1"} <= set(control.options)
