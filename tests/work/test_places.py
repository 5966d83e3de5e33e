"""Where work runs changes nothing: not the results, not their order, not what becomes of a bad item."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from neuroclass.errors import SettingsError, WorkError
from neuroclass.work import dask_cluster
from neuroclass.work.base import Died, Here, Work, survived
from neuroclass.work.current import current_work, place, working_on
from neuroclass.work.dask_cluster import DaskCluster
from neuroclass.work.processes import Processes

POISON = 3


def drawn(seed: int) -> float:
    """A figure that depends on the order of a sum, and so on the number of threads."""
    cells = np.random.default_rng(seed).normal(size=(300, 200)).astype(np.float32)
    return float((cells.T @ cells).sum())


def died_at(item: int, poison: int = POISON) -> float:
    if item == poison:
        time.sleep(0.5)  # a nanny gives up a worker that dies while it is still starting
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return drawn(item)


def killed_once(item: int, folder: Path) -> float:
    """One worker is killed on the way, once."""
    if item == POISON:
        with suppress(FileExistsError):
            (folder / "killed").touch(exist_ok=False)
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
    return drawn(item)


def refuses(item: int) -> float:
    if item == POISON:
        raise SettingsError(f"{item} is refused.")
    return float(item)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A cluster of two processes, which suspects an item as soon as a worker dies of it."""
    dask = pytest.importorskip("dask")
    distributed = pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=2,
            processes=True,
            dashboard_address=":0",
            local_directory=str(folder),
            silence_logs=50,
        ) as local,
        DaskCluster(local.scheduler_address) as work,
    ):
        yield work


@pytest.fixture(params=["processes", "cluster"])
def elsewhere(request: pytest.FixtureRequest) -> Work:
    return Processes(2) if request.param == "processes" else request.getfixturevalue("cluster")


def test_results_are_equal_to_the_last_bit_and_in_order(elsewhere: Work) -> None:
    expected = list(Here().map(drawn, range(12)))
    assert list(elsewhere.map(drawn, range(12))) == expected
    assert list(elsewhere.map(lambda item: item + 1, [1, 2])) == [2, 3]
    assert list(elsewhere.map(drawn, [])) == []


def test_a_worker_that_is_killed_on_the_way_changes_nothing(elsewhere: Work, tmp_path: Path) -> None:
    found = list(elsewhere.map(partial(killed_once, folder=tmp_path), range(12)))
    assert (tmp_path / "killed").exists()
    assert found == list(Here().map(drawn, range(12)))


def test_an_item_that_kills_its_process_is_found_and_the_others_are_finished(elsewhere: Work) -> None:
    asked = []
    found = dict(elsewhere.as_finished(died_at, range(8), lambda: asked.append(1)))
    assert asked
    assert [number for number, result in found.items() if isinstance(result, Died)] == [POISON]
    others = [number for number in range(8) if number != POISON]
    assert [found[number] for number in others] == list(Here().map(drawn, others))
    with pytest.raises(WorkError, match="ran out of memory"):
        survived(found[POISON])


def test_what_a_function_raises_comes_back(elsewhere: Work) -> None:
    with pytest.raises(SettingsError, match="3 is refused"):
        list(elsewhere.map(refuses, range(6)))
    assert list(elsewhere.map(refuses, [1, 2])) == [1.0, 2.0]


def test_items_are_done_one_at_a_time_in_each_worker(cluster: DaskCluster) -> None:
    cluster._client.wait_for_workers(2, timeout=120)  # another test may have killed one
    assert set(cluster._workers().values()) == {2}
    spans = list(cluster.map(_span, range(8)))
    for pid in {pid for pid, _, _ in spans}:
        mine = sorted((start, end) for one, start, end in spans if one == pid)
        assert all(before[1] <= after[0] for before, after in pairwise(mine))


def _span(_: int) -> tuple[int, float, float]:
    start = time.monotonic()
    time.sleep(0.02)
    return os.getpid(), start, time.monotonic()


def test_a_stop_between_results_ends_the_work(elsewhere: Work) -> None:
    for _ in elsewhere.as_finished(drawn, range(50)):
        break
    assert list(elsewhere.map(drawn, range(3))) == list(Here().map(drawn, range(3)))


def test_workers_of_another_version_are_refused(cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = dask_cluster.versions()
    monkeypatch.setattr(dask_cluster, "LIBRARIES", ("numpy",))
    monkeypatch.setattr(cluster._client, "run", lambda *_, **__: {"tcp://one": {**ours, "numpy": "0.1"}})
    with pytest.raises(WorkError, match=r"numpy 0\.1 instead of"):
        cluster._check_versions()
    monkeypatch.setattr(cluster._client, "run", lambda *_, **__: {"tcp://one": ModuleNotFoundError("neuroclass")})
    with pytest.raises(WorkError, match="cannot run NeuroClass"):
        cluster._check_versions()


def test_an_address_without_a_scheduler_and_a_cluster_without_workers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(dask_cluster, "_CONNECT_S", 0.3)
    for address in ("tcp://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(WorkError, match="No Dask scheduler answers"), DaskCluster(address):
            pass
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
        pytest.raises(WorkError, match=r"no worker for 0\.2 s"),
        DaskCluster(empty.scheduler_address, patience_s=0.2),
    ):
        pass


def test_the_place_is_chosen_once_for_all_inside(cluster: DaskCluster) -> None:
    assert isinstance(current_work(1), Here) and isinstance(current_work(3), Processes)
    with working_on(cluster.address):
        assert isinstance(current_work(3), DaskCluster)
    with working_on(None):
        assert isinstance(current_work(1), Here)
    with pytest.raises(SettingsError, match="expected --workers 1 or more"):
        place(0)
