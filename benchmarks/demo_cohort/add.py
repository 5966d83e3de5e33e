"""Add demo cells of one class: ``python -m benchmarks.demo_cohort.add --data FOLDER --kind mouse/Vip --number 29``.

They are searched and accepted as the others were and join ``data/demo_cohort.parquet`` behind the last of their class.
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.demo_cohort.__main__ import COLUMNS, TARGETS, row_of, searched
from benchmarks.demo_cohort.accept import Classes, Tally, accepted_cells
from benchmarks.demo_cohort.measure_again import store_predictions
from benchmarks.demo_cohort.metadata import Drawer
from benchmarks.demo_cohort.summaries import class_summaries, discriminants, kinds_of
from neuroclass.cohort.demo import DEMO_FILE
from neuroclass.cohort.loading import load_cohort

FIRST_SEED = 20_000


def main() -> None:
    """Search, accept, append, and print the acceptance as a row of the table in ``data/README.md``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_cohort.add", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the published tables")
    parser.add_argument("--kind", choices=list(TARGETS), required=True)
    parser.add_argument("--number", type=int, required=True, help="cells to add, at most")
    parser.add_argument("--work", type=Path, default=Path("build/demo_cohort"), help="where finished searches are kept")
    args = parser.parse_args()
    cohort = load_cohort(args.data)
    classes = Classes(class_summaries(cohort), discriminants(cohort))
    seed = FIRST_SEED + list(TARGETS).index(args.kind)
    archive, targets = searched(args.kind, seed, classes.goal(args.kind), args.work)
    tally, table = Tally(archive.n_tried, len(archive.shares)), pd.read_parquet(DEMO_FILE)
    drawer = Drawer(cohort.take(kinds_of(cohort) == args.kind), args.kind, np.random.default_rng(seed))
    mine = table["id"].str.startswith(f"simulated-{args.kind.replace('/', '-').lower()}-")
    last = int(table.loc[mine, "id"].str.rsplit("-", n=1).str[1].astype(int).max())
    found = islice(accepted_cells(args.kind, classes, archive, targets, seed, tally), args.number)
    rows = [row_of(cell, drawer, last + number) for number, cell in enumerate(found, start=1)]
    counts = (tally.tried, tally.spiking, tally.hopeful, tally.recorded)
    print(f"| {' | '.join(COLUMNS)} |\n| {args.kind} | {' | '.join(f'{n:,}' for n in counts)} | {tally.accepted} |")
    at = int(np.flatnonzero(mine)[-1]) + 1
    joined = pd.concat([table.iloc[:at], pd.DataFrame(rows)[list(table)], table.iloc[at:]], ignore_index=True)
    joined.to_parquet(DEMO_FILE, index=False)
    store_predictions()


if __name__ == "__main__":
    main()
