"""Hierarchical clustering with the dendrogram as line coordinates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neuroclass.types.arrays import Floats, Integers


@dataclass(frozen=True)
class Tree:
    """A dendrogram ready to draw.

    Attributes
    ----------
    order : ndarray of int, shape (n,)
        Items in leaf order.
    position, height : ndarray, shape (n_points,)
        Line coordinates: position along the leaves (leaf k at k) and merge height, NaN between lines.
    """

    order: Integers
    position: Floats
    height: Floats


def _linkage_tree(items: Floats) -> Tree:
    from scipy.cluster.hierarchy import linkage, to_tree
    from scipy.spatial.distance import pdist

    n = len(items)
    if n < 2:
        return Tree(np.arange(n), np.empty(0), np.empty(0))
    merges = linkage(pdist(items), method="average")
    order = np.asarray(to_tree(merges).pre_order(lambda leaf: leaf.id), dtype=np.int64)
    place = np.empty(2 * n - 1)
    level = np.zeros(2 * n - 1)
    place[order] = np.arange(n)
    position, height = [], []
    for step, (left, right, distance, _) in enumerate(merges):
        a, b = int(left), int(right)
        position += [place[a], place[a], place[b], place[b], np.nan]
        height += [level[a], distance, distance, level[b], np.nan]
        place[n + step] = (place[a] + place[b]) / 2
        level[n + step] = distance
    return Tree(order, np.asarray(position), np.asarray(height))


def cluster(items: Floats, groups: npt.ArrayLike | None = None) -> Tree:
    """Order items by average-linkage clustering on Euclidean distance.

    Parameters
    ----------
    items : ndarray, shape (n, n_columns)
        One row per item, no NaN.
    groups : array_like of str, shape (n,), optional
        If given, items are clustered within groups, which follow in order of appearance.

    Returns
    -------
    Tree
    """
    if groups is None:
        return _linkage_tree(items)
    names = np.asarray(groups, dtype=object)
    orders, positions, heights = [], [], []
    start = 0
    for name in dict.fromkeys(names):
        rows = np.flatnonzero(names == name)
        tree = _linkage_tree(items[rows])
        orders.append(rows[tree.order])
        positions.append(tree.position + start)
        heights.append(tree.height)
        start += rows.size
    return Tree(np.concatenate(orders), np.concatenate(positions), np.concatenate(heights))
