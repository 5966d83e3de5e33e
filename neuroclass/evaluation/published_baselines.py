"""Random forest, SVC and XGBoost as the paper's code trains them: on a fifth of the cells, chosen on the other four.

The SVC has scikit-learn's default settings; the other two are chosen from a grid by accuracy on the test cells.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from neuroclass.cohort.splits import PAPER_SEED
from neuroclass.evaluation.published_split import SubclassCells
from neuroclass.evaluation.search_on_test import scores
from neuroclass.types.arrays import Integers

FOREST_TREES, FOREST_CRITERIA, FOREST_DEPTHS = (100, 300, 500), ("gini", "entropy"), (4, 6, 8, 10, 12, 14)
BOOST_TREES, BOOST_DEPTHS, BOOST_LEAVES, BOOST_RATES = (10, 50, 100), (3, 5, 10), (0, 8, 20), (0.1, 0.2, 0.5)


def _forests() -> Iterator[Any]:
    from sklearn.ensemble import RandomForestClassifier

    yield RandomForestClassifier(random_state=PAPER_SEED)
    for trees, criterion, depth in product(FOREST_TREES, FOREST_CRITERIA, FOREST_DEPTHS):
        yield RandomForestClassifier(trees, criterion=criterion, max_depth=depth, random_state=PAPER_SEED)


def _machines() -> Iterator[Any]:
    from sklearn.svm import SVC

    yield SVC(random_state=PAPER_SEED)


def _boosted() -> Iterator[Any]:
    from xgboost import XGBClassifier

    settings = {"n_jobs": 1, "random_state": PAPER_SEED}
    yield XGBClassifier(n_estimators=50, max_depth=8, learning_rate=0.25, **settings)
    for trees, depth, leaves, rate in product(BOOST_TREES, BOOST_DEPTHS, BOOST_LEAVES, BOOST_RATES):
        yield XGBClassifier(n_estimators=trees, max_depth=depth, max_leaves=leaves, learning_rate=rate, **settings)


GRIDS: dict[str, Callable[[], Iterator[Any]]] = {"rf": _forests, "svc": _machines, "xgboost": _boosted}


def run_baseline(name: str, cells: SubclassCells) -> dict[str, Any]:
    """Train one system with every setting of its grid on a fifth of the cells.

    Parameters
    ----------
    name : str
        ``rf``, ``svc`` or ``xgboost``.
    cells : SubclassCells
        Divided as published.

    Returns
    -------
    dict
        ``default`` and ``chosen`` (accuracy and macro F1 with the first setting, and with the best on the test
        cells), ``n_settings``, and ``equal``: the first setting trained on four fifths, LSPIN's test cells.
    """
    found = [
        scores(cells.truth[cells.others], _predicted(one, cells, cells.few, cells.others), len(cells.classes))
        for one in GRIDS[name]()
    ]
    train = np.concatenate([cells.train, cells.validation])
    first = next(GRIDS[name]())
    equal = _predicted(first, cells, train, cells.test)
    return {
        "default": found[0],
        "chosen": max(found, key=lambda one: one["accuracy"]),
        "n_settings": len(found),
        "equal": scores(cells.truth[cells.test], equal, len(cells.classes)),
    }


def _predicted(estimator: Any, cells: SubclassCells, train: Integers, test: Integers) -> Integers:
    known, labels = np.unique(cells.truth[train], return_inverse=True)
    estimator.fit(cells.x[train], labels)
    return np.asarray(known[np.asarray(estimator.predict(cells.x[test]), dtype=np.int64)])
