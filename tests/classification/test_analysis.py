"""One analysis of a recording: the user's metadata reaches all that is shown of it."""

import pytest

from neuroclass.classification.analysis import analyse
from neuroclass.classification.metadata import CellMetadata
from neuroclass.ephys.conditions import Conditions
from neuroclass.features import Stimulus
from tests.ephys import planted


@pytest.fixture(scope="module")
def recording():
    return planted.small(20_000.0)


def test_corrected_stimuli_and_entered_values_reach_features_sweeps_and_json(recording):
    plain = analyse(recording)
    epoch = next(e for e in plain.features.epochs if e.stimulus is Stimulus.RAMP)
    metadata = CellMetadata(entered={"seal_gohm": 2.0}, assignments={(epoch.sweep_number, epoch.index): None})
    analysis = analyse(recording, metadata)
    assert "threshold_v_ramp" in plain.features.values and "threshold_v_ramp" not in analysis.features.values
    assert analysis.features.values["seal_gohm"] == 2.0
    for found, wanted in ((plain, "ramp"), (analysis, "other")):
        assert {s.sweep.number: s.stimulus for s in found.sweeps}[epoch.sweep_number] == wanted
    place = next(one for one in analysis.sweeps_json() if one["number"] == epoch.sweep_number)
    assert place["epochs"][epoch.index]["stimulus"] is None


def test_conditions_change_the_corrected_features_and_leave_what_was_measured(recording):
    analysis = analyse(recording, CellMetadata(conditions=Conditions(junction_corrected=True)))
    assert analysis.corrected.features["vrest"] == analysis.features.values["vrest"] + 14
    assert analysis.provenance()["vrest"]["as_measured"] == analysis.features.values["vrest"]
    plain = analyse(recording)
    assert plain.corrected.features == plain.features.values == analysis.features.values
    assert "as_measured" not in plain.provenance()["vrest"]
