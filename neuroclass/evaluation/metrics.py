"""Metrics of held-out predictions, with intervals from a cluster bootstrap over donors.

A table of predictions has one row a tested cell and repeat: id, species, donor, repeat, fold, truth,
predicted and one column ``p_<class>`` a class.

References
----------
.. [1] Field and Welsh, "Bootstrapping clustered data", J. R. Stat. Soc. B 69, 2007.
.. [2] Guo et al., "On calibration of modern neural networks", ICML 2017 (expected calibration error).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from neuroclass.evaluation.paired import sign_flip_p
from neuroclass.types.arrays import Floats

Summary = dict[str, dict[str, float]]

N_BOOTSTRAP = 1000
_SEED = 20230528


def macro_f1(counts: Floats) -> Floats:
    """Mean F1 over the classes that occur.

    Parameters
    ----------
    counts : ndarray, shape (…, n_classes, n_classes)
        Confusion matrices, true class first.

    Returns
    -------
    ndarray, shape (…,)
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    total = counts.sum(-1) + counts.sum(-2)
    f1 = np.divide(2 * right, total, out=np.zeros_like(right), where=total > 0)
    occurs = counts.sum(-1) > 0
    return np.asarray((f1 * occurs).sum(-1) / np.maximum(occurs.sum(-1), 1))


def accuracy(counts: Floats) -> Floats:
    """Share of cells on the diagonal of confusion matrices, shape (…, n, n) → (…,)."""
    return np.asarray(np.trace(counts, axis1=-2, axis2=-1) / np.maximum(counts.sum((-2, -1)), 1e-12))


def balanced_accuracy(counts: Floats) -> Floats:
    """Mean over the classes that occur of the share of cells on the diagonal, shape (…, n, n) → (…,)."""
    total = counts.sum(-1)
    recall = np.divide(np.diagonal(counts, axis1=-2, axis2=-1), total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(recall.sum(-1) / np.maximum((total > 0).sum(-1), 1))


Metric = Callable[[Floats], Floats]
HEADLINE: Mapping[str, Metric] = {"accuracy": accuracy, "macro_f1": macro_f1}


def _counts(predictions: pd.DataFrame, classes: Sequence[str], by: Sequence[str]) -> Floats:
    """Confusion matrices for each combination of `by`, shape (n_1, …, n_classes, n_classes)."""
    places = {name: place for place, name in enumerate(classes)}
    keys = [pd.factorize(predictions[column])[0] for column in by]
    keys += [predictions[column].map(places).to_numpy() for column in ("truth", "predicted")]
    counts = np.zeros([*(key.max() + 1 for key in keys[:-2]), len(classes), len(classes)])
    np.add.at(counts, tuple(keys), 1.0)
    return counts


def summarise(predictions: pd.DataFrame, classes: Sequence[str], metrics: Mapping[str, Metric] = HEADLINE) -> Summary:
    """Accuracy and macro F1, or other metrics, with spread and interval.

    Parameters
    ----------
    predictions : DataFrame
        See the module.
    classes : sequence of str
        Every class.
    metrics : mapping of str to callable
        Metrics of confusion matrices.

    Returns
    -------
    dict
        By default ``accuracy`` and ``macro_f1``, each with ``mean`` (over repeats, cells of all folds pooled), ``sd``
        (over folds of all repeats) and ``low``, ``high`` (95% of bootstrap samples of donors).
    """
    by_donor = _counts(predictions, classes, ("donor", "repeat"))
    n_donors = len(by_donor)
    rng = np.random.default_rng(_SEED)
    weights = rng.multinomial(n_donors, np.full(n_donors, 1 / n_donors), size=N_BOOTSTRAP).astype(np.float64)
    resampled = np.tensordot(weights, by_donor, axes=1)
    pooled = by_donor.sum(0)
    parts = predictions.assign(part=predictions["repeat"].astype(str) + "/" + predictions["fold"].astype(str))
    by_fold = _counts(parts, classes, ("part",))
    result = {}
    for name, metric in metrics.items():
        low, high = np.quantile(metric(resampled).mean(-1), (0.025, 0.975))
        result[name] = {
            "mean": float(metric(pooled).mean()),
            "sd": float(metric(by_fold).std(ddof=1)) if len(by_fold) > 1 else 0.0,
            "low": float(low),
            "high": float(high),
        }
    return result


def probabilities_of(predictions: pd.DataFrame, classes: Sequence[str]) -> Floats:
    """Probabilities, shape (n_rows, n_classes)."""
    return np.asarray(predictions[[f"p_{name}" for name in classes]], dtype=np.float64)


def expected_calibration_error(predictions: pd.DataFrame, classes: Sequence[str], n_bins: int = 10) -> float:
    """Mean gap between stated probability and observed accuracy over bins of the largest probability."""
    stated = probabilities_of(predictions, classes).max(1)
    right = (predictions["truth"] == predictions["predicted"]).to_numpy(dtype=np.float64)
    bins = np.minimum((stated * n_bins).astype(np.int64), n_bins - 1)
    gaps = np.bincount(bins, weights=stated - right, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(stated))


def paired_difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, float]:
    """Difference in accuracy on the same cells and repeats, with interval and test over donors.

    Parameters
    ----------
    ours, theirs : DataFrame
        Predictions of two systems under one protocol.

    Returns
    -------
    dict
        ``difference`` (ours − theirs, fraction of the cells), ``low``, ``high`` (95% of bootstrap samples of donors)
        and two-sided ``p`` of the sign-flip test over donors, not corrected for the number of systems.
    """
    key = ["id", "repeat"]
    merged = ours[[*key, "donor", "truth", "predicted"]].merge(theirs[[*key, "predicted"]], on=key)
    gain = (merged["predicted_x"] == merged["truth"]).astype(float) - (merged["predicted_y"] == merged["truth"])
    donors, _ = pd.factorize(merged["donor"])
    sums, sizes = np.bincount(donors, weights=gain), np.bincount(donors)
    rng = np.random.default_rng(_SEED)
    weights = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=N_BOOTSTRAP)
    samples = (weights @ sums) / (weights @ sizes)
    low, high = np.quantile(samples, (0.025, 0.975))
    return {
        "difference": float(gain.mean()),
        "low": float(low),
        "high": float(high),
        "p": sign_flip_p(np.asarray(sums, dtype=np.float64)),
    }
