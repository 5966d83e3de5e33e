"""The Performance page's views: what is stored is shown, what is not is asked for, a field leads to its cells."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.config import MODELS_DIR
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import Document, ReportStore, Table
from tests.adaptation.planting import plant

Open = Callable[..., AppTest]
VIEWS = (
    "Beside other systems",
    "Confusion matrix",
    "Where it errs",
    "Fewer cells or labels",
    "Partial recordings",
    "Other laboratories",
    "Without labels",
)


def table_of(app: AppTest, column: str) -> pd.DataFrame:
    """The first table of the page with that column."""
    return next(one.value for one in (*app.dataframe, *app.table) if column in one.value)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("whole", [True, False])
def test_a_view_shows_what_is_stored_and_asks_for_what_is_not(
    view: str, whole: bool, open_page: Open, tiny_models: Path
) -> None:
    if not whole:
        for document in (Document.GROUPS, Document.LEARNING, Document.TAXONOMIES):
            (tiny_models / "lspin" / "evaluation" / document.file).unlink()
    app = open_page("performance", model="LSPIN", view=view)
    assert not app.exception
    assert not app.error
    said = ("Accuracy by group is not stored", "These figures are not stored")
    asked = any(info.value.startswith(said) for info in app.info)
    assert asked == (not whole and view in ("Where it errs", "Fewer cells or labels", "Without labels"))


def test_partial_recordings_are_those_of_fitted_sets_once_measured(open_page: Open, tiny_models: Path) -> None:
    before = open_page("performance", model="LSPIN", view="Partial recordings")
    assert not [one for one in before.table if "Stimuli" in one.value]
    assert any("one network for all features" in caption.value for caption in before.caption)
    figures = {"svc": 0.86, "difference": 0.02, "coverage": 0.91, "set_size": 1.25, "promised": 0.87, "open_gates": 7.0}
    row = {"laboratory": "long_square+ramp", "species": "mouse", "n_cells": 90, "mean": 0.88, "low": 0.8, "high": 0.9}
    report = ReportStore("lspin", tiny_models / "lspin")
    report.write(Document.MASKED, {"model": "lspin", "laboratories": [{**row, **figures}]})
    after = open_page("performance", model="LSPIN", view="Partial recordings")
    assert not after.exception and not after.error
    shown = table_of(after, "Stimuli").iloc[0]
    assert shown.tolist() == ["long square, ramp", "90", "88.0%", "86.0%", "+2.0", "87.0%", "91.0%", "1.25", "7"]
    assert not any("one network for all features" in caption.value for caption in after.caption)


def stored_outside(folder: Path) -> None:
    """The figures on other laboratories that ship, beside the tiny models."""
    for name in ("lspin", "dann"):
        shipped, tiny = ReportStore(name, MODELS_DIR / name), ReportStore(name, folder / name)
        tiny.write(Document.OUTSIDE, shipped.outside())
        tiny.write(Table.OUTSIDE, shipped.table(Table.OUTSIDE))


def test_other_laboratories_are_shown_as_stored(open_page: Open, tiny_models: Path) -> None:
    asked = open_page("performance", model="LSPIN", view="Other laboratories")
    assert any("not stored with this model" in info.value for info in asked.info)
    stored_outside(tiny_models)
    app = open_page("performance", model="LSPIN", view="Other laboratories")
    assert not app.exception and not app.error and not app.info
    assert any("of ours, each cell alone: Mouse V1" in one.value.replace("\\", "") for one in app.markdown)
    table = table_of(app, "Laboratory")
    rows = ReportStore("lspin", MODELS_DIR / "lspin").outside()["laboratories"]
    assert table["Accuracy"].tolist() == pytest.approx([100 * row["accuracy"] for row in rows])
    assert table["Mean set (classes)"].max() < 5
    assert set(table["Laboratory"]) == {"Mouse V1", "Mouse M1, 25 °C"}
    assert any("optimistic" in caption.value and "Gouwens et al. 2020" in caption.value for caption in app.caption)
    app = open_page("performance", model="LSPIN", view="Other laboratories", laboratories="Calibrated elsewhere")
    assert not app.exception and "Calibrated on the other laboratories" in [s.value for s in app.subheader]
    app = open_page("performance", model="LSPIN", view="Other laboratories", laboratories="Promised and true")
    assert any("Furthest from its promise" in one.value for one in app.markdown)


def test_where_a_baseline_is_ahead_in_another_laboratory_the_finding_names_it() -> None:
    from neuroclass.evaluation.names import OUTSIDE_SYSTEM_TITLES
    from neuroclass.ui.performance.laboratory_views import finding

    ours = OUTSIDE_SYSTEM_TITLES["alone"]
    table = pd.DataFrame(
        {
            "laboratory": ["V1", "V1", "M1", "M1", "M1"],
            "system": [ours, "SVC", ours, "SVC", "LDA"],
            "ours": [True, False, True, False, False],
            "accuracy": [0.9, 0.8, 0.7, 0.72, 0.74],
        }
    )
    assert finding(table).endswith("V1 90.0%, M1 70.0%. Baselines are ahead for M1 (LDA 74.0%, SVC 72.0%).")
    assert finding(table[:2]).endswith("V1 90.0%. No baseline is ahead.")


def test_a_batch_that_was_not_adapted_says_why(open_page: Open, tiny_models: Path) -> None:
    stored_outside(tiny_models)
    query = {"model": "DANN", "view": "Other laboratories", "species": "human"}
    app = open_page("performance", **query)
    assert not app.exception and not app.error
    assert set(table_of(app, "Laboratory")["Laboratory"]) == {"Human GABAergic", "Human excitatory"}
    app = open_page("performance", **query, laboratories="One laboratory")
    assert any("All cells of this table are inhibitory" in one.value for one in app.markdown)
    assert any("The batch was not adapted" in info.value for info in app.info)


def own_table(n_cells: int) -> bytes:
    """Labelled mouse cells of a planted laboratory, as a user uploads them."""
    lab = plant(n_cells, 3)
    x = np.where(np.isfinite(lab.z), lab.reference.preprocessor.stored_units(lab.z), np.nan)
    frame = pd.DataFrame(x, columns=list(FEATURE_NAMES)).dropna(axis="columns", how="all")
    frame.insert(0, "cell", [f"c{k}" for k in range(n_cells)])
    frame.insert(1, "label", np.array(SUBCLASS_ORDER)[lab.truth])
    return frame.to_csv(index=False).encode()


@pytest.mark.parametrize(("n_cells", "enough"), [(150, True), (12, False)])
def test_a_users_own_table_is_evaluated_and_recalibrated(
    n_cells: int, enough: bool, open_page: Open, tiny_models: Path
) -> None:
    app = open_page("performance", model="LSPIN", view="Other laboratories", laboratories="Your cells")
    app.get("file_uploader")[0].upload("mine.csv", own_table(n_cells), "text/csv").run()
    assert not app.exception and not app.error
    table = table_of(app, "Laboratory")
    assert set(table["Laboratory"]) == {"mine.csv"}
    assert table["System"].tolist()[:2] == ["Ours, each cell alone", "Ours, the table as one batch"]
    assert table["Cells"].iloc[0] == pytest.approx(n_cells, abs=3)
    assert any("no baseline is fitted" in caption.value for caption in app.caption)
    assert any("cross-validated on its own cells" in one.value for one in app.subheader)
    assert any("Not recalibrated" in info.value for info in app.info) == (not enough)
    if enough:
        rows = table_of(app, "Probabilities")["Probabilities"].tolist()
        assert rows[:2] == ["each cell alone, before", "each cell alone, recalibrated"]


def test_a_table_without_labels_is_refused_in_words(open_page: Open, tiny_models: Path) -> None:
    app = open_page("performance", model="DANN", view="Other laboratories", laboratories="Your cells")
    app.get("file_uploader")[0].upload("mine.csv", b"cell,vrest\na,-70\n", "text/csv").run()
    assert not app.exception
    assert "neither a column" in app.error[0].value


def test_the_table_of_systems_tells_who_is_better(open_page: Open, tiny_models: Path) -> None:
    report = ReportStore("lspin", tiny_models / "lspin")
    rows = report.metrics()
    test = {"difference": -0.02, "low": -0.03, "high": -0.01, "p": 0.001, "p_holm": 0.002}
    svc = next(row for row in rows if (row["model"], row["protocol"]) == ("svc", "donor-cv"))
    assert set(svc["ours_minus_this"]["mouse"]) == set(test)
    svc["ours_minus_this"] = {"all": test, "mouse": test}
    report.write(Document.METRICS, rows)
    table = table_of(open_page("performance", model="LSPIN"), "System").set_index("System")
    assert table.loc["SVC", "Verdict"] == "LSPIN worse"
    assert table.loc["SVC", "p (Holm)"] == "0.0020"
    assert table.loc["LSPIN, ours", "Verdict"] == ""
    split = table_of(open_page("performance", model="LSPIN", protocol="The paper's split"), "System").set_index(
        "System"
    )
    assert {"LSPIN, ours", "SVC", "LSPIN, published"} <= set(split.index)
    assert split.loc["LSPIN, published", "Accuracy (95% CI)"] == "91.6%"


def test_the_published_figure_stands_among_those_of_another_protocol() -> None:
    from neuroclass.ui.performance import systems
    from neuroclass.ui.performance.performance import results_table

    rows = systems.drawn(results_table("dann"), "accuracy", "all", "donor-cv", "dann")
    assert not rows["published"].any() and all(rows["about"])  # published of each species, not of both
    one = systems.drawn(results_table("lspin"), "macro_f1", "all", "donor-cv", "lspin")
    assert one.loc[one["published"], ["system", "mean"]].to_numpy().tolist() == [["LSPIN, published", 0.877]]
    human = systems.drawn(results_table("dann"), "accuracy", "human", "donor-cv", "dann")
    assert human.loc[human["published"], ["system", "mean"]].to_numpy().tolist() == [["DANN, published", 0.95]]
    mouse = systems.drawn(results_table("dann"), "accuracy", "mouse", "donor-cv", "dann")
    assert mouse.loc[mouse["published"], "system"].tolist() == ["DANN, published"]


def test_what_is_promised_of_sets_is_told_of_the_species_shown() -> None:
    from neuroclass.ui.performance.performance import kept_promises

    sets = {"coverage": 0.9, "observed": 0.91, "observed_by_species": {"human": 0.88}, "mean_size": 1.25,
            "empty_by_species": {"human": 0.07, "mouse": 0.09}}  # fmt: skip
    table = kept_promises(sets, {"below 0.01": 0.012}, "human").set_index("Quantity")
    assert table.loc["Sets that hold the true class"].tolist() == ["90%", "88.0%"]
    assert table.loc["Empty sets, human cells", "Held out"] == "7.0%" and "Empty sets, mouse cells" not in table.index
    assert table.loc["Typicality below 1%"].tolist() == ["1%", "1.2%"]


def test_a_task_is_chosen_by_its_question_and_the_address_keeps_its_short_name(
    open_page: Open, tiny_models: Path
) -> None:
    app = open_page("performance", model="LSPIN")
    (task,) = [one for one in app.segmented_control if one.label == "Task"]
    assert task.value == "LSPIN" and "Mouse subclass (LSPIN)" in task.options


def test_the_calibration_error_is_the_cards(open_page: Open, tiny_models: Path) -> None:
    shown = next(m for m in open_page("performance", model="DANN").metric if m.label.startswith("Calibration error"))
    stored = ReportStore("dann", tiny_models / "dann").card()["metrics"]["calibration_error"]
    assert float(shown.value.removesuffix("%")) == pytest.approx(100 * stored, abs=0.06)


def test_a_field_of_the_confusion_in_the_address_lists_its_cells(open_page: Open, tiny_models: Path) -> None:
    predictions = ReportStore("lspin", tiny_models / "lspin").predictions()
    wrong = predictions[predictions["truth"] != predictions["predicted"]]
    truth, predicted = wrong[["truth", "predicted"]].value_counts().index[0]
    inside = wrong[(wrong["truth"] == truth) & (wrong["predicted"] == predicted)]
    app = open_page("performance", model="LSPIN", view="Confusion matrix", true=truth, predicted=predicted)
    assert not app.exception
    assert sorted(table_of(app, "cell")["cell"]) == sorted(inside["id"].unique())
    (link,) = [element for element in app.get("link_button") if "Explore" in element.proto.label]
    assert set(inside["id"]) == set(link.proto.url.removeprefix("explore?ids=").split("%2C"))


def test_cells_of_a_field_are_those_most_often_in_it_first() -> None:
    from neuroclass.ui.performance import confusion

    table = pd.DataFrame(
        {
            "id": ["x", "x", "y", "z"],
            "species": "mouse",
            "truth": ["a", "a", "a", "b"],
            "predicted": ["b", "a", "b", "b"],
            "p_b": [0.6, 0.4, 0.9, 0.9],
        }
    )
    found = confusion.cells_of(table, "a", "b")
    assert found["cell"].tolist() == ["y", "x"]
    assert found["of"].tolist() == [1, 2]
    assert np.allclose(found["probability"], [0.9, 0.5])


def predictions_of(rights: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """Of each class so many cells, and how many of them are put into it."""
    names = list(rights)
    rows = [
        {"id": f"{name}{k}", "truth": name, "predicted": name if k < right else names[names.index(name) - 1]}
        for name, (n, right) in rights.items()
        for k in range(n)
    ]
    return pd.DataFrame(rows)


def test_a_class_is_called_the_hardest_only_where_intervals_part() -> None:
    from neuroclass.ui.performance.confusion import hardest

    alike = hardest(predictions_of({"excitatory": (931, 911), "inhibitory": (792, 775)}))
    assert alike == (
        "No clear difference between the classes: 97.9% of excitatory and 97.9% of inhibitory cells are classified "
        "correctly."
    )
    apart = hardest(predictions_of({"Pvalb": (200, 196), "Sst": (200, 150), "Vip": (200, 198)}))
    assert apart == "Sst cells are missed most often: 75.0% are classified correctly, 25.0% as Pvalb."
    two = hardest(predictions_of({"Pvalb": (200, 196), "Sst": (200, 150), "Vip": (200, 146)}))
    assert two.startswith("Missed most often, with no clear difference between them: 73.0% of Vip and 75.0% of Sst")
    mouse = predictions_of({"excitatory": (700, 690), "inhibitory": (724, 715)}).assign(species="mouse")
    human = predictions_of({"excitatory": (231, 228), "inhibitory": (68, 58)}).assign(species="human")
    both = hardest(pd.concat([mouse, human], ignore_index=True))
    assert both.startswith("Mouse: No clear difference") and "Human: Inhibitory cells are missed most often" in both


def test_errors_of_a_repeat_and_by_mean_probability_are_told_apart(open_page: Open, tiny_models: Path) -> None:
    predictions = ReportStore("lspin", tiny_models / "lspin").predictions()
    wrong = (predictions["truth"] != predictions["predicted"]).sum() / predictions["repeat"].nunique()
    told = f"{wrong:.1f} errors"
    for view in ("Confusion matrix", "Where it errs"):
        app = open_page("performance", model="LSPIN", view=view)
        several = predictions["repeat"].nunique() > 1
        assert any(told in one.value for one in app.caption) == several
