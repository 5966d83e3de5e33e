"""Whether two models give the same verdicts on the same cells."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from neuroclass.cell_types import BROAD_ORDER, SUBCLASS_ORDER, broad_of
from neuroclass.classification.classify import classify_cells
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.cohort import Cohort
from neuroclass.features import FEATURE_NAMES
from neuroclass.types.models import DANN, LSPIN
from neuroclass.types.progress import ProgressCallback, ignore_progress

UNSAID = "cannot say"


@dataclass(frozen=True)
class Agreement:
    """How two models agree on cells.

    Attributes
    ----------
    task : str
        What was compared: ``subclass``, or ``broad`` where one of them tells only that.
    verdicts : DataFrame
        Columns id, species, first, second: each cell's label by either model, or ``cannot say``.
    n_labelled : int
        Cells to which both give a label.
    same : float
        Fraction of these with the same label; NaN without any.
    kappa : float
        Cohen's kappa on these; NaN where both give one class only.
    """

    task: str
    verdicts: pd.DataFrame
    n_labelled: int
    same: float
    kappa: float

    def confusion(self) -> pd.DataFrame:
        """Numbers of cells, labels of the first model × labels of the second, with those that cannot be said."""
        names = [*(BROAD_ORDER if self.task == DANN.task else SUBCLASS_ORDER), UNSAID]
        counts = pd.crosstab(self.verdicts["first"], self.verdicts["second"])
        return counts.reindex(index=names, columns=names, fill_value=0)


def measured_cells(cohort: Cohort) -> list[MeasuredCell]:
    """A cohort's cells as they are classified, from their stored features."""
    return [measured_cell(cohort, row) for row in range(len(cohort))]


def measured_cell(cohort: Cohort, row: int) -> MeasuredCell:
    """One row of a cohort as it is classified."""
    values = cohort.frame.iloc[row]
    known = {name: float(values[name]) for name in FEATURE_NAMES if pd.notna(values[name])}
    missing = {name: "not in the table" for name in FEATURE_NAMES if name not in known}
    return MeasuredCell(cohort.source, str(values["id"]), str(values["species"]), known, missing)


def agreement(
    first: Models,
    second: Models,
    tasks: tuple[str, str],
    cohort: Cohort,
    progress: ProgressCallback = ignore_progress,
) -> Agreement:
    """Compare the verdicts of two models on every cell of a cohort.

    Parameters
    ----------
    first, second : Models
        Each with the model that is compared.
    tasks : (str, str)
        What each tells; empty for the shipped models, which tell both. Subclasses are compared on mouse cells, and as
        broad classes with a model that tells only these.
    cohort : Cohort
        The cells; labels are not looked at.
    progress : ProgressCallback
        Called as cells are classified.

    Returns
    -------
    Agreement
    """
    cells = measured_cells(cohort)
    task = shared_task(*tasks)
    if LSPIN.task in tasks or task == LSPIN.task:
        cells = [cell for cell in cells if cell.species == "mouse"]
    every = zip((first, second), tasks, strict=True)
    labels = [_labels(models, own or task, task, cells, progress) for models, own in every]
    table = pd.DataFrame(
        {"id": [cell.cell for cell in cells], "species": [cell.species for cell in cells]}
        | dict(zip(("first", "second"), labels, strict=True))
    )
    return compare_labels(table, task)


def compare_labels(table: pd.DataFrame, task: str) -> Agreement:
    """Agreement of two columns of labels, first and second."""
    from sklearn.metrics import cohen_kappa_score

    both = table[(table["first"] != UNSAID) & (table["second"] != UNSAID)]
    same = float((both["first"] == both["second"]).mean()) if len(both) else float("nan")
    kinds = np.union1d(both["first"].unique(), both["second"].unique())
    kappa = float(cohen_kappa_score(both["first"], both["second"])) if len(kinds) > 1 else float("nan")
    return Agreement(task, table, len(both), same, kappa)


def _labels(models: Models, own: str, task: str, cells: list[MeasuredCell], progress: ProgressCallback) -> list[str]:
    """Each cell's label by the model of the task `own`, as `task` calls it."""
    found = []
    for one in classify_cells(cells, models, reasons=False, progress=progress):
        assert isinstance(one, CellVerdict)
        label = (one.broad if own == DANN.task else one.subclass).label
        found.append(UNSAID if label is None else label if own == task else broad_of(label))
    return found


def shared_task(first: str, second: str) -> str:
    """The task on which models of two tasks can be compared; the shipped models' is empty, as they do both."""
    tasks = {task for task in (first, second) if task}
    return DANN.task if len(tasks) != 1 else tasks.pop()
