"""Figures carry units, keep every spike, sum up, and leave their inputs alone."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from neuroclass.cell_types import COLOURS, SUBCLASS_ORDER
from neuroclass.charts import cohort, embedding, evaluation, gate_counts, gates, shap_charts, theme, traces, training
from neuroclass.charts.session import session
from neuroclass.cohort.demo import load_demo
from neuroclass.explain.clustering import cluster
from neuroclass.features import FEATURE_NAMES
from tests.charts.axis_titles import axis_titles, needs_titles, without_unit

RNG = np.random.default_rng(0)
FRAME = load_demo().frame
CLASSES = list(SUBCLASS_ORDER)
GATES = pd.DataFrame(RNG.random((30, 41)), columns=FEATURE_NAMES, index=[str(k) for k in range(30)])
TRUTH = pd.Series(RNG.choice(CLASSES, 30))
SHAP = pd.DataFrame(RNG.normal(size=(30, 41)), columns=FEATURE_NAMES)
DECILES = pd.DataFrame(RNG.integers(0, 11, (30, 41)), columns=FEATURE_NAMES)
SWEEP = traces.Trace("sweep 1", np.linspace(-70, 30, 5000), np.zeros(5000), 50_000.0, 100.0)
POINTS = pd.DataFrame(
    {"id": ["a", "b"], "species": ["mouse", "human"], "x": [0.0, 1.0], "y": [1.0, 2.0], "broad": None}
)
INTERVALS = pd.DataFrame(
    {"group": ["a<b>"], "truth": ["Vip"], "cells": [9], "accuracy": [0.5], "low": [0.3], "high": [0.7]}
)
BINS = pd.DataFrame({"stated": [0.5], "observed": [0.6], "low": [0.4], "high": [0.8], "predictions": [10]})
SPACES = POINTS.assign(space="raw", truth="excitatory")
SYSTEMS = pd.DataFrame({"system": ["svc"], "mean": [0.9], "low": [0.8], "high": [np.nan], "published": [False]})

FIGURES: dict[str, Callable[[], go.Figure]] = {
    "composition": lambda: cohort.composition(FRAME),
    "counts": lambda: cohort.counts(FRAME, "layer", "broad"),
    "distribution": lambda: cohort.distribution(FRAME, "width", "subclass"),
    "percentiles": lambda: cohort.feature_percentiles(
        pd.DataFrame({"label": ["Sag"], "stimulus": ["long square"], "percentile": [97.0], "shown": ["0.3"]})
    ),
    "sweeps": lambda: traces.sweeps([SWEEP], marks=[traces.Mark("peak", [0.01], [20.0])]),
    "confusion": lambda: evaluation.confusion(pd.DataFrame([[3, 1], [0, 4]], ["a", "b"], ["a", "b"])),
    "systems": lambda: evaluation.systems(SYSTEMS, "Accuracy"),
    "reliability": lambda: evaluation.reliability(BINS),
    "by_group": lambda: evaluation.by_group(INTERVALS, "Line"),
    "probabilities": lambda: evaluation.probabilities(["Vip", "Sst"], [0.7, 0.3], ["Vip"]),
    "panels": lambda: embedding.panels(SPACES, ["raw"], "species"),
    "beeswarm": lambda: shap_charts.beeswarm(SHAP, DECILES, FEATURE_NAMES[:5], unit="probability"),
    "importance": lambda: shap_charts.importance(SHAP.abs().mean().to_frame("mouse").head(5), unit="probability"),
    "dependence": lambda: shap_charts.dependence(
        pd.DataFrame({"id": ["a"], "value": [1.0], "shap": [0.1], "decile": [3]}), "tau", "sag", unit="probability"
    ),
    "contributions": lambda: shap_charts.contributions(SHAP.iloc[0], ["1 mV"] * 41, unit="probability"),
    "matrix": lambda: gates.matrix(GATES, TRUTH, cluster(GATES.to_numpy()), cluster(GATES.to_numpy().T)),
    "open_count": lambda: gate_counts.open_count(GATES, TRUTH),
    "open_shares": lambda: gate_counts.open_shares((GATES > 0).mean().sort_values(ascending=False)),
    "mean_by_class": lambda: gates.mean_by_class(GATES.groupby(TRUTH.to_numpy()).mean()),
    "history": lambda: training.history(pd.DataFrame({"epoch": [1], "total": [0.5]}), ["total"], "Loss (nats)"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axis_titles_carry_units(name: str) -> None:
    figure = FIGURES[name]()
    assert axis_titles(figure) or not needs_titles(figure)
    assert not without_unit(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_no_figure_uses_webgl(name: str) -> None:
    assert not [trace.type for trace in FIGURES[name]().data if trace.type.endswith("gl")]


def test_simulated_cells_are_labelled_on_the_figure() -> None:
    fig = cohort.distribution(FRAME, "sag", "subclass", simulated=True)
    assert theme.SIMULATED_NOTE in [note.text for note in fig.layout.annotations]
    assert not cohort.distribution(FRAME, "sag", "subclass").layout.annotations


def test_a_legend_carries_the_note_where_there_is_one() -> None:
    fig = traces.sweeps([SWEEP], simulated=True)
    assert theme.SIMULATED_NOTE in fig.layout.legend.title.text
    assert theme.SIMULATED_NOTE not in str(traces.sweeps([SWEEP]).layout)
    many = traces.sweeps([SWEEP] * 5, simulated=True)
    assert theme.SIMULATED_NOTE in [note.text for note in many.layout.annotations], "no legend, no note"


def test_a_title_is_wrapped_for_narrow_screens() -> None:
    assert theme.wrapped("Stated probability of the predicted class (%)").count("<br>") == 1
    assert theme.wrapped("Sag (mV)") == "Sag (mV)"


def test_envelope_keeps_a_spike_of_one_sample() -> None:
    v = np.full(150_000, -70.0)
    v[77_777], v[12_345] = 40.0, -90.0
    index, kept = traces.envelope(v)
    assert kept.size <= traces.POINTS_A_SWEEP + 4
    assert (kept.max(), kept.min()) == (40.0, -90.0)
    assert index[kept.argmax()] == 77_777
    assert (np.diff(index) > 0).all()


def test_envelope_keeps_a_spike_in_the_tail() -> None:
    v = np.full(2999, -70.0)
    v[2998] = 30.0
    assert traces.envelope(v)[1].max() == 30.0


def test_crop_keeps_times() -> None:
    part = traces.crop(SWEEP, 0.02, 0.04)
    assert part.start_s == pytest.approx(0.02)
    assert part.v_mv[0] == SWEEP.v_mv[1000]


def test_widths_are_shown_in_milliseconds() -> None:
    fig = cohort.distribution(FRAME, "width", "subclass")
    assert fig.layout.xaxis.title.text == "Width (noise, ms)"
    assert 0.1 < np.nanmedian(np.concatenate([np.asarray(t.x, dtype=float) for t in fig.data])) < 3


def test_a_histogram_counts_every_cell_and_pales_what_is_not_wanted() -> None:
    fig = cohort.histogram(FRAME["sag"], "Sag (ratio)", (-1.0, 1.0), (0.1, 0.2))
    bar = fig.data[0]
    assert sum(bar.y) == FRAME["sag"].between(-1, 1).sum()
    bold = np.asarray(bar.x)[np.asarray(bar.marker.opacity) > 0.5]
    assert bold.size and bold.min() >= 0.1 and bold.max() <= 0.2


def test_lines_of_one_gene_are_told_apart() -> None:
    lines = [
        "Rorb-IRES2-Cre",
        "Scnn1a-Tg2-Cre",
        "Scnn1a-Tg3-Cre",
        "Nos1-CreERT2",
        "Nos1-CreERT2|Sst-IRES-FlpO",
        "unknown",
    ]
    assert cohort.short_lines(lines) == ["Rorb", "Scnn1a-Tg2", "Scnn1a-Tg3", "Nos1", "Nos1|Sst", ""]


def test_composition_counts_every_cell_once() -> None:
    table = cohort.composition_table(FRAME)
    assert table["cells"].sum() == len(FRAME)
    mouse = table[table["class"].str.startswith("mouse")].groupby("colour")["cells"].sum()
    assert mouse.to_dict() == FRAME[FRAME["species"] == "mouse"]["subclass"].value_counts().to_dict()
    bar, totals = cohort.composition(FRAME).data
    assert sum(bar.x) == sum(totals.x) == len(FRAME)


def test_confusion_shows_counts_and_row_shares() -> None:
    (heat,) = (trace for trace in FIGURES["confusion"]().data if trace.type == "heatmap")
    assert heat.text[0][0] == "<b>75.0%</b><br><span style='font-size:11px'>3</span>"


def test_bars_of_one_cell_add_up_to_all_contributions() -> None:
    bar = FIGURES["contributions"]().data[0]
    assert sum(bar.x) == pytest.approx(100 * SHAP.iloc[0].sum()) and bar.base is None


def test_gate_matrix_is_pale_where_shut() -> None:
    heat = [trace for trace in FIGURES["matrix"]().data if trace.type == "heatmap"][-1]
    assert heat.colorscale[0][0] == 0.0 and heat.colorscale[-1] == (1.0, "#12789B")
    assert np.asarray(heat.z).shape == (41, 30)


def test_groups_of_two_species_stand_apart_under_one_name_each() -> None:
    of_class = FRAME["subclass"].where(FRAME["subclass"].notna(), FRAME["broad"])
    fig = cohort.distribution(FRAME.assign(**{"class": of_class}), "sag", "class")
    names = [trace.name.rpartition(" (")[0] for trace in fig.data]
    assert names[:5] == [f"mouse {name}" for name in ("Glutamatergic", "Pvalb", "Sst", "Vip", "Htr3a+|Vip−")]
    assert names[5:] == ["human excitatory", "human inhibitory"]
    assert sum(len(trace.x) for trace in fig.data) == FRAME["sag"].notna().sum()
    by_layer = [trace.name for trace in cohort.distribution(FRAME, "sag", "layer").data]
    assert any(name.startswith("mouse 5") for name in by_layer)
    assert any(name.startswith("human 5") for name in by_layer)
    mouse = cohort.distribution(FRAME[FRAME["species"] == "mouse"], "sag", "subclass")
    assert mouse.data[0].name.startswith("Glutamatergic (")


def test_names_from_files_are_no_markup() -> None:
    fig = FIGURES["by_group"]()
    assert fig.data[0].y[0] == "a&lt;b&gt; (9)"


def test_inputs_are_not_changed() -> None:
    before = FRAME.copy(deep=True)
    for name in ("counts", "composition", "distribution"):
        FIGURES[name]()
    pd.testing.assert_frame_equal(FRAME, before)


def test_classes_keep_their_colours_and_order() -> None:
    colours = theme.colours_of(["Vip", "Pvalb", None])
    assert list(colours) == ["Pvalb", "Vip", "unknown"]
    assert colours["Vip"] == COLOURS["Vip"]
    assert theme.ordered(["10", "2/3", "1", "6a"]) == ["1", "2/3", "6a", "10"]


def test_own_cells_are_lines_in_distribution_and_histogram_named_in_the_legend() -> None:
    own = pd.Series({"mine<b>": 0.2, "yours": 0.3})
    for fig in (
        cohort.distribution(FRAME, "sag", "subclass", own=own),
        cohort.histogram(FRAME["sag"], "Sag (ratio)", (-1.0, 1.0), (0.1, 0.2), own),
    ):
        named = {trace.name: set(trace.x) for trace in fig.data if trace.showlegend is not False}
        assert named == {"mine&lt;b&gt;": {0.2}, "yours": {0.3}}
        assert fig.layout.showlegend
    assert not cohort.distribution(FRAME, "sag", "subclass").layout.showlegend


def test_the_session_has_a_panel_for_what_is_known_and_runs_over_the_files_clock() -> None:
    table = pd.DataFrame(
        {
            "sweep": [3, 4],
            "stimulus": ["ramp", "other"],
            "rest (mV)": [-70.0, -69.0],
            "holding (pA)": [np.nan, np.nan],
            "series resistance (MΩ)": [4.0, 9.0],
            "time (min)": [0.0, 2.5],
        }
    )
    fig = session(table)
    assert [list(trace.x) for trace in fig.data] == [[0.0, 2.5]] * 2
    assert [list(trace.y) for trace in fig.data] == [[-70.0, -69.0], [4.0, 9.0]]
    untimed = session(table.assign(**{"time (min)": np.nan}))
    assert list(untimed.data[0].x) == [3, 4] and "number" in untimed.layout.xaxis2.title.text
