"""Search, accept, write: see ``data/README.md``."""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.demo_cohort.accept import AcceptedCell, Classes, Tally, accepted_cells, like_class, recorded
from benchmarks.demo_cohort.metadata import Drawer
from benchmarks.demo_cohort.search import Archive, Goal, find_region, spread_out
from benchmarks.demo_cohort.space import start
from benchmarks.demo_cohort.summaries import NAMES, class_summaries, discriminants, kinds_of, transformed
from neuroclass.cohort.cohort import META_COLUMNS, Cohort
from neuroclass.cohort.demo import DEMO_FILE, PREFIX, SEED_COLUMN
from neuroclass.cohort.loading import load_cohort
from neuroclass.features import FEATURE_NAMES
from neuroclass.simulation.cells import STIMULUS_NAMES
from neuroclass.simulation.models import PARAMETER_NAMES

TARGETS = {
    "mouse/Glutamatergic": 60,
    "mouse/Pvalb": 50,
    "mouse/Sst": 50,
    "mouse/Vip": 50,
    "mouse/Htr3a": 50,
    "human/excitatory": 55,
    "human/inhibitory": 45,
}
REGION_ROUNDS, SPREAD_ROUNDS = 36, 12
SEEDS_PER_CLASS = 1000
TAIL_KIND, TAIL_SAG, N_TAIL = "human/inhibitory", 0.2, 8
TAIL_SEED, TAIL_FIRST_NUMBER = 9000, 61
COLUMNS = ("class", "candidates", "spiking", "like their class", "recorded", "accepted")


def searched(kind: str, number: int, goal: Goal, work: Path) -> tuple[Archive, np.ndarray]:
    """Archive and pseudo-observations of a class, from `work` where it was searched before."""
    generator = np.random.default_rng(number)
    targets = np.array([goal.summary.draw(generator) for _ in range(TARGETS[kind])])
    file = work / f"{kind.replace('/', '-')}.npz"
    if file.is_file():
        stored = np.load(file)
        return Archive(list(stored["shares"]), list(stored["features"]), int(stored["n_tried"])), targets
    archive = Archive()
    find_region(goal, start(kind), archive, generator, REGION_ROUNDS)
    spread_out(goal, archive, targets, generator, SPREAD_ROUNDS)
    work.mkdir(parents=True, exist_ok=True)
    np.savez(file, shares=archive.shares, features=archive.features, n_tried=archive.n_tried)
    return archive, targets


def row_of(accepted: AcceptedCell, drawer: Drawer, number: int) -> dict[str, Any]:
    """One row of the cohort."""
    neuron, stimuli = accepted.cell.neuron, accepted.cell.stimuli
    return {
        **drawer.labels(number),
        **accepted.features,
        **drawer.entered(accepted.features["ri"]),
        SEED_COLUMN: accepted.seed,
        **{PREFIX + name: getattr(neuron, name) for name in PARAMETER_NAMES},
        **{f"{PREFIX}stimulus_{name}": float(getattr(stimuli, name)) for name in STIMULUS_NAMES},
    }


def tail_rows(kind: str, cohort: Cohort, classes: Classes, archive: Archive) -> list[dict[str, Any]]:
    """Cells of strong sag, which the middle of the class lacks; each layer of the class in turn."""
    strong = transformed({"sag": TAIL_SAG})[NAMES.index("sag")]
    candidates = [
        shares
        for shares, z in zip(archive.shares, archive.features, strict=True)
        if z[NAMES.index("sag")] > strong and like_class(kind, classes, z)
    ]
    drawer = Drawer(cohort, kind, np.random.default_rng(TAIL_SEED))
    layers = sorted(set(drawer.columns["layer"]))
    rows: list[dict[str, Any]] = []
    for number, shares in enumerate(candidates):
        cell = recorded(kind, classes, shares, TAIL_SEED + number)
        if cell is not None and cell.features["sag"] > TAIL_SAG:
            row = row_of(cell, drawer, TAIL_FIRST_NUMBER + len(rows))
            rows.append(row | {"layer": layers[len(rows) % len(layers)]})
        if len(rows) == N_TAIL:
            break
    print(f"{len(rows)} cells with a sag above {TAIL_SAG}, of {number + 1} recorded")
    return rows


def main() -> None:
    """Make the demo cohort and print the acceptance rates as a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_cohort", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the published tables")
    parser.add_argument("--out", type=Path, default=DEMO_FILE)
    parser.add_argument("--work", type=Path, default=Path("build/demo_cohort"), help="where finished searches are kept")
    args = parser.parse_args()
    cohort = load_cohort(args.data)
    kinds, classes = kinds_of(cohort), Classes(class_summaries(cohort), discriminants(cohort))
    rows = []
    print(f"| {' | '.join(COLUMNS)} |")
    print("|" + " --- |" * len(COLUMNS))
    archives = {}
    for number, kind in enumerate(TARGETS):
        archive, targets = searched(kind, number, classes.goal(kind), args.work)
        tally = Tally(archive.n_tried, len(archive.shares))
        drawer = Drawer(cohort.take(kinds == kind), kind, np.random.default_rng(SEEDS_PER_CLASS + number))
        first_seed = SEEDS_PER_CLASS * number
        for cell in accepted_cells(kind, classes, archive, targets, first_seed, tally):
            rows.append(row_of(cell, drawer, tally.accepted))
        share = tally.accepted / max(1, tally.recorded)
        counts = (tally.tried, tally.spiking, tally.hopeful, tally.recorded)
        print(f"| {kind} | {' | '.join(f'{n:,}' for n in counts)} | {tally.accepted} ({share:.0%}) |")
        sys.stdout.flush()
        archives[kind] = archive
    rows += tail_rows(TAIL_KIND, cohort.take(kinds == TAIL_KIND), classes, archives[TAIL_KIND])
    columns = [*META_COLUMNS, *FEATURE_NAMES, SEED_COLUMN]
    frame = pd.DataFrame(rows)
    frame = frame[[*columns, *(name for name in frame if name not in columns)]]
    frame.to_parquet(args.out, index=False)
    print(f"{len(frame)} cells, {args.out.stat().st_size:,} bytes: {args.out}")


if __name__ == "__main__":
    main()
