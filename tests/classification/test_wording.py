"""A verdict in words: probability and prediction set together."""

from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.classification.wording import (
    doubt_figures,
    doubt_line,
    headline,
    left_out,
    left_out_line,
    set_line,
)

SHARES = {"Pvalb": 0.6, "Sst": 0.24, "Vip": 0.12, "Htr3a": 0.04}


def verdict(subclass: Prediction, broad: Prediction | None = None) -> CellVerdict:
    broad = broad or Prediction("dann", {"inhibitory": 0.96, "excitatory": 0.04}, ("inhibitory",), typicality=0.35)
    return CellVerdict("f", "c", "mouse", broad, subclass, {}, {})


def test_a_set_of_one_class_explains_itself_and_names_every_class_above_a_tenth():
    task = Prediction("lspin", SHARES, ("Pvalb",))
    assert left_out(task) == ["Sst", "Vip"]
    text = set_line(task)
    assert "90% prediction set: Pvalb." in text and "that it does is lower: 60.0%." in text
    assert "Sst" not in text
    assert left_out_line(task) == "Sst (24.0%), Vip (12.0%) are outside the 90% prediction set, but not ruled out."


def test_a_set_that_holds_all_likely_classes_leaves_nothing_to_explain():
    task = Prediction("lspin", SHARES, ("Pvalb", "Sst", "Vip"))
    assert left_out_line(task) == ""
    assert "that it does is 96.0%." in set_line(task)
    assert set_line(Prediction("lspin", SHARES)) == ""


def test_the_doubt_is_one_line_with_set_accuracy_and_typicality():
    task = Prediction("lspin", SHARES, ("Pvalb", "Sst"), expected={"accuracy": 0.751})
    one = verdict(task)
    assert headline(one) == "Pvalb or Sst"
    assert doubt_line(one) == (
        "Calibrated probability: Pvalb 60.0% (90% set: Pvalb or Sst), inhibitory 96.0%; expected accuracy 75.1%; "
        "typicality 35.0%."
    )


def test_each_figure_of_the_doubt_is_named_and_each_probability_by_its_class():
    broad = Prediction("dann", {"inhibitory": 0.96, "excitatory": 0.04}, ("inhibitory",), typicality=0.35)
    one = verdict(Prediction("lspin", SHARES, ("Pvalb",), expected={"accuracy": 0.751}), broad)
    assert {name: text for name, text, _ in doubt_figures(one)} == {
        "Probability": "Pvalb 60.0%, inhibitory 96.0%",
        "Expected accuracy": "75.1% (subclass)",
        "Typicality": "typical",
    }
    several = {name: text for name, text, _ in doubt_figures(verdict(Prediction("lspin", SHARES, ("Pvalb", "Sst"))))}
    assert several["Probability"] == "Pvalb 60.0%, inhibitory 96.0%"
    assert several["Prediction set"] == "90%, 2 classes"


def test_a_contradicting_broad_class_is_named_with_its_probability():
    broad = Prediction("dann", {"inhibitory": 0.04, "excitatory": 0.96}, ("excitatory",))
    (figure, *_) = doubt_figures(verdict(Prediction("lspin", SHARES, ("Pvalb",)), broad))
    assert figure[:2] == ("Probability", "Pvalb 60.0%, excitatory 96.0%")
    withheld = Prediction("dann", {"inhibitory": 0.5, "excitatory": 0.5}, abstain="too few features")
    assert doubt_figures(verdict(Prediction("lspin", SHARES, ("Pvalb",)), withheld)) == []


def test_three_classes_are_listed_as_prose_lists_them():
    assert headline(verdict(Prediction("lspin", SHARES, ("Pvalb", "Sst", "Vip")))) == "Pvalb, Sst or Vip"


def test_an_unusual_cell_is_called_so_with_its_share():
    broad = Prediction("dann", {"inhibitory": 0.96, "excitatory": 0.04}, ("inhibitory",), typicality=0.028)
    figures = {name: text for name, text, _ in doubt_figures(verdict(Prediction("lspin", SHARES, ("Pvalb",)), broad))}
    assert figures["Typicality"] == "unusual (2.8%)"
