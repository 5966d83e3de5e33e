"""Classify: a refused recording shows the reading that works, and is read so at a click."""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.cli import main
from tests.io.abf_files import steps, write_abf1
from tests.pages.test_classify import history, of_command_line, of_page, opened, upload, verdicts  # noqa: F401

RATE_HZ = 20_000.0

pytestmark = pytest.mark.usefixtures("shipped_models")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files whose gain of 20 was not telegraphed, one without a current, one whose current has an unknown gain."""
    path = tmp_path_factory.mktemp("recordings")
    cell = steps(RATE_HZ)
    strong = [("Vm", "mV", [s.v_mv * 20.0 for s in cell.sweeps])]
    plain = [("Vm", "mV", [s.v_mv for s in cell.sweeps])]
    write_abf1(path / "gain.abf", strong, RATE_HZ, [("Cmd 0", "pA")])
    (path / "other.abf").write_bytes((path / "gain.abf").read_bytes() + bytes(512))
    write_abf1(path / "alone.abf", plain, RATE_HZ, [("Cmd 0", "mV")], driven=-1)
    write_abf1(path / "scaled.abf", plain, RATE_HZ, [("Cmd 0", "pA")], scale=100.0)
    return path


def dropped(app: AppTest, folder: Path, *names: str) -> AppTest:
    return upload(app, *((name, (folder / name).read_bytes()) for name in names))


def button(app: AppTest, start: str):
    return next(one for one in app.button if (one.key or "").startswith(start))


def test_one_click_reads_a_recording_as_proposed(opened, history, folder, monkeypatch, capsys):  # noqa: F811
    app = dropped(opened("classify"), folder, "gain.abf")
    (error,) = app.error
    assert "was refused" in error.value and "--" not in error.value and "Error" not in error.value
    assert any("divided by 20" in block.value for block in app.markdown)
    expected = of_command_line(app, folder, monkeypatch, capsys)
    button(app, "accept-").click().run()
    assert not app.exception and not app.error
    assert any("Read as you accepted it" in block.value for block in app.info)
    page = of_page(app, history)
    assert page == expected and page[0]["features"]["vrest"] == pytest.approx(-70.0, abs=0.1)
    assert any("divided by 20" in warning for warning in page[0]["warnings"])
    button(app, "unaccept-").click().run()
    assert "was refused" in app.error[0].value


def test_the_first_sweep_is_drawn_under_the_reading(opened, folder, monkeypatch):  # noqa: F811
    drawn = []
    real = __import__("neuroclass.charts.traces", fromlist=["sweeps"]).sweeps
    monkeypatch.setattr(
        "neuroclass.charts.traces.sweeps", lambda shown, **how: drawn.append(shown) or real(shown, **how)
    )
    dropped(opened("classify"), folder, "gain.abf")
    ((trace,),) = drawn
    np.testing.assert_allclose(trace.v_mv, steps(RATE_HZ).sweeps[0].v_mv, atol=0.05)
    np.testing.assert_allclose(trace.i_pa, steps(RATE_HZ).sweeps[0].i_pa, atol=1e-6)


def test_files_with_one_fault_are_read_together(opened, folder):  # noqa: F811
    app = dropped(opened("classify"), folder, "gain.abf", "other.abf", "alone.abf")
    before = verdicts(app)["broad class"].tolist()
    assert before == ["refused, readable as proposed", "refused, readable as proposed", "refused"]
    button(app, "accept-all-").click().run()
    assert not app.exception
    table = verdicts(app).set_index("file")["broad class"]
    assert not table["gain.abf"].startswith("refused") and not table["other.abf"].startswith("refused")
    assert table["alone.abf"] == "refused"


def test_a_recording_without_a_current_is_offered_nothing(opened, folder):  # noqa: F811
    app = dropped(opened("classify"), folder, "alone.abf")
    assert "no injected current" in app.error[0].value and "Record or export both" in app.error[0].value
    assert not [one for one in app.button if (one.key or "").startswith("accept")]
    assert not app.code and not app.info


def test_a_gain_is_entered_in_the_form(opened, history, folder, monkeypatch, capsys):  # noqa: F811
    app = dropped(opened("classify"), folder, "scaled.abf")
    assert "Enter it as the gain of the current" in app.error[0].value.replace("\\", "")
    assert any("Gains and offsets are entered at the top" in block.value for block in app.info)
    app.toggle(key="override").set_value(True).run()
    app.number_input(key="stimulus_gain").set_value(100.0).run()
    assert not app.exception and not app.error
    page = of_page(app, history)
    assert page[0]["features"]["ri"] == pytest.approx(150.0, rel=0.02)
    assert page == of_command_line(app, folder, monkeypatch, capsys)


@pytest.mark.parametrize("command", ["extract", "classify"])
def test_the_command_line_prints_the_words(command, folder, capsys):
    assert main([command, str(folder / "gain.abf")]) == 3
    assert "On the command line: --response-gain 20" in capsys.readouterr().out
    assert main([command, "--json", str(folder / "gain.abf")]) == 3
    (one,) = json.loads(capsys.readouterr().out)
    (proposal,) = one["error"]["proposals"]
    assert proposal["options"] == {"response_gain": 20.0} and proposal["arguments"] == "--response-gain 20"
    assert main([command, "--json", str(folder / "gain.abf"), *proposal["arguments"].split()]) == 0
