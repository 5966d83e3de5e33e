"""Classify: what overruling a stimulus changed, altered features, two cells compared, doubtful cells first."""

import hashlib

import pytest

from tests.pages.test_classify import TABLE, history, opened, section, sweeps, upload, verdicts  # noqa: F401

pytestmark = pytest.mark.usefixtures("shipped_models")


def test_an_overruled_stimulus_says_what_it_changed(opened, history, sweeps):  # noqa: F811
    content = sweeps[1].read_bytes()
    app = upload(opened("classify"), (sweeps[1].name, content))
    assert not any("corrected epoch" in one.value for one in app.info)
    (entry,) = history.find("browser-" + "x" * 32)
    ((plain,),) = history.answers("browser-" + "x" * 32, entry.id).values()
    ramp = next((s["number"], k) for s in plain["sweeps"] for k, e in enumerate(s["epochs"]) if e["stimulus"] == "ramp")
    app.session_state[f"assignments-{hashlib.sha256(content).hexdigest()}"] = {ramp: None}
    app.run()
    assert not app.exception
    (note,) = [one.value.replace("\\", "") for one in app.info if "corrected epoch" in one.value]
    assert "With 1 corrected epoch:" in note and "Features:" in note
    assert " gone" in note or "changed, most of all" in note


def test_a_moved_feature_moves_the_answer_until_it_is_reset(opened):  # noqa: F811
    app = section(upload(opened("classify", species="mouse"), ("a.csv", TABLE.split(b"B,")[0])), "What if")
    assert any("Nothing is altered yet" in one.value for one in app.caption)
    slider = next(one for one in app.slider if "-tau-" in one.key)
    assert slider.value == pytest.approx(20.0, abs=0.2)
    slider.set_value(slider.min + (slider.max - slider.min) * 0.1).run()
    assert not app.exception
    (told,) = [one.value.replace("\\", "") for one in app.caption if "1 altered" in one.value]
    assert "→" in told and "typicality" in told
    next(one for one in app.button if one.label == "Back to the measured values").click().run()
    assert any("Nothing is altered yet" in one.value for one in app.caption)


def test_a_moved_feature_is_of_one_answer_and_another_prior_begins_with_what_was_measured(opened):  # noqa: F811
    app = section(upload(opened("classify", species="mouse"), ("a.csv", TABLE.split(b"B,")[0])), "What if")
    slider = next(one for one in app.slider if "-tau-" in one.key)
    measured = slider.value
    slider.set_value(slider.min + (slider.max - slider.min) * 0.1).run()
    app.multiselect(key="excluded").set_value(["Vip"]).run()
    assert not app.exception
    assert next(one for one in app.slider if "-tau-" in one.key).value == measured
    assert any("Nothing is altered yet" in one.value for one in app.caption)


def test_two_cells_are_compared_by_the_features_that_differ_most(opened):  # noqa: F811
    app = section(upload(opened("classify"), ("cells.csv", TABLE)), "Compare")
    assert any("shared features that differ most" in one.value for one in app.caption)
    assert sum("Calibrated probability" in one.value or "set holds" in one.value for one in app.caption) >= 2


def test_cells_are_stepped_through_and_the_address_keeps_the_row(opened):  # noqa: F811
    app = upload(opened("classify"), ("cells.csv", TABLE), ("bad.abf", b"junk"))
    assert verdicts(app)["attention"].iloc[0] == "refused"
    assert app.query_params["row"] == "2"
    app.button(key="batch-next").click().run()
    assert not app.exception and app.query_params["row"] == "3"
    app.button(key="batch-next").click().run()
    assert app.query_params["row"] == "1" and any("was refused" in one.value for one in app.error)
