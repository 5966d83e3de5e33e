"""Cross-species matches: the human cells nearest to a mouse cell in the domain-invariant space."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cell_types import HumanSubclass, Subclass
from neuroclass.types.arrays import Floats

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


def label_agreement(mouse: Sequence[str], human: Sequence[str], distances: Floats) -> list[dict[str, Any]]:
    """How often the nearest human cell of a mouse cell carries the corresponding label.

    Parameters
    ----------
    mouse, human : sequence of str
        Subclasses of the cells.
    distances : ndarray, shape (n_mouse, n_human)
        Between every pair.

    Returns
    -------
    list of dict
        For each mouse subclass of `PARTNERS`: ``subclass``, ``partner``, ``n_cells``, ``same`` (fraction of them) and
        ``chance`` (the partner's share of the human cells).
    """
    labels, nearest = np.asarray(human, dtype=str), np.asarray(human, dtype=str)[distances.argmin(1)]
    names = np.asarray(mouse, dtype=str)
    return [
        {
            "subclass": subclass,
            "partner": partner,
            "n_cells": int((names == subclass).sum()),
            "same": float((nearest[names == subclass] == partner).mean()),
            "chance": float((labels == partner).mean()),
        }
        for subclass, partner in PARTNERS.items()
        if (names == subclass).any()
    ]
