"""Test whether gates differ between classes.

References
----------
.. [1] Kruskal and Wallis, "Use of ranks in one-criterion variance analysis", JASA 47, 1952.
.. [2] Tomczak and Tomczak, "The need to report effect size estimates revisited", 2014 (ε²).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neuroclass.cohort.compare import holm


def compare_classes(gates: pd.DataFrame, classes: Sequence[str], features: Sequence[str]) -> pd.DataFrame:
    """Kruskal–Wallis test of each feature's gate between the classes.

    Parameters
    ----------
    gates : DataFrame
        A row per cell; a column per feature.
    classes : sequence of str, shape (n_cells,)
        True class of each cell.
    features : sequence of str
        Columns to test.

    Returns
    -------
    DataFrame
        feature, highest and lowest (classes by mean gate), h, effect (ε², 0 to 1), p, p_holm (corrected over the
        features); the largest effect first. Gates that are equal in all cells have no p.
    """
    from scipy.stats import kruskal

    names = np.asarray(classes, dtype=str)
    groups = [np.flatnonzero(names == name) for name in dict.fromkeys(names)]
    rows = []
    for feature in features:
        values = gates[feature].to_numpy(dtype=np.float64)
        means = pd.Series(values).groupby(names).mean()
        if np.ptp(values) == 0 or len(groups) < 2:
            rows.append((feature, "", "", np.nan, 0.0, np.nan))
            continue
        h, p = kruskal(*(values[rows_] for rows_ in groups))
        effect = max(0.0, float(h) / (len(values) - 1))
        rows.append((feature, str(means.idxmax()), str(means.idxmin()), float(h), effect, float(p)))
    table = pd.DataFrame(rows, columns=["feature", "highest", "lowest", "h", "effect", "p"])
    table["p_holm"] = holm(table["p"].tolist())
    return table.sort_values("effect", ascending=False, ignore_index=True)
