"""Classify: a sweep is left out, everything says so, and it comes back in; links and other browsers."""

import hashlib
import re

import pytest

from tests.pages.test_classify import ME, history, of_command_line, of_page, opened, section, sweeps, upload  # noqa: F401

pytestmark = pytest.mark.usefixtures("shipped_models")


def typed(app, text: str):
    next(one for one in app.text_input if one.label == "Sweeps to leave out").set_value(text)
    next(one for one in app.button if one.label == "Leave out").click().run()
    assert not app.exception


def plain(texts) -> str:
    return " ".join(one.value.replace("\\", "") for one in texts)


def test_a_sweep_is_left_out_by_its_number_and_taken_back_in(opened, history, sweeps, monkeypatch, capsys):  # noqa: F811
    app = upload(opened("classify", section="Sweeps"), (sweeps[1].name, sweeps[1].read_bytes()))
    (before,) = of_page(app, history)
    number = before["sweeps"][-1]["number"]
    typed(app, f"{number}")
    (after,) = of_page(app, history)
    assert after["without_sweeps"] == [number]
    assert number not in [one["number"] for one in after["sweeps"]]
    assert after["features"] != before["features"]
    assert f"without sweep {number}" in plain(app.caption), "the first screen names it"
    assert f"**Without sweep {number}:**" in plain(app.info) and "→" in plain(app.info)
    (entry,) = history.find(ME)
    assert f"without sweep {number}" in entry.summary
    (again,) = of_command_line(app, sweeps[1].parent, monkeypatch, capsys)
    assert again == after
    section(app, "Sweeps")
    next(one for one in app.button if one.label == "Take all back in").click().run()
    assert not app.exception
    assert of_page(app, history) == [before]
    assert "Without sweep" not in plain(app.info)


def test_the_clicked_sweep_is_left_out_and_taken_back_in(opened, history, sweeps):  # noqa: F811
    content = sweeps[1].read_bytes()
    app = upload(opened("classify", section="Sweeps"), (sweeps[1].name, content))
    (before,) = of_page(app, history)
    number = before["sweeps"][0]["number"]
    app.session_state[f"gallery-chosen-{hashlib.sha256(content).hexdigest()[:16]}-{before['cell']}"] = number
    app.run()
    next(one for one in app.button if one.label == f"Leave sweep {number} out").click().run()
    assert not app.exception and of_page(app, history)[0]["without_sweeps"] == [number]
    next(one for one in app.button if one.label == f"Take sweep {number} back in").click().run()
    assert not app.exception and of_page(app, history) == [before]


def test_what_cannot_be_left_out_is_said_and_changes_nothing(opened, history, sweeps):  # noqa: F811
    app = upload(opened("classify", section="Sweeps"), (sweeps[1].name, sweeps[1].read_bytes()))
    (before,) = of_page(app, history)
    numbers = [one["number"] for one in before["sweeps"]]
    for text, told in (
        (f"{numbers[0]}-{numbers[-1]}", "Keep at least one"),
        ("9999", "has no sweep 9999"),
        ("three", "such as 3,7 or 9-12"),
    ):
        typed(app, text)
        assert told in plain(app.error)
        assert of_page(app, history) == [before]


def test_the_link_leaves_the_same_sweeps_out_and_another_browser_has_them_all(opened, history, sweeps):  # noqa: F811
    file = sweeps[1].name, sweeps[1].read_bytes()
    app = upload(opened("classify", section="Sweeps"), file)
    (before,) = of_page(app, history)
    number = before["sweeps"][-1]["number"]
    typed(app, f"{number}")
    (entry,) = history.find(ME)
    linked = opened("classify", entry=entry.id)
    assert not linked.exception
    assert f"without sweep {number}" in plain(linked.caption)
    fresh = upload(opened("classify", section="Sweeps"), file)
    assert "without sweep" not in plain(fresh.caption)
    assert "without sweep" in plain(app.run().caption)


def test_the_history_shows_the_response_of_a_recording(opened, history, sweeps):  # noqa: F811
    upload(opened("classify"), (sweeps[0].name, sweeps[0].read_bytes()))
    app = opened("history")
    assert not app.exception
    (picture,) = app.get("image")
    number = int(re.search(r"Sweep (\d+), [+−]\d+ pA", picture.proto.imgs[0].caption)[1])
    (answer,) = next(iter(history.answers(ME, history.find(ME)[0].id).values()))
    assert answer["trace"]["sweep"] == number
    assert number in [one["number"] for one in answer["sweeps"]]
