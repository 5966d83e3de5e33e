"""How a recording changes from sweep to sweep: rest, holding current and what the bridge leaves of the access."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neuroclass.ephys.quality import onset_step
from neuroclass.ephys.sweep_summary import SweepSummary
from neuroclass.features import Stimulus

RESISTANCE, TIME = "series resistance (MΩ)", "time (min)"
LEAST_S = 0.01
"""Shortest stretch before a stimulus that is measured, s."""


def session_table(summaries: Sequence[SweepSummary]) -> pd.DataFrame:
    """Potential and current before the first stimulus of each sweep, and the resistance left by the bridge.

    Parameters
    ----------
    summaries : sequence of SweepSummary
        The sweeps of a recording.

    Returns
    -------
    DataFrame
        Columns sweep (number in the file), stimulus, rest (mV), holding (pA), series resistance (MΩ) by the jump at
        the onset of squares, time (min) since the first of the sweeps by the file's clock; NaN where unknown. Sweeps
        without a stretch of 10 ms before their stimulus are left out. Ordered by number.
    """
    rows: list[tuple[int, str, float, float, float, float]] = []
    for one in summaries:
        first = min((epoch.start_s for epoch in one.epochs), default=0.0)
        samples = int(first * one.sweep.rate_hz)
        if first < LEAST_S or not samples or not np.isfinite(one.sweep.v_mv[:samples]).any():
            continue
        current = float(np.nanmedian(one.sweep.i_pa[:samples])) if one.sweep.current_known else np.nan
        rest, began = float(np.nanmedian(one.sweep.v_mv[:samples])), one.sweep.began_s
        minutes = np.nan if began is None else began / 60
        rows.append((one.sweep.number, one.stimulus, rest, current, _left_mohm(one), minutes))
    columns = ["sweep", "stimulus", "rest (mV)", "holding (pA)", RESISTANCE, TIME]
    table = pd.DataFrame(rows, columns=columns).sort_values("sweep", ignore_index=True)
    return table.assign(**{TIME: _since_first(table[TIME])})


def _left_mohm(one: SweepSummary) -> float:
    """Median over a sweep's squares of the resistance that the bridge leaves, MΩ; NaN without one."""
    if not one.sweep.current_known:
        return np.nan
    squares = [e for e in one.epochs if e.stimulus in (Stimulus.LONG_SQUARE, Stimulus.SHORT_SQUARE)]
    found = [step for e in squares if (step := onset_step(one.sweep, e, one.activity)) is not None]
    return float(np.median(found)) if found else np.nan


def _since_first(minutes: "pd.Series[float]") -> "pd.Series[float]":
    """Times from the first on; unknown where the file gives some sweeps no time, or all the same."""
    told = minutes.notna().all() and minutes.nunique() == len(minutes)
    return minutes - minutes.min() if told else minutes * np.nan


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
