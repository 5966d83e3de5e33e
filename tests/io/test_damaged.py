"""Damaged files: a reason or features, never a crash, a hang or much memory."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.spikes import warm_up
from neuroclass.errors import RecordingError
from neuroclass.extraction.items import ExtractionItem, measure_files
from neuroclass.io import sandbox
from neuroclass.io.recordings import read_recordings
from tests.ephys import planted
from tests.io.heka_files import Layout, series_of, write_heka
from tests.io.nwb_files import write_nwb1
from tests.io.other_files import igor_wave, write_atf, write_axograph, write_mat, write_pxp, write_smr
from tests.io.parsers import parser_peaks
from tests.io.test_recordings_formats import write_winwcp

PLAUSIBLE = {"vrest": (-130, -15), "ri": (1, 20_000), "tau": (0.05, 10_000), "peak_v_long_square": (-30, 250)}


def cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 10, 300))):
        data[rng.randrange(len(data))] = rng.randrange(256)


def spoil_header(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 4, 20))):
        data[rng.randrange(min(len(data), 8192))] = rng.randrange(256)


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (cut, flip, flip, spoil_header)


def assert_survives(files: list[Path], count: int, folder: Path) -> None:
    warm_up()
    rng = random.Random(0)
    target = folder / "damaged"
    with parser_peaks() as peaks:
        for k in range(count):
            data = bytearray(files[k % len(files)].read_bytes())
            rng.choice(DAMAGES)(data, rng)
            target.write_bytes(data)
            start = time.thread_time()  # the parser's own time is limited by ReadLimits
            for report in measure_files(ExtractionItem((str(target),))):
                if "error" in report:
                    assert report["error"]["message"]
                    continue
                for name, (low, high) in PLAUSIBLE.items():
                    value = report["features"][name]
                    assert value is None or low <= value <= high, (k, name, value)
            assert time.thread_time() - start < 10
    assert 0 < max(peaks) < 1e9


def test_simulated_files(tmp_path: Path) -> None:
    steps = planted.small(20_000.0)
    steps = replace(steps, sweeps=steps.sweeps[:4])
    files = [write_nwb1(tmp_path / "a.nwb", steps), write_winwcp(tmp_path / "b.wcp", steps)]
    assert_survives(files, 80, tmp_path)


def test_files_of_other_programs(tmp_path: Path) -> None:
    steps = planted.small(10_000.0)
    steps = replace(steps, sweeps=steps.sweeps[:3])
    voltage, current = (np.array([getattr(s, what) for s in steps.sweeps]) for what in ("v_mv", "i_pa"))
    variables = {"voltage": voltage, "current": current, "rate": 10_000.0}
    wide = Layout(wide=True, interleave=1024)
    files = [
        write_heka(tmp_path / "a.dat", {"a": series_of(steps)}),
        write_heka(tmp_path / "b.dat", {"a": series_of(steps), "b": series_of(steps)}, Layout(order=">")),
        write_heka(tmp_path / "c.dat", {"a": series_of(steps)}, wide),
        write_winwcp(tmp_path / "a.wcp", steps),
        write_pxp(tmp_path / "a.pxp", steps),
        write_axograph(tmp_path / "a.axgx", steps),
        write_mat(tmp_path / "a.mat", "5", variables),
        write_mat(tmp_path / "b.mat", "5 compressed", variables),
        write_mat(tmp_path / "c.mat", "7.3", variables),
        write_atf(tmp_path / "a.atf", steps),
        write_smr(tmp_path / "a.smr", steps),
    ]
    files.append(tmp_path / "a.ibw")
    files[-1].write_bytes(igor_wave("Vm", voltage.T, "mV", 1e-4))
    assert_survives(files, 144, tmp_path)


def test_real_files(shared_recordings: Path, tmp_path: Path) -> None:
    assert_survives(sorted(shared_recordings.iterdir()), 100, tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cell = planted.small(20_000.0)
    return write_nwb1(tmp_path_factory.mktemp("whole") / "cell.nwb", cell)


def test_time_runs_out(whole: Path) -> None:
    with pytest.raises(RecordingError, match="took longer"):
        read_recordings(whole, limits=ReadLimits(seconds=0.0, seconds_per_mb=0.0))
    assert len(read_recordings(whole)) == 1


def test_memory_runs_out(whole: Path) -> None:
    sandbox._pool.close()
    with pytest.raises(RecordingError):
        read_recordings(whole, limits=ReadLimits(memory=1_000_000))
    assert len(read_recordings(whole)) == 1


def test_a_dead_worker_is_replaced(whole: Path) -> None:
    read_recordings(whole)
    for worker in sandbox._pool._idle:
        worker.process.kill()
        worker.process.wait()
    assert len(read_recordings(whole)) == 1


def test_a_parser_that_nobody_uses_makes_way_for_a_fresh_one(whole: Path) -> None:
    sandbox._pool.close()
    read_recordings(whole)
    (used,) = sandbox._pool._idle
    sandbox.rest(3600.0)
    assert sandbox._pool._idle == [used] and used.alive
    sandbox.rest(-1.0)
    (fresh,) = sandbox._pool._idle
    assert not used.alive and fresh.alive
    sandbox.rest(-1.0)
    assert sandbox._pool._idle == [fresh] and fresh.alive  # it has read nothing
    assert len(read_recordings(whole)) == 1


def test_threads_are_served_side_by_side(whole: Path) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(read_recordings(whole)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 4


def test_a_warm_worker_answers_the_next_file(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.warm_up()
    monkeypatch.setattr(sandbox, "_Worker", lambda: pytest.fail("another worker was started"))
    for _ in range(2):
        assert len(read_recordings(whole)) == 1
