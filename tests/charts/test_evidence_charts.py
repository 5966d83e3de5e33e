"""Charts of evidence and adaptation: units on the axes, escaped names, marks that mean what they say."""

import numpy as np
import pandas as pd

from neuroclass.charts import adaptation, evidence
from neuroclass.charts.comparison import Panel, aligned, side_by_side
from neuroclass.charts.traces import Mark, Trace, envelope

REASONS = pd.DataFrame(
    {"feature": ["tau", "sag"], "shown": ["<b>12 ms</b>", "0.1"], "shap": [0.3, -0.1], "gate": [1.0, 0.0]}
)


def test_each_bar_of_the_reasons_carries_its_feature():
    fig = evidence.reasons(REASONS, "Pvalb")
    shap, gates, _ = fig.data
    assert list(shap.customdata) == list(gates.customdata) == ["sag", "tau"]
    assert "&lt;b&gt;12 ms" in shap.y[1].replace("\xa0", " ")
    assert "percentage points" in fig.layout.xaxis.title.text
    assert list(gates.x) == [0.0, 1.0] and list(gates.text) == ["0", "1"]


def test_bars_with_a_shut_gate_are_hatched_and_the_legend_says_why():
    fig = evidence.reasons(REASONS, "Pvalb", pooled=True)
    assert list(fig.data[0].marker.pattern.shape) == ["/", ""]
    assert list(fig.layout.xaxis2.ticktext) == ["0<br>shut", "1<br>open"]
    (entry,) = [trace for trace in fig.data if trace.showlegend is not False]
    assert fig.layout.showlegend and "models without gates" in entry.name and entry.marker.pattern.shape == "/"
    assert "without" not in evidence.reasons(REASONS, "Pvalb").data[-1].name
    assert not evidence.reasons(REASONS.assign(gate=1.0), "Pvalb").layout.showlegend


def test_every_gate_is_written_also_where_it_is_shut():
    table = pd.DataFrame(
        {
            "feature": ["tau", "sag", "vrest", "ri"],
            "shown": ["1", "2", "3", "4"],
            "shap": [0.3, -0.1, 0.05, 0.04],
            "gate": [1.0, 0.0, 0.42, np.nan],
        }
    )
    assert list(evidence.reasons(table, "Pvalb").data[1].text) == ["", "0.42", "0", "1"]


def test_values_of_negative_bars_do_not_lie_on_the_names():
    table = REASONS.assign(shap=[-0.2, 0.1])
    fig = evidence.reasons(table, "Pvalb")
    assert sorted(fig.data[0].text) == ["", "+10.0"]
    (note,) = [one for one in fig.layout.annotations if one.text == "−20.0"]
    assert (note.x, note.xanchor, note.y) == (0, "left", fig.data[0].y[1])


def test_without_gates_there_is_one_panel():
    fig = evidence.reasons(REASONS.assign(gate=None), "excitatory")
    assert len(fig.data) == 1
    assert evidence.reasons(REASONS.head(0), "excitatory").layout.annotations[0].text.startswith("No feature")


def test_changes_say_from_and_to_in_standard_deviations():
    table = pd.DataFrame({"feature": ["tau"], "now": ["12 ms"], "then": ["20 ms"], "delta_z": [0.8]})
    fig = evidence.changes(table, simulated=True)
    assert fig.data[0].text[0] == "12 ms → 20 ms"
    assert "standard deviations" in fig.layout.xaxis.title.text.replace("<br>", " ")
    assert any(note.text == "simulated cells" for note in fig.layout.annotations)


def test_flips_are_crosses_and_dropped_sweeps_categories():
    table = pd.DataFrame(
        {
            "axis": ["junction offset"] * 2 + ["dropped sweeps"],
            "level": [-5.0, 5.0, np.nan],
            "label": ["-5 mV", "+5 mV", "without ramp"],
            "probability": [0.9, 0.2, 0.8],
            "top": ["Pvalb", "Sst", "Pvalb"],
        }
    )
    units = {"junction offset": "mV", "bridge error": "MOhm", "dropped sweeps": "%"}
    fig = evidence.stress(table, "Pvalb", units, 0.95)
    assert [list(trace.marker.symbol) for trace in fig.data] == [["circle", "x"], ["circle"]]
    assert list(fig.data[1].x) == ["without ramp"]
    assert fig.layout.xaxis.title.text == "Junction offset (mV)"
    assert evidence.stress(table.head(0), "Pvalb", units, 0.9).layout.annotations[0].text.startswith("No variant")


def test_panels_share_a_clock_and_a_scale():
    trace = Trace("sweep 1", np.linspace(-70, 20, 1000), np.zeros(1000), 10_000.0)
    moved = aligned(trace, 0.05)
    assert moved.start_s == -0.05
    panel = Panel("<i>me</i>", "Peak: 20 mV", (moved,), (Mark("peak", [0.0], [20.0]),), (-0.01, 0.02), True)
    fig = side_by_side([panel, panel], "the spike's peak")
    assert min(fig.data[0].x) >= -10.1 and max(fig.data[0].x) <= 20.1
    assert "&lt;i&gt;me" in fig.layout.annotations[0].text and "(simulated)" in fig.layout.annotations[0].text
    assert fig.layout.yaxis2.matches == "y"
    assert side_by_side([], "x").layout.annotations[0].text == "No sweep to compare."


def test_significant_shifts_are_filled():
    table = pd.DataFrame(
        {
            "feature": ["vrest", "tau"],
            "species": ["mouse"] * 2,
            "percentile": [5.0, 48.0],
            "p": [1e-9, 0.6],
            "n_cells": 30,
        }
    )
    fig = adaptation.shifts(table)
    assert list(fig.data[0].marker.symbol) == ["circle", "circle-open"]
    assert "percentile" in fig.layout.xaxis.title.text
    counts = pd.DataFrame({"class": ["Pvalb", "Sst"], "before": [3, 1], "after": [2, 2]})
    assert [list(bar.y) for bar in adaptation.relabelled(counts).data] == [[3, 1], [2, 2]]


def test_offsets_and_shares_carry_their_intervals():
    parts = pd.DataFrame(
        {
            "name": ["voltage offset", "resistance"],
            "unit": ["mV", "ln"],
            "size": [-8.0, 0.0],
            "low": [-10.0, -np.log(2)],
            "high": [-5.0, np.log(4)],
        }
    )
    volts, factors = adaptation.offsets(parts).data
    assert list(volts.error_x.array) == [3.0] and list(volts.error_x.arrayminus) == [2.0]
    assert np.allclose([factors.x[0], factors.error_x.array[0], factors.error_x.arrayminus[0]], [1.0, 3.0, 0.5])
    assert "mV" in adaptation.offsets(parts).layout.xaxis.title.text
    shares = pd.DataFrame({"class": ["Pvalb", "Sst"], "share": [0.4, 0.6], "low": [0.2, 0.5], "high": [0.5, 0.8]})
    bars = adaptation.proportions(shares).data[0]
    assert np.allclose(bars.error_y.array, [0.1, 0.2]) and np.allclose(bars.error_y.arrayminus, [0.2, 0.1])
    assert "cannot be estimated" in adaptation.proportions(pd.DataFrame()).layout.annotations[0].text


def test_no_stretch_of_a_trace_is_thinned_more_than_the_rest():
    v = np.sin(np.arange(1199) / 10)
    index, _ = envelope(v, 600)
    assert len(index) <= 602
    assert np.diff(index).max() <= 7
