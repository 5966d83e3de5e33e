"""Recording conditions: what they change, and that nothing is changed without them."""

import argparse

import pytest

from neuroclass.classification.classify import classify_input
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata
from neuroclass.commands.arguments import add_conditions, conditions_of
from neuroclass.ephys.conditions import Conditions, q10_factor, to_reference
from neuroclass.errors import SettingsError

FEATURES = {
    "vrest": -84.0,
    "width": 1e-3,
    "upstroke": 200.0,
    "tau": 20.0,
    "ri": 200.0,
    "threshold_i": 100.0,
    "sag": 0.1,
}


def test_corrected_potentials_get_the_references_junction_potential_back():
    changed = to_reference(FEATURES, Conditions(junction_mv=11.0, junction_corrected=True))
    assert changed.features["vrest"] == pytest.approx(-70.0)
    assert changed.measured == {"vrest": -84.0}
    assert "+14.0 mV was added" in changed.notes[0]


def test_an_uncorrected_potential_moves_by_the_difference_of_the_junction_potentials():
    changed = to_reference(FEATURES, Conditions(junction_mv=10.0, junction_corrected=False))
    assert changed.features["vrest"] == pytest.approx(-80.0)
    assert to_reference(FEATURES, Conditions(junction_corrected=False)).features == FEATURES


def test_a_cold_recording_is_sharpened_and_its_membrane_made_leakier():
    changed = to_reference(FEATURES, Conditions(temperature_c=24.0, correct_temperature=True))
    assert changed.features["width"] == pytest.approx(0.5e-3)
    assert changed.features["upstroke"] == pytest.approx(400.0)
    assert changed.features["tau"] == pytest.approx(20 / 1.4)
    assert changed.features["ri"] == pytest.approx(200 / 1.3)
    assert changed.features["threshold_i"] == pytest.approx(130.0)
    assert changed.features["vrest"] == -84.0 and changed.features["sag"] == 0.1
    assert "caution" in changed.notes[0]


def test_a_temperature_alone_changes_no_value_but_is_noted():
    changed = to_reference(FEATURES, Conditions(temperature_c=24.0))
    assert changed.features == FEATURES and not changed.measured
    assert "no value is changed" in changed.notes[0]


def test_there_and_back_is_where_it_was():
    for name in FEATURES:
        assert q10_factor(name, 9.0) * q10_factor(name, -9.0) == pytest.approx(1)


def test_nothing_said_nothing_changed():
    assert to_reference(FEATURES, Conditions()).features == FEATURES
    assert to_reference(FEATURES, Conditions(temperature_c=33.5)).notes == ()
    assert Conditions().to_json() == {}


@pytest.mark.parametrize(
    "values",
    (
        {"temperature_c": 310.0},
        {"junction_mv": 60.0},
        {"temperature_c": float("nan")},
        {"preparation": "cultured"},
    ),
)
def test_impossible_conditions_are_refused(values):
    with pytest.raises(SettingsError, match="expected"):
        Conditions(**values)


def test_the_command_lines_words_are_understood():
    parser = argparse.ArgumentParser()
    add_conditions(parser)
    words = ["--temperature", "25", "--junction-potential", "12", "--junction-corrected", "yes", "--region", "M1"]
    assert conditions_of(parser.parse_args(words)) == Conditions(25.0, 12.0, True, "", "M1")
    assert conditions_of(parser.parse_args([*words, "--correct-temperature"])).warming_c == 9.0


def test_the_preparation_changes_no_value_and_the_verdict_says_that_no_model_uses_it():
    table = b"cell,species,vrest,tau,ri,sag,latency\nA,human,-70,20,150,0.1,0.05\n"
    plain, culture = (
        classify_input(CellInput.single("a.csv", table), CellMetadata(conditions=conditions), reasons=False)[0]
        for conditions in (Conditions(), Conditions(preparation="culture"))
    )
    assert culture.features == plain.features
    assert culture.subclass.probabilities == plain.subclass.probabilities
    assert culture.to_json()["conditions"]["preparation"] == "culture"
    assert any("Slice culture" in warning and "no model uses it" in warning for warning in culture.warnings)
    assert not any("culture" in warning for warning in plain.warnings)


def test_a_verdict_says_what_was_measured_and_what_was_used():
    table = b"cell,species,vrest,tau,ri,sag,width,latency\nA,mouse,-84,20,150,0.1,0.001,0.05\n"
    (verdict,) = classify_input(
        CellInput.single("a.csv", table), CellMetadata(conditions=Conditions(junction_corrected=True)), reasons=False
    )
    assert verdict.features["vrest"] == pytest.approx(-70)
    assert verdict.provenance["vrest"]["as_measured"] == -84
    assert verdict.to_json()["conditions"] == {
        "junction_corrected": True,
        "added_to_potentials_mv": 14.0,
        "corrected_by_c": 0.0,
    }
    assert any("database's are not corrected" in warning for warning in verdict.warnings)
