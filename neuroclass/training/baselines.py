"""Baselines behind the same preprocessing as the networks.

References
----------
.. [1] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, 2023, Table 2 (random forest, SVC, XGBoost).
.. [2] Seo and Lee, 2019 (LASSO, gradient boosting, neural networks and their ensembles).
.. [3] Rodríguez-Collado and Rueda, Front. Hum. Neurosci. 15, 2021.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.predictors.estimator import whole_probabilities
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats


def _forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(300, random_state=seed)


def _svc(seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC(C=3.0, probability=True, random_state=seed)


def _xgboost(seed: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=200, max_depth=4, learning_rate=0.1, subsample=0.8, n_jobs=1, random_state=seed)


def _lda(seed: int) -> Any:  # noqa: ARG001
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


def _lasso(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    return OneVsRestClassifier(LogisticRegression(C=0.5, penalty="l1", solver="liblinear", random_state=seed))


def _boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.08, max_leaf_nodes=12, early_stopping=False, random_state=seed
    )


def _net(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((40,), alpha=0.3, learning_rate_init=5e-3, tol=1e-3, max_iter=150, random_state=seed)


def _net_ensemble(seed: int) -> Any:
    from sklearn.ensemble import BaggingClassifier
    from sklearn.pipeline import make_pipeline

    # In a pipeline, so that cells are drawn, not weighted: a small batch may have no weight at all.
    return BaggingClassifier(make_pipeline(_net(seed)), 10, random_state=seed)


def _few_labels(seed: int) -> Any:
    from neuroclass.training.semi_supervised import SemiSupervised

    return SemiSupervised(seed=seed)


def _etypes(seed: int) -> Any:
    from neuroclass.training.etypes import ETypeClassifier

    return ETypeClassifier(seed)


def _circular(seed: int) -> Any:  # noqa: ARG001
    from neuroclass.training.circular import CircularTaxonomy

    return CircularTaxonomy()


ESTIMATORS: dict[str, Callable[[int], Any]] = {
    "rf": _forest,
    "svc": _svc,
    "xgboost": _xgboost,
    "lda": _lda,
    "lasso": _lasso,
    "gbdt": _boosting,
    "ann": _net,
    "ann-ensemble": _net_ensemble,
    "few-labels": _few_labels,
    "etypes": _etypes,
    "circular": _circular,
}


@dataclass(frozen=True)
class FittedEstimator:
    """A trained baseline.

    Attributes
    ----------
    classes : tuple of str
        In the order of the probabilities.
    preprocessor : Preprocessor
        Fitted on the training cells.
    estimator : object
        Fitted on class positions.
    """

    classes: tuple[str, ...]
    preprocessor: Preprocessor
    estimator: Any

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """Probabilities, shape (n_cells, n_classes); 0 for a class that training lacked."""
        return whole_probabilities(self.estimator, self.preprocessor(x)[0], len(self.classes))


def fit_estimator(name: str, cohort: Cohort, task: str, seed: int) -> FittedEstimator:
    """Train a baseline.

    Parameters
    ----------
    name : str
        One of `ESTIMATORS`.
    cohort : Cohort
        Training cells; those without the label are left out.
    task : str
        ``broad`` or ``subclass``.
    seed : int
        Of the estimator.

    Returns
    -------
    FittedEstimator
    """
    cohort = cohort.labelled(task)
    classes = TASK_CLASSES[task]
    preprocessor = Preprocessor.fit(cohort.matrix())
    estimator = ESTIMATORS[name](seed)
    estimator.fit(preprocessor(cohort.matrix())[0], class_numbers(cohort, task, classes))
    return FittedEstimator(classes, preprocessor, estimator)
