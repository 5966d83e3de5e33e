"""Thousands of recordings on a local Dask cluster: time, memory, bytes read, CPU a file, and what a million would cost.

Simulated NWB recordings of 10 sweeps at 50 kHz, each with noise of its own, are measured by one worker and by two, with
the command line's own code; then once more while a worker is killed. The times of a busy machine say little, CPU
seconds more: the cost is made from them. What the coordinator itself needs is measured apart.

    nice python -m benchmarks.scale [--files 300] [--seconds 240] [--price 0.05]
"""

import argparse
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import psutil

from neuroclass.cohort.demo import load_demo, simulated_cell
from neuroclass.extraction.dataset import CELLS, Dataset, read_dataset
from neuroclass.extraction.fill import fill_dataset
from neuroclass.extraction.items import ExtractionItem, ExtractionJob, feature_rows
from neuroclass.extraction.table import DATASET_COLUMNS
from neuroclass.io.nwb_writer import write_nwb
from neuroclass.simulation.cells import Plan, simulate_recording
from neuroclass.types.progress import Progress
from neuroclass.work.current import LOCAL, place
from neuroclass.work.dask_cluster import DaskCluster

TEN_SWEEPS = Plan(
    long_pa=(-110.0, -70.0, -30.0),
    long_above_rheobase_pa=(-10.0, 10.0, 50.0),
    short_above_threshold_pa=(-10.0, 10.0),
    n_ramps=1,
    noise=(1,),
)
TEMPLATES = 8
FILES = 10_000
MILLION = 1_000_000


class Watcher(threading.Thread):
    """Memory, CPU and bytes read of some processes and all that they start."""

    def __init__(self, pids: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self._roots, self._done = [psutil.Process(pid) for pid in pids], threading.Event()
        self._cpu: dict[int, float] = {}
        self._read: dict[int, int] = {}
        self.peak_mb = 0.0
        self._look()
        self._before = self.cpu_s, self.read_bytes
        self.start()

    @property
    def cpu_s(self) -> float:
        """CPU time of all processes so far, s."""
        return sum(self._cpu.values())

    @property
    def read_bytes(self) -> int:
        """Bytes that they have read, from the page cache or the disk."""
        return sum(self._read.values())

    def run(self) -> None:
        """Look three times a second."""
        while not self._done.wait(0.3):
            self._look()

    def stop(self) -> tuple[float, int]:
        """CPU seconds and bytes read since the start."""
        self._done.set()
        self.join()
        self._look()
        return self.cpu_s - self._before[0], self.read_bytes - self._before[1]

    def _look(self) -> None:
        memory = 0
        for root in self._roots:
            try:
                family = [root, *root.children(recursive=True)]
            except psutil.Error:
                continue
            for one in family:
                try:
                    with one.oneshot():
                        times = one.cpu_times()
                        self._cpu[one.pid] = times.user + times.system
                        self._read[one.pid] = one.io_counters().read_chars
                        memory += one.memory_info().rss
                except psutil.Error:
                    continue
        self.peak_mb = max(self.peak_mb, memory / 1e6)


def recordings(folder: Path, n_files: int) -> list[ExtractionItem]:
    """Files of a few simulated cells, each with noise of its own in one sweep."""
    ids = load_demo().frame["id"].iloc[:TEMPLATES]
    templates = []
    for cell_id in ids:
        cell, seed = simulated_cell(str(cell_id))
        recording = simulate_recording(cell, seed, str(cell_id), TEN_SWEEPS)
        templates.append(write_nwb(folder / f"template-{cell_id}.nwb", [recording], "Mus musculus"))
    rng = np.random.default_rng(0)
    items = []
    for number in range(n_files):
        path = folder / f"cell{number:05d}.nwb"
        shutil.copy(templates[number % len(templates)], path)
        with h5py.File(path, "r+") as file:
            name = min(file["acquisition"], key=lambda one: file["acquisition"][one]["data"].shape[0])
            data = file["acquisition"][name]["data"]
            data[...] = data[...] + rng.normal(0, 5e-5, data.shape).astype(np.float32)
        items.append(ExtractionItem((str(path),)))
    return items


class _TimeIsUp(Exception):
    pass


def measured(items: Sequence[ExtractionItem], workers: int, out: Path, seconds: float, kill: bool = False) -> float:
    """Measure files for so long at most and print what it took; returns CPU seconds a file."""
    job = ExtractionJob()
    dataset = Dataset(out, DATASET_COLUMNS, {"what": "features", **job.facts()})
    done = 0
    with dataset, place(workers, LOCAL) as work:
        assert isinstance(work, DaskCluster)
        list(work.map(partial(feature_rows, job=job), items[: 2 * workers]))  # kernels loaded, parsers started
        pids = list(work._client.run(os.getpid).values())
        watcher, start = Watcher(pids), time.monotonic()

        def look(progress: Progress) -> None:
            nonlocal done
            done = progress.done
            if kill and done == len(items) // 3:
                os.kill(pids[0], signal.SIGKILL)
            if time.monotonic() - start > seconds:
                raise _TimeIsUp

        with suppress(_TimeIsUp):
            fill_dataset(items, partial(feature_rows, job=job), dataset, work, progress=look)
        wall = time.monotonic() - start
        cpu, read = watcher.stop()
    if kill:
        print(f"  one of {workers} workers killed at a third: {done} of {len(items)} files in {wall:.0f} s")
        return 0.0
    n_bytes = sum(Path(item.paths[0]).stat().st_size for item in items[:done])
    print(
        f"{workers} worker{'s' * (workers > 1)}: {done} files in {wall:.0f} s ({wall / done:.2f} s a file), CPU "
        f"{cpu / done:.2f} s a file, peak memory {watcher.peak_mb:.0f} MB over all processes, files "
        f"{n_bytes / done / 1e6:.2f} MB each, read {read / done / 1e6:.2f} MB a file; 10,000 files: "
        f"{wall / done * FILES / 3600:.1f} h at this pace"
    )
    return cpu / done


def coordinator(folder: Path) -> None:
    """What the process that hands out work needs: a part, the keys of a resumed run, an empty task."""
    job = ExtractionJob()
    with Dataset(folder / "rows", DATASET_COLUMNS, job.facts()) as dataset:
        rows = [{"path": f"/data/{k}.nwb", "stamp": f"{k}-{k}", "source": "x", "vrest": -70.0} for k in range(1000)]
        start = time.process_time()
        for _ in range(20):
            dataset.add(rows)
        part = (time.process_time() - start) / 20
        start = time.process_time()
        dataset.keys()
        keys = (time.process_time() - start) / 20_000
    with place(2, LOCAL) as work:
        start, cpu = time.monotonic(), time.process_time()
        n_tasks = sum(1 for _ in work.as_finished(abs, range(1000)))
        wall, cpu = (time.monotonic() - start) / n_tasks, (time.process_time() - cpu) / n_tasks
    print(
        f"coordinator: {part * 1e3:.0f} ms CPU a part of 1,000 rows, {keys * MILLION:.0f} s CPU to read the keys of a "
        f"million, {1 / wall:.0f} empty tasks a second, {cpu * 1e3:.2f} ms CPU a task (scheduler and client)"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=300, help="distinct files")
    parser.add_argument("--seconds", type=float, default=240.0, help="so long a measurement may take, s")
    parser.add_argument("--price", type=float, default=0.05, help="of a core hour, US dollars")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; simulated recordings")
    with tempfile.TemporaryDirectory(prefix="neuroclass-scale-") as name:
        folder = Path(name)
        items = recordings(folder, args.files)
        cpu = [measured(items, n, folder / f"out{n}", args.seconds) for n in (1, 2)]
        one, two = (read_dataset(folder / f"out{n}", CELLS).set_index("path") for n in (1, 2))
        both = one.index.intersection(two.index)
        pd.testing.assert_frame_equal(one.loc[both], two.loc[both])
        print(f"  the {len(both)} rows that both have are equal")
        measured(items[:24], 2, folder / "killed", args.seconds, kill=True)
        coordinator(folder)
        hours = max(cpu) * MILLION / 3600
        print(f"a million: {hours:,.0f} core hours, {hours * args.price:,.0f} dollars at {args.price:g} a core hour")


if __name__ == "__main__":
    main()
