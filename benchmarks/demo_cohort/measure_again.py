"""Measure the shipped demo cells again after a rule of measurement has changed.

``python -m benchmarks.demo_cohort.measure_again --data FOLDER`` rewrites the features of ``data/demo_cohort.parquet``,
leaves out cells that no longer look like their class, rewrites the shipped models' stored predictions, and prints what
changed.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.demo_cohort.accept import Classes, like_class
from benchmarks.demo_cohort.summaries import NAMES, class_summaries, discriminants, transformed
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import DEMO_FILE, simulate_demo_cell
from neuroclass.cohort.loading import load_cohort
from neuroclass.ephys.cell_features import extract_features
from neuroclass.features import FEATURE_NAMES, PERSON_FEATURES
from neuroclass.io.artifacts import load_model
from neuroclass.reports.demo_cells import demo_predictions
from neuroclass.reports.store import Table, report_of
from neuroclass.work.threads import one_thread_each

MEASURED = [name for name in FEATURE_NAMES if name not in PERSON_FEATURES]
SYSTEMS = ("dann", "lspin")
SAME = 1e-3


def measured(cell_id: str) -> dict[str, float]:
    """Features of a demo cell's own sweeps, stored units."""
    return dict(extract_features(simulate_demo_cell(cell_id)).values)


def refreshed(table: pd.DataFrame) -> pd.DataFrame:
    """The demo table with every measured feature that differs by more than one in a thousand replaced."""
    with ProcessPoolExecutor(initializer=one_thread_each) as pool:
        found = pd.DataFrame(list(pool.map(measured, table["id"], chunksize=8)), index=table.index)
    for name in MEASURED:
        changed = ~np.isclose(found[name], table[name], rtol=SAME, atol=1e-9)
        if changed.any():
            print(f"{name}: {changed.sum()} of {len(table)} cells")
            table.loc[changed, name] = found.loc[changed, name]
    return table


def still_like_their_class(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The cells that pass on their features the rule by which they were chosen, against real cells."""
    classes = Classes(class_summaries(cohort), discriminants(cohort))
    mouse = table["species"] == "mouse"
    kinds = table["species"] + "/" + table["subclass"].where(mouse, table["broad"])
    rows = table[list(NAMES)].to_dict("records")
    kept = [like_class(kind, classes, transformed(row)) for kind, row in zip(kinds, rows, strict=True)]
    print(f"no longer like their class: {kinds[~np.array(kept)].value_counts().to_dict()}")
    return table[kept].reset_index(drop=True)


def store_predictions() -> None:
    """Write what the shipped models say of the demo cells, and print how many they put in their class."""
    for system in SYSTEMS:
        predictions = demo_predictions(load_model(system))
        report_of(system).write(Table.DEMO, predictions)
        right = (predictions["truth"] == predictions["predicted"]).groupby(predictions["truth"]).agg(["sum", "size"])
        print(system, f"{right['sum'].sum()} of {right['size'].sum()}", right.to_dict("index"))


def main() -> None:
    """Rewrite the table and the stored predictions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_cohort.measure_again", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the published tables")
    cohort = load_cohort(parser.parse_args().data)
    still_like_their_class(refreshed(pd.read_parquet(DEMO_FILE)), cohort).to_parquet(DEMO_FILE, index=False)
    store_predictions()


if __name__ == "__main__":
    main()
