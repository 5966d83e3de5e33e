"""What the pages show of partial recordings and of other laboratories: measured once, stored beside each model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuroclass.adaptation.labelled_cells import DIGITS
from neuroclass.adaptation.other_laboratories import Systems, evaluate_outside
from neuroclass.adaptation.recalibration import calibrated_elsewhere
from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation.fitted_sets import evaluate_both
from neuroclass.evaluation.names import Protocol
from neuroclass.io.artifacts import load_model
from neuroclass.predictors.cell_predictor import CellPredictor, GatedCellPredictor
from neuroclass.reports.store import Document, Table, report_of
from neuroclass.training.library import feature_set_library
from neuroclass.types.models import DANN, LSPIN, MODELS
from neuroclass.types.progress import ProgressCallback, ignore_progress


def shipped_systems(folder: Path | None = None) -> Systems:
    """DANN and LSPIN for any features, and as one network each; the shipped ones by default."""
    library = feature_set_library(folder)
    networks = {name: load_model(name, folder) for name in MODELS}
    predictors = {
        DANN.name: CellPredictor(DANN, library, networks[DANN.name].card),
        LSPIN.name: GatedCellPredictor(LSPIN, library, networks[LSPIN.name].card),
    }
    return Systems(predictors, networks)


def write_partial(
    cohort: Cohort, folder: Path | None = None, jobs: int = 2, progress: ProgressCallback = ignore_progress
) -> None:
    """Measure every combination of stimuli on held-out donors, and store it (a quarter of an hour)."""
    for name, found in evaluate_both(cohort, jobs=jobs, progress=progress).items():
        report_of(name, folder).write(Document.MASKED, rounded(found.result))


def write_outside(
    cohort: Cohort, data: Path | None, folder: Path | None = None, progress: ProgressCallback = ignore_progress
) -> None:
    """Test on the tables of other laboratories, and store metrics and predictions by cell name (a minute)."""
    systems = shipped_systems(folder)
    for name, spec in MODELS.items():
        store = report_of(name, folder)
        found = evaluate_outside(name, systems, cohort, data, Protocol.OUTSIDE, progress)
        left_out = calibrated_elsewhere(found.predictions, spec.classes)
        store.write(Document.OUTSIDE, rounded({**found.result, "leave_one_laboratory_out": left_out}))
        store.write(Table.OUTSIDE, found.predictions)


def rounded(value: Any) -> Any:
    """A document with its numbers to four decimal places."""
    if isinstance(value, Mapping):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value
