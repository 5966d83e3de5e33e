"""How a recording changes from sweep to sweep: the potential and the current before each stimulus."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neuroclass.ephys.sweep_summary import SweepSummary

LEAST_S = 0.01
"""Shortest stretch before a stimulus that is measured, s."""


def session_table(summaries: Sequence[SweepSummary]) -> pd.DataFrame:
    """Potential and current before the first stimulus of each sweep.

    Parameters
    ----------
    summaries : sequence of SweepSummary
        The sweeps of a recording.

    Returns
    -------
    DataFrame
        Columns sweep (number in the file), stimulus, rest (mV), holding (pA); sweeps without a stretch of 10 ms before
        their stimulus are left out. Ordered by number.
    """
    rows = []
    for one in summaries:
        first = min((epoch.start_s for epoch in one.epochs), default=0.0)
        samples = int(first * one.sweep.rate_hz)
        if first < LEAST_S or not samples or not np.isfinite(one.sweep.v_mv[:samples]).any():
            continue
        current = float(np.nanmedian(one.sweep.i_pa[:samples])) if one.sweep.current_known else np.nan
        rows.append((one.sweep.number, one.stimulus, float(np.nanmedian(one.sweep.v_mv[:samples])), current))
    table = pd.DataFrame(rows, columns=["sweep", "stimulus", "rest (mV)", "holding (pA)"])
    return table.sort_values("sweep", ignore_index=True)


def drift_mv(table: pd.DataFrame) -> float:
    """Change of the potential at rest from the first to the last sweep by a line through all, mV.

    Parameters
    ----------
    table : DataFrame
        From `session_table`, two rows or more.

    Returns
    -------
    float
    """
    number = table["sweep"].to_numpy(dtype=np.float64)
    if np.ptp(number) == 0:
        return 0.0
    slope = np.polyfit(number - number[0], table["rest (mV)"].to_numpy(dtype=np.float64), 1)[0]
    return float(slope * np.ptp(number))
