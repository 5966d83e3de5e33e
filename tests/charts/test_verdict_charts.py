"""Probabilities of one verdict in little room; class colours mean classes, and nothing else has them."""

import pytest

from neuroclass.cell_types import COLOURS
from neuroclass.charts import theme
from neuroclass.charts.verdict import before_after, strips
from neuroclass.classification.result import Prediction

TASK = Prediction("lspin", {"Pvalb": 0.6, "Sst": 0.3, "Vip": 0.06, "Htr3a": 0.04}, ("Pvalb",))


def test_classes_outside_the_set_are_outlined_and_written_below_the_bar():
    fig = strips({"Subclass": TASK})
    bars = {bar.hovertemplate.split(":")[0]: bar for bar in fig.data}
    (below,) = fig.layout.annotations
    assert {name: bar.marker.line.color[0] for name, bar in bars.items() if name != "Htr3a+|Vip−"} == {
        name: COLOURS[name] for name in ("Pvalb", "Sst", "Vip")
    }
    assert bars["Pvalb"].marker.color[0] == COLOURS["Pvalb"] and bars["Pvalb"].marker.line.width[0] == 0
    assert all(bars[name].marker.color[0].startswith("rgba") for name in ("Sst", "Vip"))
    assert all(bars[name].marker.line.width[0] > 1 for name in ("Sst", "Vip"))
    assert bars["Pvalb"].text == "Pvalb 60%" and bars["Sst"].text == bars["Vip"].text == ""
    assert [part.split("</span> ")[1].strip() for part in below.text.split("<span")[1:]] == [
        "Sst 30%",
        "Vip 6%",
        "Htr3a+|Vip− 4%",
    ]
    assert "outside the set" in bars["Sst"].hovertemplate and "outside" not in bars["Pvalb"].hovertemplate
    assert sum(bar.x[0] for bar in bars.values()) == 1.0


def test_without_a_label_no_class_is_in_full_colour():
    withheld = Prediction("lspin", TASK.probabilities, ("Pvalb",), abstain="too few features")
    assert not [bar for bar in strips({"Subclass": withheld}).data if bar.marker.line.width[0] == 0]


def test_before_and_after_have_the_same_classes():
    before, after = before_after({"Pvalb": 0.6, "Sst": 0.4}, {"Sst": 0.9, "Pvalb": 0.1}).data
    assert list(before.y) == list(after.y) and list(after.x) == pytest.approx([10, 90])


def test_no_colour_of_a_class_is_used_for_anything_else():
    others = {*theme.PALETTE, theme.ACCENT, theme.UNKNOWN, theme.POSITIVE, theme.NEGATIVE}
    assert not others & set(COLOURS.values())
