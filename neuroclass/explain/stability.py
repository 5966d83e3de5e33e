"""Whether gates, SHAP values and permutation importance agree, with each other and after retraining.

References
----------
.. [1] Breiman, "Random forests", Machine Learning 45, 2001 (permutation importance).
.. [2] Kendall, "A new measure of rank correlation", Biometrika 30, 1938.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.explain.shap_values import shap_values
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.types.arrays import Floats

SHAP, PERMUTATION, GATES = "SHAP", "permutation", "gates"
N_SHUFFLES = 3
FAR = 10
HIGH = 15


def permutation_importance(model: Predictor, test: Cohort, truth: npt.NDArray[np.object_], seed: int = 0) -> Floats:
    """Loss of the true class' probability when a feature's values are shuffled among the cells.

    Parameters
    ----------
    model : Predictor
        The model.
    test : Cohort
        Held-out cells.
    truth : ndarray of str, shape (n_cells,)
        Their classes.
    seed : int
        Of the shuffles.

    Returns
    -------
    ndarray, shape (41,)
        Mean loss over cells and shuffles, a fraction of 1. Values are shuffled within species.
    """
    rng = np.random.default_rng(seed)
    x, species = test.matrix(), test.column("species")
    column = np.array([model.classes.index(name) for name in truth])
    rows = np.arange(len(x))
    before = model.predict_proba(x, species.tolist())[rows, column].mean()
    losses = np.zeros(x.shape[1])
    for _ in range(N_SHUFFLES):
        order = rows.copy()
        for name in set(species):
            inside = np.flatnonzero(species == name)
            order[inside] = rng.permutation(inside)
        for k in range(x.shape[1]):
            shuffled = x.copy()
            shuffled[:, k] = x[order, k]
            losses[k] += before - model.predict_proba(shuffled, species.tolist())[rows, column].mean()
    return losses / N_SHUFFLES


def importances(
    model: Predictor, test: Cohort, truth: npt.NDArray[np.object_], shap: Floats | None = None, n_cells: int = 120
) -> pd.DataFrame:
    """Importance of each feature on held-out cells by each method.

    Parameters
    ----------
    model : Predictor
        The model.
    test : Cohort
        Held-out cells.
    truth : ndarray of str, shape (n_cells,)
        Their classes.
    shap : ndarray, shape (n_cells, 41, n_classes), optional
        SHAP values of these cells; by default computed on an even subset.
    n_cells : int
        Size of the subset if `shap` is not given.

    Returns
    -------
    DataFrame
        method, feature, value: mean |SHAP| (probability), mean loss of the true class' probability, mean gate.
    """
    if shap is None:
        some = test.take(np.unique(np.linspace(0, len(test) - 1, n_cells).astype(int)))
        shap = shap_values(model, some.matrix(), some.column("species").tolist(), pairs=1).values
    found = {SHAP: np.abs(shap).mean((0, 2)), PERMUTATION: permutation_importance(model, test, truth)}
    if isinstance(model, LspinPredictor):
        found[GATES] = model.gates(test.matrix()).mean(0)
    return pd.concat(
        [pd.DataFrame({"method": name, "feature": FEATURE_NAMES, "value": value}) for name, value in found.items()],
        ignore_index=True,
    )


def ranks(table: pd.DataFrame) -> pd.DataFrame:
    """Rank of each feature, 1 the most important, in each run and method.

    Parameters
    ----------
    table : DataFrame
        Columns run, method, feature, value.

    Returns
    -------
    DataFrame
        Features × (method, run).
    """
    wide = table.pivot_table(index="feature", columns=["method", "run"], values="value", sort=False)
    return wide.rank(ascending=False)


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Rank agreement of each pair of methods within a run, and of each method between runs.

    Parameters
    ----------
    table : DataFrame
        Columns run, method, feature, value.

    Returns
    -------
    DataFrame
        first, second (methods; the same: between retrainings), kendall and spearman (−1 to 1, means over pairs),
        pairs.
    """
    placed = ranks(table)
    methods = list(dict.fromkeys(table["method"]))
    runs = list(dict.fromkeys(table["run"]))
    rows = []
    for first, second in [(m, m) for m in methods] + list(combinations(methods, 2)):
        if first == second:
            pairs = [((first, a), (first, b)) for a, b in combinations(runs, 2)]
        else:
            pairs = [((first, run), (second, run)) for run in runs]
        pairs = [(a, b) for a, b in pairs if a in placed.columns and b in placed.columns]
        if not pairs:
            continue
        measured = {
            kind: float(np.mean([placed[a].corr(placed[b], method=kind) for a, b in pairs]))
            for kind in ("kendall", "spearman")
        }
        rows.append({"first": first, "second": second, **measured, "pairs": len(pairs)})
    return pd.DataFrame(rows)


def disagreements(table: pd.DataFrame, far: int = FAR, high: int = HIGH) -> pd.DataFrame:
    """Features whose rank depends on the method or on the run.

    Parameters
    ----------
    table : DataFrame
        Columns run, method, feature, value.
    far : int
        Minimum rank difference that is flagged, of 41.
    high : int
        Only features that a method ranks this high on average are flagged; lower ranks are mostly chance.

    Returns
    -------
    DataFrame
        One row per feature, by mean rank: feature, mean rank for each method, between methods (largest difference
        of mean ranks), between runs (largest range of the 10% to 90% quantiles), flagged.
    """
    placed = ranks(table)
    methods = list(dict.fromkeys(table["method"]))
    means = pd.DataFrame({name: placed[name].mean(axis=1) for name in methods})
    runs = pd.DataFrame(
        {name: placed[name].quantile(0.9, axis=1) - placed[name].quantile(0.1, axis=1) for name in methods}
    )
    result = means.assign(between_methods=means.max(axis=1) - means.min(axis=1), between_runs=runs.max(axis=1))
    differs = (result["between_methods"] > far) | (result["between_runs"] > far)
    result["flagged"] = differs & (means.min(axis=1) <= high)
    return result.loc[means.mean(axis=1).sort_values().index].rename_axis("feature").reset_index()
