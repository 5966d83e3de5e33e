"""How long a demo cell takes to simulate and to measure: ``python -m benchmarks.simulation``."""

import json
import statistics
import time

from neuroclass.cohort.demo import load_demo, simulate_demo_cell
from neuroclass.ephys.cell_features import extract_features

N_CELLS = 12


def main() -> None:
    """Print medians over cells spread over the cohort, s."""
    ids = load_demo().column("id")
    chosen = [str(ids[k]) for k in range(0, len(ids), max(1, len(ids) // N_CELLS))]
    extract_features(simulate_demo_cell(chosen[0]))
    simulated, measured, n_sweeps = [], [], []
    for cell in chosen:
        begin = time.perf_counter()
        recording = simulate_demo_cell(cell)
        middle = time.perf_counter()
        extract_features(recording)
        simulated.append(middle - begin)
        measured.append(time.perf_counter() - middle)
        n_sweeps.append(len(recording.sweeps))
    answer = {
        "n_cells": len(chosen),
        "n_sweeps": statistics.median(n_sweeps),
        "simulate_s": round(statistics.median(simulated), 3),
        "simulate_longest_s": round(max(simulated), 3),
        "measure_s": round(statistics.median(measured), 3),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
