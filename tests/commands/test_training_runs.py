"""Training runs as folders, from the command line: validation, killed and resumed, own cells, listed and compared."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neuroclass.cli import main
from neuroclass.cohort.cohort import Cohort
from neuroclass.commands import training_run
from neuroclass.config import PROJECT_DIR
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import load_model
from neuroclass.training import runs
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.runs import RunConfig, create_run, runs_folder
from tests.planted import planted_cohort

FEW = ["--members", "2", "--set", "inner_folds=2", "--set", "batch_cells=32", "--set", "steps_an_epoch=5"]


@pytest.fixture(autouse=True)
def cells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cohort:
    cohort = planted_cohort(240)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(training_run, "load_cohort", lambda _: cohort)
    return cohort


def trained(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["train", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_leaves_all_that_is_needed_to_judge_it(capsys, cells: Cohort) -> None:
    answer = trained(capsys, "lspin", "--epochs", "6", "--name", "Ours, tried", *FEW)
    folder = runs_folder() / answer["run"]
    card = json.loads((folder / "model" / "lspin" / "card.json").read_text())
    assert card["name"] == answer["name"] == "Ours, tried"
    held = card["validation"]
    mouse = cells.labelled("subclass")
    assert held["n_cells"] + card["training_cells"]["n_cells"] == len(mouse)
    assert 0.05 < held["n_cells"] / len(mouse) < 0.3
    history = json.loads((folder / "history.json").read_text())["epochs"]
    assert len(history) == 6 == held["n_epochs"] == held["weights_of"]
    assert {"validation_accuracy", "validation_macro_f1", "validation_label", "training_accuracy", "open_gates"} <= set(
        history[0]
    )
    about = json.loads((folder / "environment.json").read_text())
    assert about["cells"]["n_cells"] == len(cells) and about["versions"]["torch"]
    assert not (folder / "state.safetensors").exists()
    assert json.loads((folder / "result.json").read_text()) == answer
    load_model("lspin", folder / "model")


def test_donors_that_judge_do_not_train(capsys, cells: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroclass.training import train

    seen: dict[str, Cohort] = {}

    def spy(cohort, settings, progress, watch):
        seen.update(training=cohort, validation=watch.validation)
        return original(cohort, settings, progress, watch)

    original = train.TRAINERS["dann"]
    monkeypatch.setitem(train.TRAINERS, "dann", spy)
    trained(capsys, "dann", "--epochs", "1", "--validation", "0.25", *FEW)
    donors = {name: set(one.column("donor")) for name, one in seen.items()}
    assert donors["training"] and not donors["training"] & donors["validation"]
    assert set(seen["validation"].column("species")) == {"mouse", "human"}


@pytest.mark.parametrize("words", [["--patience", "2", "--validation", "0"], ["--set", "dropout=2"], ["--set", "lr=1"],
                                   ["--set", "steps=many"], ["--epochs", "2", "--steps", "9"], ["--compare"],
                                   ["--validation", "0.9"], ["--report", "--steps", "9"]])  # fmt: skip
def test_what_cannot_be_trained_is_refused_before_anything_is_written(words: list[str], capsys) -> None:
    assert main(["train", "lspin", *words]) == 2
    assert "SettingsError" in capsys.readouterr().err
    assert not list(runs_folder().glob("*"))


def test_other_cells_than_those_it_began_with_are_refused(capsys, cells: Cohort, monkeypatch) -> None:
    config = RunConfig("lspin", {"steps": 5, "n_members": 2, "inner_folds": 2})
    folder = create_run(config, runs_folder(), {}, None, queued=False)
    runs.write_json(folder / "environment.json", runs.environment(cells))
    monkeypatch.setattr(training_run, "load_cohort", lambda _: cells.take(np.arange(200)))
    assert main(["train", "--resume", folder.name]) == 2
    assert "240 from planted" in capsys.readouterr().err
    monkeypatch.setattr(training_run, "load_cohort", lambda _: cells)
    assert main(["train", "--resume", folder.name]) == 0
    assert main(["train", "--resume", folder.name]) == 2
    assert "is done" in capsys.readouterr().err


def test_runs_are_listed_and_compared(capsys) -> None:
    first = trained(capsys, "lspin", "--epochs", "1", *FEW)["run"]
    second = trained(capsys, "lspin", "--epochs", "1", "--set", "gate_penalty=0.1", *FEW)["run"]
    assert main(["runs", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"] for row in rows} == {first, second} and {row["state"] for row in rows} == {"done"}
    assert main(["runs", "compare", first, second, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == {"gate_penalty": [0.013, 0.1]}


@pytest.mark.parametrize(("asked", "state"), [(True, "paused"), (False, "failed")])
def test_what_breaks_because_it_was_asked_to_end_is_paused(monkeypatch, capsys, asked: bool, state: str) -> None:
    from neuroclass.training import train

    def broken(*_: object, **__: object) -> None:
        if asked:
            os.kill(os.getpid(), signal.SIGTERM)
        raise RuntimeError("a worker has died")

    monkeypatch.setattr(train, "train_model", broken)
    folder = create_run(RunConfig("lspin"), runs_folder(), {}, None, queued=False)
    if asked:
        assert main(["train", "--resume", folder.name]) == 130
        assert f"--resume {folder.name}" in capsys.readouterr().err
    else:
        with pytest.raises(RuntimeError):
            main(["train", "--resume", folder.name])
    assert JobRegistry().look(folder.name).state.value == state


SCRIPT = """
import sys
from neuroclass.cli import main
from neuroclass.commands import training_run
from tests.planted import planted_cohort
training_run.load_cohort = lambda _: planted_cohort(240)
sys.exit(main(["train", "--resume", sys.argv[1]]))
"""


def _process(run: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", SCRIPT, run], cwd=PROJECT_DIR, stderr=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip


def _weights(folder: Path, system: str) -> bytes:
    return (folder / "model" / system / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("system", ["lspin", "dann"])
def test_killed_and_resumed_it_gives_the_weights_of_one_that_was_not(system: str, rng: np.random.Generator) -> None:
    config = RunConfig(system, {"steps": 300, "n_members": 2, "inner_folds": 2, "batch_cells": 32, "steps_an_epoch": 5})
    whole, cut = (create_run(config, runs_folder(), {}, None, queued=False) for _ in range(2))
    assert main(["train", "--resume", whole.name]) == 0
    for number in range(3):
        process = _process(cut.name)
        deadline = time.monotonic() + 120
        reached = int(rng.integers(1, 18)) + 20 * number
        while process.poll() is None and time.monotonic() < deadline:
            if len(runs.read_json(cut / "history.json").get("epochs", ())) >= reached:
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL if number != 1 else signal.SIGTERM)
        process.wait()
        assert JobRegistry().look(cut.name).state.value == ("paused" if number == 1 else "interrupted")
    assert main(["train", "--resume", cut.name]) == 0
    assert _weights(cut, system) == _weights(whole, system)
    one, other = (json.loads((folder / "history.json").read_text()) for folder in (whole, cut))
    assert one == other


def labelled_table(cells: Cohort, path: Path, shift: float = 1.3) -> Path:
    frame = cells.labelled("subclass").frame.rename(columns={"id": "cell", "subclass": "label"})
    frame = frame.assign(tau=frame["tau"] * shift)
    frame[["cell", "donor", "species", "label", *FEATURE_NAMES]].to_csv(path, index=False)
    return path


@pytest.mark.parametrize(("system", "which"), [("lspin", "both"), ("dann", "both"), ("lspin", "own")])
def test_own_cells_train_and_their_held_out_donors_say_whether_it_helped(
    capsys, tmp_path: Path, cells: Cohort, system: str, which: str
) -> None:
    own = planted_cohort(130, seed=9, human_share=0.0)
    table = labelled_table(own, tmp_path / "my lab.csv")
    words = ["--own", str(table), "--cells", which, "--epochs", "1", "--jobs", "1", *FEW]
    words += ["--align", "--compare"] if which == "both" else []
    answer = trained(capsys, system, *words)
    card = json.loads((runs_folder() / answer["run"] / "model" / system / "card.json").read_text())
    assert card["own_cells"]["n_cells"] == len(own)
    n_loaded = len(cells.labelled("broad" if system == "dann" else "subclass")) if which == "both" else 0
    assert card["training_cells"]["n_cells"] + card["validation"]["n_cells"] == len(own) + n_loaded
    if which == "own":
        return
    assert card["architecture"].get("n_domains") == (3 if system == "dann" else None)
    offset = np.array(card["own_cells"]["aligned"]["offset"])
    assert offset[FEATURE_NAMES.index("tau")] == pytest.approx(np.log(1.3), abs=0.15)
    gain = answer["own"]
    assert gain["n_cells"] == len(own) and set(gain["arms"]) == {"without", "with", "with, aligned", "alone"}
    with_own = gain["gain"]["with"]
    assert with_own["low"] <= with_own["difference"] <= with_own["high"]
    difference = gain["arms"]["with"]["accuracy"]["mean"] - gain["arms"]["without"]["accuracy"]["mean"]
    assert with_own["difference"] == pytest.approx(difference)


def test_a_table_that_cannot_be_learned_from_is_refused_at_once(capsys, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("cell,tau\na,12\n")
    assert main(["train", "lspin", "--own", str(bad)]) == 1
    assert "neither a column" in capsys.readouterr().err
    assert main(["train", "lspin", "--own", str(tmp_path / "none.csv")]) == 1
    assert not list(runs_folder().glob("*"))


def test_settings_under_a_protocol_are_evaluated_once_though_cut_off(capsys, monkeypatch, cells: Cohort) -> None:
    from neuroclass.evaluation import evaluate
    from neuroclass.evaluation.names import Protocol
    from neuroclass.training.registry import System, network
    from neuroclass.types.models import LSPIN

    config = RunConfig(
        "lspin", {"steps": 4, "n_members": 2, "inner_folds": 2, "batch_cells": 32}, protocol="donor-cv", repeats=1
    )
    folder = create_run(config, runs_folder(), {}, None, queued=False)
    tested: list[int] = []

    def testing(model, task, plan, trial):
        if len(tested) == 3:
            raise KeyboardInterrupt
        tested.append(trial.fold)
        return original(model, task, plan, trial)

    original = evaluate.test_trial
    monkeypatch.setattr(evaluate, "test_trial", testing)
    assert main(["train", "--resume", folder.name]) == 130
    assert tested == [0, 1, 2]
    monkeypatch.setattr(evaluate, "test_trial", lambda *words: tested.append(words[3].fold) or original(*words))
    assert main(["train", "--resume", folder.name, "--json"]) == 0
    assert tested == [0, 1, 2, 3, 4]
    answer = json.loads(capsys.readouterr().out)
    settings = training_run.with_values("lspin", config.settings)
    alone = evaluate.evaluate(
        System("lspin", ("subclass",), network(LSPIN, settings)),
        Protocol.DONOR_CV,
        cells,
        repeats=1,
        jobs=1,
    )
    assert answer["protocol"]["metrics"] == alone.result["metrics"]
