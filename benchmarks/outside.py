"""``python -m benchmarks.outside``: accuracy on other laboratories' cells, and processor time beside an SVC's.

In one run, on the same features and the same cells: LSPIN of exactly these features, each cell alone and the table as
one batch, beside LDA, SVC and XGBoost, all fitted to the database's cells. Time is processor time on one thread, to fit
and classify the table and to classify it alone, each as a ratio to the SVC's time to fit and classify. Ours fits DANN
and LSPIN together, though the sets of these tables ship fitted.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from neuroclass.adaptation.labelled_cells import LabelledCells, baseline_features, fit_baseline
from neuroclass.adaptation.laboratory import adapt, make_batch
from neuroclass.adaptation.other_laboratories import Systems
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.cohort.outside import OUTSIDE_NAMES, load_outside
from neuroclass.errors import NeuroClassError
from neuroclass.reports.other_laboratories import shipped_systems
from neuroclass.training.feature_sets import fit_feature_set
from neuroclass.training.library import feature_set_library
from neuroclass.training.training_table import training_table
from neuroclass.types.models import LSPIN

REFERENCE = "svc"
BASELINES = ("lda", REFERENCE, "xgboost")
_Result = TypeVar("_Result")


def timed(work: Callable[[], _Result]) -> tuple[_Result, float]:
    """What `work` returns, and its processor time, s."""
    start = time.process_time()
    return work(), time.process_time() - start


@dataclass(frozen=True)
class Measured:
    """Accuracy (fraction), and processor time to fit and to classify, s."""

    accuracy: float
    fit: float
    classify: float


def laboratory(tested: LabelledCells, cohort: Cohort, systems: Systems) -> dict[str, Measured]:
    """Every system on the cells of one laboratory."""
    found: dict[str, Measured] = {}
    train, truth, test = baseline_features(tested, cohort)
    for name in BASELINES:
        baseline, fit = timed(partial(fit_baseline, name, train, truth, len(tested.classes)))
        predicted, classify = timed(partial(baseline.predict, test))
        found[name] = Measured(float((predicted == tested.truth).mean()), fit, classify)
    model = systems.predictors[LSPIN.name]
    _, fit = timed(partial(fit_feature_set, training_table(cohort), feature_set_library().served_by(tested.present)))
    model.predict_proba(tested.x, tested.species)  # loads what ships
    p, classify = timed(partial(model.predict_proba, tested.x, tested.species))
    found["ours, each cell alone"] = Measured(float((p.argmax(1) == tested.truth).mean()), fit, classify)
    batch = make_batch(tested.cells.column("id").tolist(), tested.x, tested.species)
    report, classify = timed(partial(adapt, batch, list(systems.predictors.values()), cohort))
    right = report.outcomes[LSPIN.name].after.argmax(1) == tested.truth
    found["ours, as one batch"] = Measured(float(right.mean()), fit, classify)
    return found


def main() -> None:
    """Print a line a laboratory and system."""
    torch.set_num_threads(1)
    try:
        tables = {name: load_outside(None, name) for name in OUTSIDE_NAMES}
        cohort = load_cohort()
    except NeuroClassError as error:
        print(f"skipped, as tables of other laboratories are not here: {error}")
        return
    if cohort.simulated:
        print("skipped, as the database's cells are not here; set NEUROCLASS_DATA to the folder of published tables")
        return
    systems = shipped_systems()
    for name, cells in tables.items():
        if cells.frame[LSPIN.task].isna().any():
            continue
        tested = LabelledCells(name, cells, LSPIN.task)
        print(f"{name}: {len(cells)} cells, {int(np.sum(tested.present))} features, five classes")
        found = laboratory(tested, cohort, systems)
        reference = found[REFERENCE].fit + found[REFERENCE].classify
        print(f"  SVC: {reference:.2f} s to fit and classify")
        for system, one in found.items():
            whole, classify = (one.fit + one.classify) / reference, one.classify / reference
            times = f"{whole:6.2f} × the SVC's time, classifying {classify:.2f} ×"
            print(f"  {system:<22} accuracy {one.accuracy:.3f}, {times}")


if __name__ == "__main__":
    main()
