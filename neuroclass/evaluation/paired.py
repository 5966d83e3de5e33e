"""Paired tests between systems on the same held-out cells, donors as the units of chance.

References
----------
.. [1] Fisher, "The Design of Experiments", 1935 (the sign-flip test).
"""

from typing import Any

import numpy as np

from neuroclass.types.arrays import Floats

N_FLIPS = 10_000
_BATCH = 1_000
_SEED = 20230528
_TINY = 1e-12


def sign_flip_p(sums: Floats) -> float:
    """Two-sided p of a sum of differences under random sign flips.

    Parameters
    ----------
    sums : ndarray, shape (n_donors,)
        Each donor's summed difference between two systems.

    Returns
    -------
    float
        Share of sign flips with as large an absolute total: of all of them for up to 13 donors that differ, else of
        10,000 random ones and the data themselves.
    """
    from scipy.stats import permutation_test

    changed = sums[np.abs(sums) > _TINY]
    if len(changed) < 2:  # both signs of a single donor's difference have the same absolute total
        return 1.0
    test = permutation_test(
        (changed,),
        _absolute_total,
        permutation_type="samples",
        vectorized=True,
        n_resamples=N_FLIPS,
        batch=_BATCH,
        alternative="greater",
        random_state=np.random.default_rng(_SEED),
    )
    return float(test.pvalue)


def _absolute_total(values: Floats, axis: int) -> Any:
    return np.abs(values.sum(axis=axis))
