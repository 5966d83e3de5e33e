"""An answer in one line, and the line taken apart again."""

from dataclasses import replace

import pytest

from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.classification.summary import Told, summary_of, told
from neuroclass.ephys.sweep import SIMULATED_WARNING
from neuroclass.errors import ClampModeError, RejectedInput
from neuroclass.reference.health import NOT_HEALTHY

SHARES = {"Pvalb": 0.6, "Sst": 0.24, "Vip": 0.12, "Htr3a": 0.04}
BROAD = Prediction("dann", {"inhibitory": 0.96, "excitatory": 0.04}, ("inhibitory",), typicality=0.35)
ONE, TWO = Prediction("lspin", SHARES, ("Pvalb",)), Prediction("lspin", SHARES, ("Pvalb", "Htr3a"))
SICK = {"name": NOT_HEALTHY, "severity": "serious", "value": 3.0, "unit": "criteria", "sweep": None}
SURE = "Pvalb 60.0%, inhibitory 96.0%"


def verdict(subclass: Prediction = ONE, cell: str = "c", **known: object) -> CellVerdict:
    return replace(CellVerdict(f"{cell}.abf", cell, "mouse", BROAD, subclass, {}, {}), **known)


@pytest.mark.parametrize("cell", ["c", "cell (2) of 3%", "2019: slice (a), mouse", "", "Do not rely"])
@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (verdict(), Told("mouse", "Pvalb, inhibitory", SURE, "")),
        (verdict(TWO), Told("mouse", "Pvalb or Htr3a+|Vip−", SURE, "")),
        (verdict(species="human"), Told("human", "Pvalb, inhibitory", SURE, "")),
        (verdict(species="unknown"), Told("not given", "Pvalb, inhibitory", SURE, "")),
        (verdict(without_sweeps=(3, 7)), Told("mouse", "Pvalb, inhibitory without sweeps 3 and 7", SURE, "")),
        (
            verdict(qc=(SICK,)),
            Told("mouse", "Pvalb, inhibitory", SURE, "Do not rely on this answer: unlike a healthy cortical neuron."),
        ),
        (
            verdict(warnings=(SIMULATED_WARNING, "Another remark.")),
            Told("mouse", "Pvalb, inhibitory", SURE, SIMULATED_WARNING),
        ),
        (verdict(broad=replace(BROAD, abstain="it is unlike all")), Told("mouse", "Cannot say", "", "")),
    ],
    ids=[
        "one class",
        "two classes",
        "human",
        "species not given",
        "without sweeps",
        "doubtful",
        "simulated",
        "no label",
    ],
)
def test_a_summary_of_one_cell_is_taken_apart_whatever_its_name(cell, one, expected):
    assert told(summary_of([replace(one, cell=cell)])) == expected


def test_several_cells_are_told_together_and_every_caution_once():
    found = told(summary_of([verdict(cell="a", qc=(SICK,)), verdict(TWO, cell="b")]))
    assert found.answer == f"2 cells: a (mouse): Pvalb, inhibitory ({SURE}). b (mouse): Pvalb or Htr3a+|Vip− ({SURE})."
    assert found.caution.startswith("Do not rely") and found.species == found.probability == ""


def test_a_refusal_is_told_in_words():
    refused = RejectedInput("v.nwb", ClampModeError("v.nwb is voltage clamp"))
    assert told(summary_of([refused])) == Told("", "refused (clamp mode)", "", "")


def test_what_earlier_versions_wrote_stands_as_it_is():
    assert told("c: Sst 40%, inhibitory") == Told("", "c: Sst 40%, inhibitory", "", "")
