"""``python -m benchmarks.models``: processor seconds to train and to answer.

The reference seconds are TensorFlow's, single thread, on a two-core machine: LSPIN 1,000 full-batch steps 4.1 s,
DANN to early stopping 6.3 s.
"""

import time
from collections.abc import Callable

import numpy as np
import torch

from neuroclass.cohort.loading import load_cohort
from neuroclass.config import DannSettings, LspinSettings
from neuroclass.explain.shap_values import shap_values
from neuroclass.io.artifacts import load_model
from neuroclass.training.fit_dann import train_dann
from neuroclass.training.fit_lspin import train_lspin
from neuroclass.training.paper_lspin import train_paper_lspin


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """Least processor time of `work`, s: what a free processor would need."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print one line a measurement."""
    torch.set_num_threads(1)
    cohort = load_cohort()
    mouse = cohort.of_species("mouse").labelled("subclass")
    many = np.resize(cohort.matrix(), (1000, 41))
    species = ["mouse"] * 1000
    print(f"cells: {cohort.source}, {len(cohort)}")
    print(
        f"LSPIN, the paper's recipe, 1,000 full-batch steps: {seconds(lambda: train_paper_lspin(mouse, 0)):.2f} s (4.1)"
    )
    print(f"LSPIN, the ensemble that ships: {seconds(lambda: train_lspin(mouse, LspinSettings())):.2f} s")
    print(f"DANN, the ensemble that ships: {seconds(lambda: train_dann(cohort, DannSettings())):.2f} s (one net: 6.3)")
    for name in ("dann", "lspin"):
        model = load_model(name)
        print(f"{name}: 1,000 cells {seconds(lambda m=model: m.predict_proba(many, species), 5):.3f} s", end=", ")
        print(f"one cell {1e3 * seconds(lambda m=model: m.predict_proba(many[:1], ['mouse']), 20):.1f} ms", end=", ")
        print(f"SHAP of one cell {1e3 * seconds(lambda m=model: shap_values(m, many[:1], ['mouse']), 3):.0f} ms")


if __name__ == "__main__":
    main()
