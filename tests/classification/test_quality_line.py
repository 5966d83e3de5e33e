"""Quality findings in one line, those that matter most first, and what undoing one changes."""

from dataclasses import replace

from neuroclass.classification.quality_effect import remedies
from neuroclass.classification.quality_line import findings, is_serious, quality_line
from neuroclass.classification.result import CellVerdict, Prediction, Reason
from tests.ephys import planted


def flag(name: str, value: float, unit: str, sweep: int | None = None, severity: str = "caution") -> dict:
    return {"name": name, "sweep": sweep, "value": value, "unit": unit, "severity": severity, "message": f"{name}."}


def verdict(*flags: dict) -> CellVerdict:
    reasons = (Reason("tau", 0.02, 0.2), Reason("sag", 0.1, -0.1))
    task = Prediction("lspin", {"Sst": 0.7, "Vip": 0.3}, ("Sst",), reasons=reasons)
    places = {"tau": {"sweeps": [1, 2]}, "sag": {"sweeps": [7]}}
    return CellVerdict("f", "c", "mouse", task, task, {"tau": 0.02, "sag": 0.1}, {}, places, qc=flags)


def test_flags_of_a_kind_are_one_finding_with_their_span():
    drifts = [flag("baseline_drift", value, "mV", sweep) for sweep, value in enumerate((8.8, 3.9, 5.0))]
    assert quality_line(findings(verdict(*drifts))) == "3 sweeps drift 3.9–8.8 mV"
    assert quality_line(findings(verdict(drifts[0]))) == "sweep 0 drifts 8.8 mV"
    assert quality_line(findings(verdict())) == "no finding"


def test_serious_findings_come_first_then_those_whose_sweeps_carry_the_evidence():
    flags = (
        flag("noise", 1.0, "mV", 7),
        flag("baseline_drift", 4.0, "mV", 2),
        flag("unbalanced_bridge", 11.6, "MOhm"),
        flag("high_input_resistance", 1503.0, "MOhm", severity="serious"),
    )
    found = findings(verdict(*flags))
    assert [one.name for one in found] == [
        "high_input_resistance", "baseline_drift", "noise", "unbalanced_bridge"
    ]  # fmt: skip
    assert is_serious(found) and not is_serious(found[1:])
    assert quality_line(found).startswith("input resistance 1503 MOhm; sweep 2 drifts 4 mV")


def test_what_was_measured_to_change_most_comes_first():
    flags = (flag("baseline_drift", 4.0, "mV", 2), flag("unbalanced_bridge", 11.6, "MOhm"))
    found = findings(verdict(*flags), {"unbalanced_bridge": 0.3, "baseline_drift": 0.1})
    assert [one.name for one in found] == ["unbalanced_bridge", "baseline_drift"]


def test_the_bridge_is_balanced_and_flagged_sweeps_are_left_out():
    recording = planted.small(20_000.0)
    first = recording.sweeps[0]
    found = findings(
        verdict(
            flag("baseline_drift", 4.0, "mV", first.number),
            flag("unbalanced_bridge", 10.0, "MOhm"),
            flag("unstable_rest", 20.0, "mV"),
        )
    )
    undo = remedies(found, recording)
    assert set(undo) == {"baseline_drift", "unbalanced_bridge"}
    assert first.number not in {sweep.number for sweep in undo["baseline_drift"].apply(recording).sweeps}
    balanced = undo["unbalanced_bridge"].apply(recording).sweeps[0]
    assert (balanced.v_mv == first.v_mv - 0.01 * first.i_pa).all()
    alone = replace(recording, sweeps=(first,))
    assert set(remedies(found, alone)) == {"unbalanced_bridge"}
