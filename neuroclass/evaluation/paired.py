"""Paired tests between systems on the same held-out cells, donors as the units of chance.

References
----------
.. [1] Fisher, "The Design of Experiments", 1935 (the sign-flip test).
.. [2] Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6, 1979.
"""

from collections.abc import Sequence

import numpy as np

from neuroclass.types.arrays import Floats

N_FLIPS = 10_000
_SEED = 20230528
_TINY = 1e-12


def sign_flip_p(sums: Floats) -> float:
    """Two-sided p of a total of differences that would be as likely with either sign.

    Parameters
    ----------
    sums : ndarray, shape (n_donors,)
        Each donor's summed difference between two systems.

    Returns
    -------
    float
        Share of 10,000 random sign flips, and the data themselves, with as large an absolute total.
    """
    changed = sums[np.abs(sums) > _TINY]
    if not len(changed):
        return 1.0
    signs = np.random.default_rng(_SEED).integers(0, 2, size=(N_FLIPS, len(changed))) * 2 - 1
    as_large = np.abs(signs @ changed) >= abs(changed.sum()) - _TINY
    return float((as_large.sum() + 1) / (N_FLIPS + 1))


def holm(p: Sequence[float]) -> list[float]:
    """Correct p values for their number, in the order given: none below the uncorrected one, none above 1."""
    order = np.argsort(p, kind="stable")
    steps = (len(p) - np.arange(len(p))) * np.asarray(p, dtype=np.float64)[order]
    result = np.empty(len(p))
    result[order] = np.minimum(1.0, np.maximum.accumulate(steps)) if len(p) else steps
    return [float(value) for value in result]
