"""Pure driver lines, whose cells resemble their class, determined on training cells only.

A line's label is its class by definition, so its purity cannot be read from the labels. Here a line is called
pure if an SVC, which is not the model under test, errs on at most 5% of its *training* cells, each predicted by
donor-grouped cross-validation within the training cells. Which test cells count as pure is thus settled before
any test label is looked at.
"""

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.svm import SVC

from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.crossfit import inner_folds
from neuroclass.types.arrays import Mask
from neuroclass.types.progress import ignore_progress

MOST_ERRORS = 0.05
LEAST_CELLS = 5
_FOLDS = 5


def errors_by_line(cells: Cohort, task: str, seed: int) -> pd.DataFrame:
    """Cross-validated errors of an SVC by driver line.

    Parameters
    ----------
    cells : Cohort
        Labelled cells; those without a line train the SVC but are not counted.
    task : str
        ``broad`` or ``subclass``.
    seed : int
        Of the folds.

    Returns
    -------
    DataFrame
        Columns line, cells, error (fraction of the cells).
    """
    truth = cells.column(task).astype(str)
    fold = inner_folds(cells, task, _FOLDS, seed)
    wrong = np.zeros(len(cells))
    for number in range(int(fold.max()) + 1):
        train, test = fold != number, fold == number
        preprocessor = Preprocessor.fit(cells.matrix()[train])
        svc = SVC(C=3.0).fit(preprocessor(cells.matrix()[train])[0], truth[train])
        wrong[test] = svc.predict(preprocessor(cells.matrix()[test])[0]) != truth[test]
    table = pd.DataFrame({"line": cells.frame["line"], "wrong": wrong}).dropna(subset=["line"])
    return table.groupby("line")["wrong"].agg(cells="size", error="mean").reset_index()


def pure_lines(cells: Cohort, task: str, seed: int) -> set[str]:
    """Lines with at least 5 of these cells and at most 5% errors; see the module."""
    table = errors_by_line(cells, task, seed)
    kept = table[(table["cells"] >= LEAST_CELLS) & (table["error"] <= MOST_ERRORS)]
    return set(kept["line"])


def _pure_test_cells(plan: Plan, task: str, trial: Trial) -> pd.DataFrame:
    lines = pure_lines(plan.cohort.take(trial.train), task, trial.seed)
    test = plan.cohort.take(trial.test).frame
    return test.loc[test["line"].isin(lines), ["id", "line"]].assign(repeat=trial.repeat)


def pure_cells(plan: Plan, task: str, jobs: int = 1) -> pd.DataFrame:
    """Test cells of each trial whose line is pure by the trial's training cells.

    Returns
    -------
    DataFrame
        Columns id, line, repeat: the predictions that count.
    """
    calls = [delayed(_pure_test_cells)(plan, task, trial) for trial in plan.trials]
    return pd.concat(in_parallel(calls, jobs, "pure lines", ignore_progress), ignore_index=True)


def pure_rows(predictions: pd.DataFrame, pure: pd.DataFrame) -> Mask:
    """Which predictions are of pure cells, shape (n_predictions,)."""
    keys = pd.MultiIndex.from_frame(pure[["id", "repeat"]])
    return np.asarray(pd.MultiIndex.from_frame(predictions[["id", "repeat"]]).isin(keys))
