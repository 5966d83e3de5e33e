"""Cross-validation on a Dask cluster: the predictions of this machine to the last bit, also when a worker is killed."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from neuroclass.cli import main
from neuroclass.cohort.cohort import Cohort
from neuroclass.commands import evaluate as command
from neuroclass.config import LspinSettings, OptimiserSettings
from neuroclass.errors import SettingsError
from neuroclass.evaluation import evaluate as evaluation
from neuroclass.evaluation.evaluate import run_trials
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import plan_protocol
from neuroclass.library.library import ModelLibrary
from neuroclass.training.registry import System, network
from neuroclass.types.models import LSPIN
from neuroclass.types.progress import Progress
from neuroclass.work import current
from neuroclass.work.base import Here
from neuroclass.work.dask_cluster import DaskCluster
from tests.planted import planted_cohort

SMALL = LspinSettings(n_members=2, inner_folds=2, optimiser=OptimiserSettings(steps=20, steps_an_epoch=10))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Scheduler of a cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        local_directory=str(tmp_path_factory.mktemp("dask")),
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return planted_cohort(160)


def test_networks_are_the_same_to_the_last_bit_when_a_worker_is_killed(
    address: str, cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_protocol(Protocol.DONOR_CV, cohort, "subclass", 1)
    system = System("small", (LSPIN.task,), network(LSPIN, SMALL))
    expected = run_trials(system, LSPIN.task, plan, jobs=1)
    killed: list[int] = []

    def kill(_: Progress) -> None:
        if not killed:
            work = current.current_work()
            assert isinstance(work, DaskCluster)
            killed.append(next(iter(work._client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    with current.working_on(address):
        found = run_trials(system, LSPIN.task, plan, jobs=1, progress=kill)
    assert killed
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_the_command_prints_the_same_on_a_cluster(
    address: str, cohort: Cohort, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "load_cohort", lambda _: cohort)
    words = ["evaluate", "lda", "--repeats", "1", "--json"]
    assert main([*words, "--workers", "1"]) == 0
    local = capsys.readouterr().out
    assert main([*words, "--scheduler", address]) == 0
    assert capsys.readouterr().out == local
    assert json.loads(local)["metrics"]


def test_a_lost_cluster_is_told_and_the_repeated_command_goes_on(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Lost(Here):
        """A cluster that is gone after two trials."""

        def as_finished(self, function, items, lost=None):
            for number, result in super().as_finished(function, items):
                if number == 2:
                    raise DaskCluster("tcp://lab:8786")._gone("connection lost")
                yield number, result

    monkeypatch.setattr(command, "load_cohort", lambda _: cohort)
    words = ["evaluate", "lda", "--repeats", "1", "--keep", str(tmp_path / "kept")]
    with monkeypatch.context() as away:
        away.setattr(evaluation, "current_work", lambda _: Lost())
        assert main(words) == 1
    said = capsys.readouterr().err
    assert "WorkError: The Dask scheduler at tcp://lab:8786 is gone" in said and "Then repeat the command" in said
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert main(words) == 0
    assert "trial 2 of 5" in capsys.readouterr().err
    plain = [*words[:4], "--json"]
    assert main(plain) == 0
    whole = capsys.readouterr().out
    assert main([*plain, "--keep", str(tmp_path / "kept")]) == 0
    assert capsys.readouterr().out == whole


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["models", "report", "mine"], "neuroclass.reports.own.write_own_report"),
        (["reproduce", "paper", "--out", "paper"], "neuroclass.reports.paper.reproduce_paper"),
    ],
)
def test_reports_go_to_the_cluster(
    address: str, words: list[str], place: str, cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[object] = []

    def report(*_: object) -> None:
        workers.append(current.current_work(1))
        raise SettingsError("seen")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, report)
    monkeypatch.setattr("neuroclass.cohort.loading.load_cohort", lambda _: cohort)
    monkeypatch.setattr(ModelLibrary, "usable", lambda _, name: SimpleNamespace(id=name, name=name, system="svc"))
    assert main([*words, "--scheduler", address]) == 2
    assert isinstance(workers[0], DaskCluster) and workers[0].address == address
    assert not isinstance(current.current_work(1), DaskCluster)
