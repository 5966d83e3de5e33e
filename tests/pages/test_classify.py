"""Classify and History: the command line's numbers, batches, cells in several files, what is kept."""

import hashlib
import importlib
import io
import json
import shlex
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.classification import analysis as domain
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.cli import main
from neuroclass.features import Stimulus
from neuroclass.io.history import PENDING, History, StoredFile
from neuroclass.io.spool import Spool
from neuroclass.ui.classify.dropped import DROPPED
from neuroclass.ui.classify.uploads import FEW_CELLS, TRACE
from neuroclass.ui.selection import table_key
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1
from tests.io.test_recordings_formats import table as sweep_table

Open = Callable[..., AppTest]
TABLE = b"cell,species,tau,sag,vrest,ri,latency\nA,mouse,20,0.1,-70,150,0.05\nB,human,12,0.02,-65,90,0.01\n"

pytestmark = pytest.mark.usefixtures("shipped_models")


@pytest.fixture
def opened(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Run a page as the same browser each time."""
    monkeypatch.setattr(
        "neuroclass.ui.history.browser_identity.secrets", SimpleNamespace(token_urlsafe=lambda n: "browser-" + "x" * n)
    )
    return open_page


@pytest.fixture
def history(tmp_path: Path) -> History:
    folder = tmp_path / "cache" / "history"
    return History(f"sqlite:///{folder / 'history.sqlite'}", Spool(folder / "files"))


ME = "browser-" + "x" * 32


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A cell's first and second half, each a file."""
    folder = tmp_path_factory.mktemp("sweeps")
    whole = planted.small(20_000.0)
    middle = len(whole.sweeps) // 2
    parts = {"c7_first_ramp.nwb": whole.sweeps[:middle], "c7_first_steps.nwb": whole.sweeps[middle:]}
    return [write_nwb1(folder / name, replace(whole, sweeps=part)) for name, part in parts.items()]


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    for name, content in files:
        app.file_uploader(key="files").upload(name, content, "application/octet-stream")
    app.run()
    assert not app.exception
    return app


def verdicts(app: AppTest) -> pd.DataFrame:
    return next(d.value for d in app.dataframe if "broad class" in d.value)


def of_page(app: AppTest, history: History) -> list:
    (entry,) = history.find(ME)
    (answers,) = history.answers(ME, entry.id).values()
    return [{name: value for name, value in one.items() if name != TRACE} for one in answers]


def section(app: AppTest, name: str) -> AppTest:
    app.segmented_control(key="section").set_value(name).run()
    assert not app.exception
    return app


def of_command_line(app: AppTest, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> list:
    if any(one.key == "section" for one in app.segmented_control):
        section(app, "Export")
    command = next(block.value for block in app.code if "neuroclass classify" in block.value)
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "neuroclass"]
    monkeypatch.chdir(folder)
    capsys.readouterr()
    assert main(words[3:]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command_line_shown_gives_a_tables_numbers_to_the_last_digit(
    opened, history, tmp_path, monkeypatch, capsys
):
    (tmp_path / "cells.csv").write_bytes(TABLE)
    app = opened("classify", species="mouse", marked="GABAergic")
    app.number_input(key="temperature").set_value(25.0)
    app.checkbox(key="correct_temperature").check()
    app.number_input(key="seal_gohm").set_value(1.2345678901)
    app = upload(app, ("cells.csv", TABLE))
    page = of_page(app, history)
    assert len(page) == 2 and page[0]["prior"]["weights"] == {"excitatory": 0.0}
    assert page == of_command_line(app, tmp_path, monkeypatch, capsys)


def test_the_command_line_shown_gives_a_corrected_recordings_numbers(opened, history, sweeps, monkeypatch, capsys):
    content = sweeps[1].read_bytes()
    app = opened("classify")
    plain = of_page(upload(app, (sweeps[1].name, content)), history)
    place = next((s["number"], k) for s in plain[0]["sweeps"] for k, e in enumerate(s["epochs"]) if e["stimulus"])
    app.session_state[f"assignments-{hashlib.sha256(content).hexdigest()}"] = {place: Stimulus.RAMP}
    app.run()
    page = of_page(app, history)
    assert page[0]["features"] != plain[0]["features"]
    assert page == of_command_line(app, sweeps[1].parent, monkeypatch, capsys)


def test_the_command_line_shown_gives_an_abfs_numbers(opened, history, shared_recordings, monkeypatch, capsys):
    path = shared_recordings / "17o05028_ic_steps.abf"
    app = upload(opened("classify", species="mouse"), (path.name, path.read_bytes()))
    assert of_page(app, history) == of_command_line(app, shared_recordings, monkeypatch, capsys)


def test_files_joined_under_a_name_are_one_cell_as_on_the_command_line(opened, history, sweeps, monkeypatch, capsys):
    app = opened("classify")
    app.session_state["cell_names"] = {
        f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.name}": "cell 7" for path in sweeps
    }
    app = upload(app, *((path.name, path.read_bytes()) for path in sweeps))
    page = of_page(app, history)
    assert [one["cell"] for one in page] == ["cell 7"]
    assert page[0]["sweeps"][-1]["source"].startswith(sweeps[1].name)
    assert page == of_command_line(app, sweeps[0].parent, monkeypatch, capsys)


@pytest.fixture
def views(monkeypatch) -> list[RecordingAnalysis]:
    """What the sweep view is given instead of being drawn."""
    seen: list[RecordingAnalysis] = []
    monkeypatch.setattr("neuroclass.ui.cells.sweeps.recording_view", lambda _key, lent: seen.append(lent()))
    return seen


@pytest.fixture(scope="module")
def weak() -> bytes:
    """Four sweeps as CSV whose currents may be pA or nA; the file's name is the cell's."""
    cell = planted.recording(planted.Cell(rate_hz=20_000.0), planted.FEW_PA)
    frame = sweep_table(replace(cell, sweeps=cell.sweeps[:4]), "time (s)", "mV", "pA", 1.0)
    currents = [name for name in frame if name.startswith("current")]
    return frame.assign(**{name: frame[name] * 0.01 for name in currents}).to_csv(index=False).encode()


def values_shown(app: AppTest, history: History, views: list[RecordingAnalysis]) -> dict[str, float]:
    """The verdict's features, which are those of the sweep view."""
    assert not app.exception
    (verdict,) = of_page(app, history)
    values = {name: value for name, value in verdict["features"].items() if value is not None}
    assert views[-1].features.values == values
    return values


def test_the_sweep_view_shows_what_the_verdict_rests_on_after_corrections(opened, history, sweeps, views):
    content = sweeps[1].read_bytes()
    app = upload(opened("classify", section="Sweeps"), (sweeps[1].name, content))
    plain = values_shown(app, history, views)
    (verdict,) = of_page(app, history)
    ramp = next(
        (s["number"], k) for s in verdict["sweeps"] for k, e in enumerate(s["epochs"]) if e["stimulus"] == "ramp"
    )
    app.session_state[f"assignments-{hashlib.sha256(content).hexdigest()}"] = {ramp: None}
    overruled = values_shown(app.run(), history, views)
    assert 0 < len(overruled) < len(plain)
    assert {s.sweep.number: s.stimulus for s in views[-1].sweeps}[ramp[0]] == "other"
    entered = values_shown(app.number_input(key="seal_gohm").set_value(2.5).run(), history, views)
    assert entered == {**overruled, "seal_gohm": 2.5}


def test_a_sweep_chosen_in_the_gallery_is_corrected_there(opened, history, sweeps, views):
    content = sweeps[1].read_bytes()
    app = upload(opened("classify", section="Sweeps"), (sweeps[1].name, content))
    plain = values_shown(app, history, views)
    (verdict,) = of_page(app, history)
    number, index = next(
        (s["number"], k) for s in verdict["sweeps"] for k, e in enumerate(s["epochs"]) if e["stimulus"] == "ramp"
    )
    key = f"{hashlib.sha256(content).hexdigest()[:16]}-{verdict['cell']}"
    assert not [one for one in app.selectbox if str(one.key).startswith("correct-")]
    app.session_state[f"gallery-chosen-{key}"] = number
    app.run()
    picked = app.selectbox(key=f"correct-{key}-{number}-{index}")
    assert picked.value == "ramp"
    picked.set_value("none")
    next(one for one in app.button if one.label == "Measure and classify again").click().run()
    overruled = values_shown(app, history, views)
    assert 0 < len(overruled) < len(plain)
    assert {s.sweep.number: s.stimulus for s in views[-1].sweeps}[number] == "other"


def test_the_sweep_view_follows_a_changed_channel_mapping(opened, history, weak, views):
    app = upload(opened("classify", section="Sweeps"), ("cell.csv", weak))
    plain = values_shown(app, history, views)
    app.toggle(key="override").set_value(True).run()
    app.selectbox(key="stimulus_unit").set_value("nA").run()
    mapped = values_shown(app, history, views)
    assert set(mapped) != set(plain)


def test_the_same_content_under_another_name_keeps_its_sweeps_and_its_own_name(opened, weak, views):
    for name in ("first", "second"):
        upload(opened("classify", section="Sweeps"), (f"{name}.csv", weak))
        assert (views[-1].recording.source, views[-1].recording.cell) == (f"{name}.csv", name)
    assert len(views) == 2


def test_a_recording_is_read_and_measured_once_for_all_that_is_shown(opened, history, sweeps, monkeypatch):
    measured: list[str] = []
    real = domain.extract_features

    def counted(recording, **given):
        measured.append(recording.source)
        return real(recording, **given)

    monkeypatch.setattr(domain, "extract_features", counted)
    content = sweeps[0].read_bytes() + b"\0"
    app = upload(opened("classify"), ("once.nwb", content))
    for name in ("Reasons", "Sweeps", "Features", "What if", "Export"):
        section(app, name)
    app.multiselect(key="excluded").set_value(["Vip"]).run()
    assert not app.exception
    assert of_page(app, history)[0]["prior"]["weights"] == {"Vip": 0.0}
    assert measured.count("once.nwb") == 1


def test_names_are_suggested_only_when_asked(opened, sweeps):
    app = upload(opened("classify"), *((path.name, path.read_bytes()) for path in sweeps))
    assert len(verdicts(app)) == 2
    button = next(b for b in app.button if "Suggest" in b.label)
    button.click().run()
    assert not app.exception
    assert any("c7" in s.value for s in app.caption)
    assert app.session_state["shown"][0].cell == "c7_first"


def test_one_bad_file_of_an_archive_does_not_stop_the_rest(opened, history):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../=cmd|' /C calc'!A0.abf", b"junk")
        archive.writestr("cells.csv", TABLE)
        archive.writestr("inner.zip", b"PK\x03\x04")
    app = upload(opened("classify"), ("day.zip", packed.getvalue()), ("empty.abf", b""))
    table = verdicts(app)
    assert sorted(table["cell"][~table["broad class"].str.startswith("refused")]) == ["A", "B"]
    refused = table[table["broad class"].str.startswith("refused")]
    assert len(refused) == 3 and refused["note"].str.len().min() > 20
    assert len(history.find(ME)) == 3


def test_every_upload_is_kept_before_the_first_is_computed(opened, history, monkeypatch):
    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the server died")

    monkeypatch.setattr("neuroclass.classification.measurement.measure", crash)
    app = opened("classify")
    for name, content in (("a.csv", TABLE), ("b.csv", TABLE.replace(b"A,", b"C,"))):
        app.file_uploader(key="files").upload(name, content, "text/csv")
    app.run()
    assert app.exception
    assert [entry.state for entry in history.find(ME)] == [PENDING] * 2
    monkeypatch.undo()


def test_a_link_reopens_the_cell_with_what_was_said_and_finishes_what_a_crash_left(opened, history):
    digest, size = history.spool.put(io.BytesIO(TABLE))
    id = history.begin(ME, [StoredFile("cells.csv", digest, size)], {"species": "human", "entered": {"seal_gohm": 2.5}})
    assert any("was not answered" in w.value for w in opened("history").warning)
    app = opened("classify", entry=id)
    assert not app.exception and not app.error
    assert app.number_input(key="seal_gohm").value == 2.5
    assert sorted(verdicts(app)["cell"]) == ["A", "B"]
    assert history.get(ME, id).state == "done"
    assert not opened("history").warning


def test_a_link_of_another_browser_opens_nothing(opened, history):
    digest, size = history.spool.put(io.BytesIO(TABLE))
    id = history.begin("another browser", [StoredFile("secret.csv", digest, size)], {})
    app = opened("classify", entry=id)
    assert "has not classified" in app.error[0].value
    assert "secret" not in str(app.main)
    assert "secret" not in str(opened("history").main)


def test_the_history_finds_compares_and_deletes(opened, history):
    app = upload(opened("classify"), ("cells.csv", TABLE))
    (entry,) = history.find(ME)
    old = [
        {**one, "broad": {"excitatory": 0.25, "inhibitory": 0.75}} for one in history.answers(ME, entry.id).popitem()[1]
    ]
    history.finish(ME, entry.id, "dann 0000 lspin 0000", old, entry.summary, now=1.0)
    assert not opened("history", q="nothing like this").dataframe
    app = opened("history", q="cells.csv")
    key = table_key("history", [entry.id])
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    versions = verdicts(app)
    assert len(versions) == 4
    assert set(versions["broad class: probability"]) > {0.75}
    next(b for b in app.button if b.label.startswith("Delete all")).click().run()
    assert not app.exception
    assert history.find(ME) == [] and history.spool.sizes() == {}


def test_deleting_all_leaves_nothing_of_a_file_in_the_session(opened, history, sweeps):
    content = sweeps[1].read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    app = upload(opened("classify"), (sweeps[1].name, content))
    (verdict,) = of_page(app, history)
    place = next((s["number"], k) for s in verdict["sweeps"] for k, e in enumerate(s["epochs"]) if e["stimulus"])
    app.session_state[f"assignments-{digest}"] = {place: None}
    app.session_state["left-out"] = {digest: frozenset({place[0]})}
    app.session_state[DROPPED] = [StoredFile(sweeps[1].name, digest, len(content))]
    history_page = opened("history")
    for key, value in app.session_state._state.filtered_state.items():
        if digest[:16] in key + repr(value):
            history_page.session_state[key] = value
    history_page.session_state["species"] = "mouse"
    next(b for b in history_page.button if b.label.startswith("Delete all")).click().run()
    assert not history_page.exception
    kept = history_page.session_state._state.filtered_state
    assert kept["species"] == "mouse"
    assert not [key for key, value in kept.items() if digest[:16] in key + repr(value)]


def test_before_anything_is_classified_the_history_offers_a_beginning_and_nothing_to_find_or_delete(opened):
    app = opened("history", q="anything")
    labels = [one.label for one in app.button]
    assert "Classify a recording" in labels and "A pyramidal cell" in labels
    assert not app.text_input and not [one for one in labels if one.startswith("Delete")]
    assert "examples included" in app.info[0].value


@pytest.mark.parametrize("told", ["off", "postgresql://nobody@localhost:1/none"])
def test_without_a_place_that_lasts_cells_are_classified_all_the_same(opened, monkeypatch, told):
    monkeypatch.setenv("NEUROCLASS_HISTORY", told)
    app = upload(opened("classify"), ("cells.csv", TABLE))
    assert len(verdicts(app)) == 2
    assert "entry" not in app.query_params


def test_excluding_every_class_is_told(opened):
    app = opened("classify", excluded=["excitatory", "inhibitory"])
    assert "leave at least one class" in app.error[0].value.replace("\\", "")


def many(n_cells: int) -> bytes:
    rows = (f"c{k},mouse,{12 + k / 10},0.05,{-70 + k / 10},150,0.02\n" for k in range(n_cells))
    return b"cell,species,tau,sag,vrest,ri,latency\n" + "".join(rows).encode()


def test_reasons_of_many_cells_are_computed_where_one_is_shown(opened, history, monkeypatch):
    module = importlib.import_module("neuroclass.explain.shap_values")
    compute, asked = module.shap_values, []

    def counted(model, x, *arguments, **options):
        asked.append(len(x))
        return compute(model, x, *arguments, **options)

    monkeypatch.setattr(module, "shap_values", counted)
    app = upload(opened("classify", species="mouse"), ("cells.csv", many(FEW_CELLS + 4)))
    assert asked == [1]
    assert any("What speaks for" in one.value for one in app.caption)
    app.run()
    assert asked == [1]
    page = of_page(app, history)
    assert len(page) == FEW_CELLS + 4
    assert not any(one["reasons"]["broad"] for one in page)


def test_a_table_of_too_many_cells_is_refused_with_the_command_line(opened, monkeypatch):
    monkeypatch.setattr("neuroclass.ui.classify.uploads.MOST_CELLS", 2)
    app = upload(opened("classify", species="mouse"), ("cells.csv", many(3)))
    assert any("at most 2 are classified here" in one.value for one in app.error)
