"""Whether an answer depends on a junction potential that nobody stated."""

from dataclasses import replace

import pytest

from neuroclass.classification.classify import classify_cells
from neuroclass.classification.junction import if_corrected
from neuroclass.classification.measurement import MeasuredCell, measured_recording
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import load_models
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.classification.wording import depends_on_junction, junction_line
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.cohort.examples import EXAMPLES
from neuroclass.ephys.conditions import Conditions

ONE = Prediction("lspin", {"Pvalb": 0.9, "Sst": 0.1}, ("Pvalb",))
BROAD = Prediction("dann", {"inhibitory": 0.96, "excitatory": 0.04}, ("inhibitory",), typicality=0.35)
VERDICT = CellVerdict("f", "c", "mouse", BROAD, ONE, {}, {})


def answered(conditions: Conditions = Conditions()) -> CellVerdict:
    cell = measured_recording(
        simulate_demo_cell(EXAMPLES["fast-spiking"].cell_id), CellMetadata("mouse", conditions=conditions)
    )
    (found,) = classify_cells([cell], load_models(), False)
    assert isinstance(found, CellVerdict)
    return found


def test_the_answer_is_that_of_the_same_cell_stated_to_be_corrected() -> None:
    plain, stated = answered(), answered(Conditions(junction_corrected=True))
    found = if_corrected(plain, load_models())
    assert found is not None
    assert found.features["vrest"] == plain.features["vrest"] + 14 and found.features["tau"] == plain.features["tau"]
    assert found.subclass.probabilities == pytest.approx(stated.subclass.probabilities, abs=1e-6)
    assert found.broad.probabilities == pytest.approx(stated.broad.probabilities, abs=1e-6)


def test_nothing_is_said_where_it_is_stated_or_no_potential_was_measured() -> None:
    models = load_models()
    for stated in (Conditions(junction_corrected=True), Conditions(junction_corrected=False, junction_mv=10.0)):
        assert if_corrected(answered(stated), models) is None
    times = {"tau": 8.0, "ri": 90.0, "sag": 0.05, "latency": 0.02}
    (only_times,) = classify_cells([MeasuredCell("f", "c", "mouse", times, {})], models, False)
    assert isinstance(only_times, CellVerdict)
    assert if_corrected(only_times, models) is None
    withheld = replace(answered(), broad=replace(BROAD, abstain="it is unlike all"))
    assert if_corrected(withheld, models) is None


def test_the_line_says_whether_the_answer_stays() -> None:
    assert (
        "14 mV are to be added to compare them with the database, and the answer stays Pvalb, inhibitory (Pvalb 90.0%"
        in junction_line(VERDICT, VERDICT)
    )
    assert not depends_on_junction(VERDICT, VERDICT)
    other = replace(VERDICT, subclass=replace(ONE, probabilities={"Pvalb": 0.3, "Sst": 0.7}, prediction_set=("Sst",)))
    assert "the answer is Sst, inhibitory (Sst 70.0%" in junction_line(VERDICT, other)
    assert junction_line(VERDICT, other).endswith("instead: state it with the recording conditions.")
    assert depends_on_junction(VERDICT, other)
    none = replace(VERDICT, broad=replace(BROAD, abstain="it is unlike all"))
    assert "there is no label (it is unlike all)" in junction_line(VERDICT, none)
    assert depends_on_junction(VERDICT, none)
