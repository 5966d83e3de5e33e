"""Training runs on a real MLflow server, on one that goes away, and on none."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neuroclass.cli import main
from neuroclass.errors import SettingsError, TrackingError
from neuroclass.training import runs, tracking
from neuroclass.training.runs import RunConfig, read_json, write_json
from neuroclass.training.tracking import EXPERIMENT, SENT, MlflowTracker, Tracker, flat, tracked, tracking_address
from neuroclass.types.progress import EPOCH, Progress

EXECUTABLE = "NEUROCLASS_MLFLOW"
QUICK = ["--steps", "40", "--members", "1", "--set", "steps_an_epoch=10", "--workers", "1"]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a tracking server that was started for these tests."""
    program = os.environ.get(EXECUTABLE, "")
    if not program:
        pytest.skip(f"no MLflow server here: set {EXECUTABLE} to its executable (.ci/mlflow_server installs one)")
    pytest.importorskip("mlflow")
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    words = [program, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += [
        "--backend-store-uri",
        f"sqlite:///{folder / 'runs.db'}",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    environment = {**os.environ, "DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 120
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    return tmp_path / "cache"


def found(address: str, run: str) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(address).get_run(run)


def test_a_run_is_on_the_server_with_settings_epochs_results_and_files(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow.tracking import MlflowClient

    assert main(["train", "lspin", *QUICK, "--name", "ours", "--mlflow", server, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    folder = runs.find_run(answer["run"])
    run = read_json(folder / SENT)["run_id"]
    one, client = found(server, run), MlflowClient(server)
    assert client.get_experiment(one.info.experiment_id).name == EXPERIMENT
    assert (one.info.run_name, one.info.status) == ("ours", "FINISHED")
    assert (one.data.params["steps"], one.data.params["n_members"]) == ("40", "1")
    environment = read_json(folder / runs.ENVIRONMENT)
    assert one.data.tags["cells.sha256"] == environment["cells"]["sha256"]
    assert one.data.tags["cells.simulated"] == "True"
    assert one.data.tags.get("git_revision") == environment["git_revision"]
    epochs = read_json(folder / runs.HISTORY)["epochs"]
    sent = client.get_metric_history(run, "validation_accuracy")
    assert [(metric.step, metric.value) for metric in sent] == [
        (epoch["epoch"], pytest.approx(epoch["validation_accuracy"], abs=1e-5)) for epoch in epochs
    ]
    assert len(sent) == 4
    assert one.data.metrics["result.validation.accuracy"] == answer["validation"]["accuracy"]
    assert {file.path for file in client.list_artifacts(run)} >= {"config.json", "result.json", "model"}
    assert client.list_artifacts(run, "model/lspin")
    before = len(client.search_runs([one.info.experiment_id]))
    assert main(["runs", "send", answer["run"], "--mlflow", server]) == 0
    assert len(client.search_runs([one.info.experiment_id])) == before
    assert len(client.get_metric_history(run, "validation_accuracy")) == 4


def test_a_run_that_was_cut_off_goes_on_under_its_id(server: str, tmp_path: Path) -> None:
    config, folder = RunConfig("lspin"), tmp_path / "20260101-000000-lspin-abcdef"
    write_json(folder / runs.HISTORY, {"epochs": [{"epoch": k, "of": 3, "loss": 1.0 / k} for k in (1, 2, 3)]})
    with pytest.raises(KeyboardInterrupt), tracked(server, config, folder) as first:
        first.begin({})
        first.note(Progress(EPOCH, 1, 3, {"loss": 1.0}))
        raise KeyboardInterrupt
    run = read_json(folder / SENT)["run_id"]
    assert found(server, run).info.status == "FAILED"
    (folder / runs.MODEL).mkdir()
    with tracked(server, config, folder) as second:
        second.begin({})
        second.note(Progress(EPOCH, 1, 3, {"loss": 1.0}))
        second.finish({"metrics": {"accuracy": {"mean": 0.5}}})
    from mlflow.tracking import MlflowClient

    assert read_json(folder / SENT)["run_id"] == run
    assert [metric.step for metric in MlflowClient(server).get_metric_history(run, "loss")] == [1, 2, 3]
    assert found(server, run).data.metrics["result.metrics.accuracy.mean"] == 0.5
    assert found(server, run).info.status == "FINISHED"


def test_a_server_that_is_not_there_is_told_before_training(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mlflow")
    address = f"http://127.0.0.1:{free_port()}"
    assert main(["train", "lspin", *QUICK, "--mlflow", address]) == 1
    said = capsys.readouterr().err
    assert "TrackingError" in said and address in said and "epoch 1" not in said


class Away:
    """A client whose server went away."""

    def log_batch(self, *_: object, **__: object) -> None:
        raise OSError("connection refused")

    set_terminated = log_batch


def test_training_goes_on_where_the_server_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setattr(tracking, "_client", lambda _: Away())
    write_json(tmp_path / runs.HISTORY, {"epochs": [{"epoch": 1, "of": 1, "loss": 0.5}]})
    tracker = MlflowTracker("http://lab:5000", RunConfig("lspin"), tmp_path)
    for epoch in (1, 2):
        tracker.note(Progress(EPOCH, epoch, 2, {"loss": 0.5}))
    assert caplog.text.count("Training goes on") == 1
    with pytest.raises(TrackingError, match="complete here; send it with: python -m neuroclass runs send"):
        tracker.finish({})


def test_nothing_is_sent_unless_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(tracking.VARIABLE, "http://lab:5000")
    assert tracking_address(None) == "" and tracking_address("") == ""
    assert tracking_address("env") == "http://lab:5000"
    with tracked(tracking_address(None), RunConfig("lspin"), tmp_path) as tracker:
        assert type(tracker) is Tracker
    monkeypatch.delenv(tracking.VARIABLE)
    for wrong, said in (("env", "not set"), ("lab", "expected the address"), ("http://me:secret@lab", "password")):
        with pytest.raises(SettingsError, match=said):
            tracking_address(wrong)


def test_a_missing_client_is_told_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "mlflow" or name.startswith("mlflow.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(TrackingError, match=r"pip install 'neuroclass\[mlflow\]'"):
        tracking._client("http://lab:5000")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true" and os.environ["DO_NOT_TRACK"] == "true"


def test_numbers_have_names_that_mlflow_takes() -> None:
    values = {"a": {"p(home)": 1, "deep": {"b": 0.5}}, "text": "x", "none": None, "nan": float("nan"), "yes": True}
    assert flat(values) == {"a.p-home-": 1.0, "a.deep.b": 0.5}
