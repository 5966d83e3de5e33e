"""Compare groups of cells: effect sizes and tests, corrected for multiple comparisons.

Effects are of cells. Tests are of donors, each with the median of its cells in a group, for cells of one donor are not
independent; a donor with cells in both groups counts in both.

References
----------
.. [1] Cliff, "Dominance statistics: ordinal analyses to answer ordinal questions", Psychol Bull 114, 1993.
.. [2] Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than the
   other", Ann Math Stat 18, 1947.
.. [3] Holm, "A simple sequentially rejective multiple test procedure", Scand J Stat 6, 1979.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neuroclass.features import FEATURES
from neuroclass.types.arrays import Floats

MOST_PAIRED = 7
OTHERS = "all others"
LEAST = 3
"""Donors of a group from which it is tested."""
DONOR = "donor"
_SIZES = ("cells_a", "cells_b", "donors_a", "donors_b")


def cliffs_delta(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Cliff's delta [1]_: P(a > b) − P(a < b), −1 to 1; NaN if either group is empty."""
    first, second = _finite(a), _finite(b)
    if not first.size or not second.size:
        return float("nan")
    below = int(np.searchsorted(second, first, "left").sum())
    above = int((second.size - np.searchsorted(second, first, "right")).sum())
    return (below - above) / (first.size * second.size)


def _finite(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return np.sort(array[np.isfinite(array)])


def rank_test(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Two-sided p of the Mann–Whitney U test [2]_ by its normal approximation; NaN below three values per group."""
    from scipy.stats import mannwhitneyu

    first, second = _finite(a), _finite(b)
    if min(first.size, second.size) < LEAST or np.unique(np.concatenate([first, second])).size < 2:
        return float("nan")
    return float(mannwhitneyu(first, second, alternative="two-sided", method="asymptotic").pvalue)


def donor_medians(values: "pd.Series[Any]", donors: "pd.Series[Any] | None") -> Floats:
    """Median of each donor's cells that have a value, shape (n_donors,).

    Parameters
    ----------
    values : Series
        A feature of one group's cells.
    donors : Series of str on the same index, optional
        Their donors; a cell without one is its own.
    """
    known = values.dropna()
    if donors is None:
        return known.to_numpy(dtype=np.float64)
    own = donors.reindex(known.index).fillna("").astype(str)
    alone = pd.Series([f"cell {k}" for k in range(len(own))], index=own.index)
    names = ("donor " + own).where(own != "", alone)
    return known.groupby(names.to_numpy()).median().to_numpy(dtype=np.float64)


def holm(p: npt.ArrayLike) -> Floats:
    """P values after Holm's correction [3]_; NaN stays NaN and is not counted as a test."""
    from statsmodels.stats.multitest import multipletests

    corrected = np.array(p, dtype=np.float64)
    finite = np.isfinite(corrected)
    if finite.any():
        corrected[finite] = multipletests(corrected[finite], method="holm")[1]
    return corrected


def compare_selections(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Compare all 41 features between two groups of cells, largest effect first.

    Parameters
    ----------
    a, b : DataFrame
        Cells with their feature columns, stored units.

    Returns
    -------
    DataFrame
        Columns feature (title with shown unit), name, delta (Cliff's, positive where the first is higher),
        median_a, median_b (shown units), p_holm (Mann–Whitney of the donors' medians, corrected over the features),
        cells_a, cells_b, donors_a, donors_b (with a value). Features missing from either group are left out.
    """
    records = []
    donors = [frame.get(DONOR) for frame in (a, b)]
    for spec in FEATURES:
        first, second = _finite(a[spec.name]), _finite(b[spec.name])
        if first.size and second.size:
            medians = (float(np.median(first)) * spec.display_factor, float(np.median(second)) * spec.display_factor)
            effect = cliffs_delta(first, second)
            one, two = (donor_medians(frame[spec.name], own) for frame, own in zip((a, b), donors, strict=True))
            sizes = first.size, second.size, one.size, two.size
            records.append((spec.title, spec.name, effect, *medians, rank_test(one, two), *sizes))
    columns = ["feature", "name", "delta", "median_a", "median_b", "p_holm", *_SIZES]
    table = pd.DataFrame(records, columns=columns)
    table["p_holm"] = holm(table["p_holm"])
    return table.sort_values("delta", key=abs, ascending=False, ignore_index=True)


def compare_within(
    values: "pd.Series[Any]",
    groups: "pd.Series[Any]",
    order: Sequence[str],
    blocks: "pd.Series[Any] | None" = None,
    donors: "pd.Series[Any] | None" = None,
) -> pd.DataFrame:
    """Compare one feature between groups: all pairs, or each against the rest if there are more than seven.

    Parameters
    ----------
    values : Series
        The feature.
    groups : Series of str, on the same index
        Group of each cell.
    order : sequence of str
        The groups in display order.
    blocks : Series of str, on the same index, optional
        Such as the species of each cell: groups are compared within a block only.
    donors : Series of str, on the same index, optional
        Donor of each cell; without, each cell is its own.

    Returns
    -------
    DataFrame
        Columns a, b, delta (of cells), p_holm (of donors, corrected over the rows), cells_a, cells_b, donors_a,
        donors_b; the largest effect first, and of a pair first the group whose cells are above.
    """
    if blocks is None:
        blocks = pd.Series("", index=groups.index)
    each = [blocks == block for block in dict.fromkeys(blocks)]
    paired = max((_present(values[one], groups[one]) for one in each), default=0) <= MOST_PAIRED
    rows = [row for one in each for row in _compared(values[one], groups[one], order, paired, donors)]
    table = pd.DataFrame(rows, columns=["a", "b", "delta", "p_holm", *_SIZES])
    table["p_holm"] = holm(table["p_holm"])
    turned = (table["delta"] < 0) & (table["b"] != OTHERS)
    pair = ["a", "b", *_SIZES]
    other = [name[:-1] + {"a": "b", "b": "a"}[name[-1]] for name in pair]
    table.loc[turned, pair] = table.loc[turned, other].to_numpy()
    table.loc[turned, "delta"] *= -1
    return table.sort_values("delta", key=abs, ascending=False, ignore_index=True)


def _present(values: "pd.Series[Any]", groups: "pd.Series[Any]") -> int:
    """Number of groups with a value."""
    return int(groups[values.notna()].nunique())


def _compared(
    values: "pd.Series[Any]",
    groups: "pd.Series[Any]",
    order: Sequence[str],
    paired: bool,
    donors: "pd.Series[Any] | None",
) -> list[tuple[str, str, float, float, int, int, int, int]]:
    """Effect, p and numbers of cells and donors of every pair of groups, or of each group against all others."""
    parts = {name: values[groups == name].dropna() for name in order}
    present = [name for name in order if len(parts[name])]
    pairs = [(x, y, parts[x], parts[y]) for x, y in combinations(present, 2)]
    if not paired and len(present) > 1:
        pairs = [(x, OTHERS, parts[x], values[groups != x].dropna()) for x in present]
    rows = []
    for x, y, one, two in pairs:
        first, second = donor_medians(one, donors), donor_medians(two, donors)
        rows.append(
            (x, y, cliffs_delta(one, two), rank_test(first, second), len(one), len(two), first.size, second.size)
        )
    return rows
