"""Cross-species matches: the human cells nearest to a mouse cell in the domain-invariant space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cell_types import HumanSubclass, Subclass
from neuroclass.types.arrays import Floats, Integers, Names

N_MATCHES = 5
N_NEAR = 5
SURVIVES = 0.6


def match_table(mouse: Sequence[str], human: Sequence[str], distances: Sequence[Floats]) -> pd.DataFrame:
    """Find the nearest human cells of each mouse cell, and how often retraining finds them again.

    Parameters
    ----------
    mouse, human : sequence of str
        Ids of the cells.
    distances : sequence of ndarray, shape (n_mouse, n_human)
        Distances from each of several trainings.

    Returns
    -------
    DataFrame
        id, rank (1 the nearest by the mean over trainings), twin, distance (mean, standard deviations of a feature),
        found_again (fraction of trainings in which the match is among the `N_NEAR` nearest).
    """
    mean = np.mean(distances, axis=0)
    near = np.mean([d.argsort(axis=1).argsort(axis=1) < N_NEAR for d in distances], axis=0)
    order = mean.argsort(axis=1)[:, :N_MATCHES]
    rows = np.arange(len(mouse))[:, None]
    ids = np.asarray(human, dtype=object)
    return pd.DataFrame(
        {
            "id": np.repeat(np.asarray(mouse, dtype=object), order.shape[1]),
            "rank": np.tile(np.arange(1, order.shape[1] + 1), len(mouse)),
            "twin": ids[order].ravel(),
            "distance": mean[rows, order].ravel().round(4),
            "found_again": near[rows, order].ravel().round(3),
        }
    )


PARTNERS: Mapping[str, str] = {
    Subclass.PVALB.value: HumanSubclass.PVALB.value,
    Subclass.SST.value: HumanSubclass.SST.value,
    Subclass.VIP.value: HumanSubclass.VIP.value,
    Subclass.HTR3A.value: HumanSubclass.LAMP5_PAX6.value,
}
"""The human subclass that corresponds to each mouse one; Htr3a+|Vip− holds Lamp5 and Pax6 (Sncg) cells."""


@dataclass(frozen=True)
class Labelled:
    """Cells with their subclasses and donors, text of shape (n_cells,)."""

    ids: Names
    labels: Names
    donors: Names


def nearest_cells(mouse: Labelled, human: Labelled, distances: Floats) -> pd.DataFrame:
    """The nearest human cell of each mouse cell of `PARTNERS`, and its label.

    Parameters
    ----------
    mouse, human : Labelled
        The cells.
    distances : ndarray, shape (n_mouse, n_human)
        Between every pair.

    Returns
    -------
    DataFrame
        id, subclass, twin, label, distance and same (whether the label is the corresponding one).
    """
    nearest = distances.argmin(1)
    table = pd.DataFrame(
        {
            "id": mouse.ids,
            "subclass": mouse.labels,
            "twin": human.ids[nearest],
            "label": human.labels[nearest],
            "distance": distances.min(1).round(4),
        }
    )
    table = table[table["subclass"].isin(list(PARTNERS))].reset_index(drop=True)
    return table.assign(same=table["subclass"].map(PARTNERS) == table["label"])


def label_agreement(
    mouse: Labelled, human: Labelled, distances: Floats, n_samples: int = 500, seed: int = 0
) -> list[dict[str, Any]]:
    """How often the nearest human cell of a mouse cell carries the corresponding label.

    Parameters
    ----------
    mouse, human : Labelled
        The cells.
    distances : ndarray, shape (n_mouse, n_human)
        Between every pair.
    n_samples, seed : int
        Bootstrap samples of the donors of both species, and their seed.

    Returns
    -------
    list of dict
        For each mouse subclass of `PARTNERS`: ``subclass``, ``partner``, ``n_cells``, ``same`` (fraction of them) with
        ``low`` and ``high`` (95% of the samples), and ``chance`` (the partner's share of the human cells).
    """
    rng = np.random.default_rng(seed)
    partners = np.array([PARTNERS.get(name, "") for name in mouse.labels], dtype=object)
    weights, shares = [], []
    for _ in range(n_samples):
        there = _drawn(human.donors, rng) > 0
        nearest = human.labels[there][distances[:, there].argmin(1)]
        weights.append(_drawn(mouse.donors, rng))
        shares.append(nearest == partners)
    times, same = np.array(weights), np.array(shares)
    right = human.labels[distances.argmin(1)] == partners
    rows = []
    for subclass, partner in PARTNERS.items():
        of = mouse.labels == subclass
        if not of.any():
            continue
        n_drawn = times[:, of].sum(1)
        samples = (times[:, of] * same[:, of]).sum(1)[n_drawn > 0] / n_drawn[n_drawn > 0]
        low, high = np.quantile(samples, [0.025, 0.975])
        rows.append(
            {
                "subclass": subclass,
                "partner": partner,
                "n_cells": int(of.sum()),
                "same": float(right[of].mean()),
                "low": float(low),
                "high": float(high),
                "chance": float((human.labels == partner).mean()),
            }
        )
    return rows


def _drawn(donors: Names, rng: np.random.Generator) -> Integers:
    """How often each cell is in a bootstrap sample of the donors, shape (n_cells,)."""
    names, number = np.unique(donors.astype(str), return_inverse=True)
    return np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[number]
