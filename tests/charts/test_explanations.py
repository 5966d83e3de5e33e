"""Figures of explanations carry units, add up, and leave their inputs alone."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.charts import domains, embedding, gate_curves, gates, shap_charts, shap_maps, stability
from neuroclass.explain.clustering import cluster
from neuroclass.explain.groups import quantities
from neuroclass.features import FEATURE_NAMES
from tests.charts.axis_titles import axis_titles, needs_titles, without_unit

RNG = np.random.default_rng(0)
SHAP = pd.DataFrame(RNG.normal(size=(30, 41)), columns=FEATURE_NAMES, index=[f"c{k}" for k in range(30)])
TRUTH = [str(name) for name in RNG.choice(SUBCLASS_ORDER, 30)]
GATES = pd.DataFrame(RNG.random((30, 41)), columns=FEATURE_NAMES, index=SHAP.index)
TEXTS = ["1 mV"] * 41
CURVES = pd.DataFrame(
    [
        (curve, ranking, k, 0.9 - k / 100, 0.85 - k / 100, 0.95 - k / 100)
        for curve in ("deletion", "insertion")
        for ranking in ("gates", "SHAP", "random")
        for k in (0, 5, 41)
    ],
    columns=["curve", "ranking", "features", "accuracy", "low", "high"],
)
ABLATION = pd.DataFrame(
    {"feature": ["sag", "tau"], "gate": [1.0, 0.5], "change": [-0.4, 0.01], "becomes": ["Sst", "Vip"]}
)
RANKS = pd.DataFrame(
    {"feature": ["sag", "sag", "tau", "tau"], "method": ["SHAP", "gates"] * 2, "rank": [1.0, 2.0, 2.0, 1.0]}
).assign(low=1.0, high=3.0, flagged=[True, True, False, False])
AGREED = pd.DataFrame({"first": ["SHAP", "SHAP"], "second": ["SHAP", "gates"], "kendall": [0.9, 0.5]})
MEASURES = pd.DataFrame(
    {"space": ["raw", "dann"], "measure": "class told by a classifier", "mean": [0.9, 0.95], "low": 0.8, "high": 1.0}
).assign(chance=0.5)
TRANSFER = pd.DataFrame(
    {
        "system": ["dann", "lasso", "dann"],
        "protocol": ["apart", "apart", "together"],
        "mean": [0.88, 0.95, 0.953],
        "low": [0.84, 0.92, 0.93],
        "high": [0.92, 0.97, np.nan],
    }
)
BY_STRENGTH = pd.concat(
    MEASURES.assign(measure=name, mean=mean)
    for name, mean in (("species told by a classifier", 0.7), ("class told by a classifier", 0.97))
)
MATCHES = pd.DataFrame({"feature": ["sag", "tau"], "mouse": [10.0, 90.0], "human": [20.0, np.nan]})
POINTS = pd.DataFrame(
    {
        "id": ["a", "b"],
        "space": "dann",
        "species": ["mouse", "human"],
        "x": [0.0, 1.0],
        "y": [1.0, 2.0],
        "truth": "excitatory",
    }
)

FIGURES: dict[str, Callable[[], go.Figure]] = {
    "heat": lambda: shap_maps.heat(SHAP, TRUTH, FEATURE_NAMES[:5], unit="probability"),
    "shares": lambda: shap_maps.shares(pd.DataFrame({"LSPIN": [0.6, 0.4]}, index=["sag", "tau"])),
    "curves": lambda: gate_curves.curves(CURVES),
    "of_cell": lambda: gate_curves.of_cell(GATES.iloc[0], GATES.iloc[1] * 100, TEXTS),
    "ablation": lambda: gate_curves.ablation(ABLATION, "Vip"),
    "rank_ranges": lambda: stability.rank_ranges(RANKS),
    "agreement": lambda: stability.agreement(AGREED),
    "measures": lambda: domains.measures(MEASURES, {"raw": "features", "dann": "λ = 0.1"}, "dann"),
    "transferred": lambda: domains.transferred(
        TRANSFER, {"lasso": "LASSO", "dann": "DANN"}, {"apart": "mouse cells", "together": "both"}, 0.77
    ),
    "by strength": lambda: domains.against_strength(BY_STRENGTH, {"raw": "inputs", "dann": "0.1"}),
    "matched cells": lambda: domains.matched_cells(MATCHES, "human cell <1>"),
    "aligned": lambda: embedding.aligned(POINTS, ["dann"], {"species": "By species", "id": "By cell"}),
    "marked": lambda: embedding.panels(POINTS, ["dann"], "species", ["b"]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axis_titles_carry_units_and_no_trace_needs_webgl(name: str) -> None:
    fig = FIGURES[name]()
    assert axis_titles(fig) or not needs_titles(fig)
    assert not without_unit(fig)
    assert not [trace.type for trace in fig.data if trace.type.endswith("gl")]


def test_a_flip_is_named() -> None:
    texts = FIGURES["ablation"]().data[0].text
    assert any("becomes Sst" in text for text in texts)
    assert sum("becomes" in text for text in texts) == 1


def test_flagged_features_are_marked() -> None:
    labels = FIGURES["rank_ranges"]().layout.yaxis.ticktext
    assert [label.startswith("▲") for label in labels] == [True, False]


def test_the_predicted_strip_holds_each_cells_id_in_row_order() -> None:
    rows = cluster(GATES.to_numpy())
    truth = pd.Series(TRUTH)
    fig = gates.matrix(GATES, truth, rows, cluster(GATES.to_numpy().T), truth)
    strip = next(trace for trace in fig.data if trace.customdata is not None and trace.type == "scatter")
    assert [row[0] for row in strip.customdata] == list(GATES.index[rows.order])


def test_the_strip_that_is_dragged_across_is_as_high_as_the_one_on_top() -> None:
    rows, truth = cluster(GATES.to_numpy()), pd.Series(TRUTH)
    fig = gates.matrix(GATES, truth, rows, cluster(GATES.to_numpy().T), truth)
    strip = next(trace for trace in fig.data if trace.customdata is not None and trace.type == "scatter")
    assert 2 * strip.marker.size == gates.STRIP_PX >= 20
    low, high = sorted(next(fig.select_yaxes(row=2, col=3)).range)
    assert low < strip.y[0] - 0.5 and strip.y[0] + 0.5 < high


def test_mean_gates_stand_under_their_stimulus_with_their_numbers() -> None:
    means = pd.DataFrame({"sag": [0.9], "width": [0.1], "tau": [0.001]}, index=["Sst"])
    fig = gates.mean_by_class(means)
    assert [a.text for a in fig.layout.annotations] == ["<b>Long square</b>", "<b>Noise</b>"]
    maps = [trace for trace in fig.data if trace.type == "heatmap"]
    assert [list(one.y) for one in maps] == [["Sag", "Membrane time constant"], ["Width"]]
    texts = {text: trace.textfont.color for trace in fig.data if trace.type == "scatter" for text in trace.text}
    assert texts["0.90"] == "#FFFFFF" and texts["0.10"] is None and texts[""] is None
    assert "No gate" in gates.mean_by_class(means[[]]).layout.annotations[0].text


def test_bars_of_one_cell_start_at_zero_the_largest_first_with_their_points() -> None:
    values = pd.Series({"tau": -0.1, "sag": 0.3})
    (bars,) = shap_charts.contributions(values, ["a", "b"], unit="probability").data
    assert list(bars.x) == pytest.approx([30.0, -10.0]) and list(bars.text) == ["+30.0", "−10.0"]
    assert "Sag" in bars.y[0] and bars.y[0].endswith("= b")
    assert bars.marker.color[0] != bars.marker.color[1]
    (odds,) = shap_charts.contributions(values, ["a", "b"], unit="log-odds").data
    assert list(odds.text) == ["+0.300", "−0.100"]
    (few,) = shap_charts.contributions(values, ["a", "b"], unit="log-odds", top=1).data
    assert few.y[1] == "1 others" and few.x[1] == pytest.approx(-0.1)


def test_a_quantity_of_several_stimuli_has_a_label() -> None:
    assert shap_charts.feature_label("Peak") == "Peak (all stimuli)"
    assert shap_charts.feature_label("sag") == "Sag (long square)"
    assert len(quantities()) == 23 and sum(len(names) for names in quantities().values()) == 41


def test_marked_cells_are_ringed() -> None:
    assert any("star" in (trace.marker.symbol or ()) for trace in FIGURES["marked"]().data)


def test_chance_is_a_tick_at_each_bar_and_the_means_stand_right_of_all_marks() -> None:
    bars, casing, line, values, chance = FIGURES["measures"]().data
    assert [text.strip() for text in values.text] == ["90%", "95%"]
    assert (chance.mode, chance.marker.symbol, list(chance.y)) == ("markers", "line-ns", list(bars.y))
    assert (np.asarray(values.x) >= np.asarray(line.x) + line.error_x.array - 1e-9).all()
    assert (np.asarray(values.x) >= chance.x).all()
    assert casing.error_x.thickness > line.error_x.thickness and casing.error_x.color != line.error_x.color


def test_each_systems_accuracy_stands_in_its_row_once_for_each_kind_of_training() -> None:
    apart, together = FIGURES["transferred"]().data
    assert (apart.name, together.name) == ("mouse cells", "both")
    assert list(apart.x) == [0.95, 0.88] and np.isnan(together.x[0]) and together.x[1] == 0.953
    assert [round(y) for y in (*apart.y, *together.y)] == [0, 1, 0, 1]
    assert apart.y[0] < together.y[0]
    assert apart.error_x.array == pytest.approx((0.02, 0.04)) and apart.error_x.arrayminus == pytest.approx(
        (0.03, 0.04)
    )


def test_species_and_class_have_a_line_each_over_the_strengths_of_the_adversary() -> None:
    species, label = FIGURES["by strength"]().data
    assert list(species.x) == list(label.x) == ["inputs", "0.1"]
    assert list(species.y) == [0.7, 0.7] and list(label.y) == [0.97, 0.97]
    assert (species.name, label.name) == ("mouse or human", "excitatory or inhibitory")


def test_figures_of_several_measures_have_their_panels_at_the_same_heights() -> None:
    spaces = {"raw": "features", "dann": "λ = 0.1"}
    three = pd.concat([MEASURES.assign(measure=name) for name in ("a", "b", "c")])

    def places(rows: pd.DataFrame) -> list[float]:
        fig = domains.measures(rows, spaces, "dann")
        inner = fig.layout.height - fig.layout.margin.t - fig.layout.margin.b
        axes = sorted((axis.domain for axis in fig.select_yaxes()), reverse=True)
        return [round((1 - end) * inner, 6) for axis in axes for end in axis]

    assert places(three)[:4] == pytest.approx(places(three[three["measure"] != "c"]))


def test_each_colouring_of_aligned_maps_has_its_own_legend() -> None:
    fig = FIGURES["aligned"]()
    assert {trace.legend for trace in fig.data} == {"legend2", "legend3"}
    assert fig.layout.legend2.y > fig.layout.legend3.y
