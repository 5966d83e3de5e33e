"""The session's table finds a planted drift and leaves out what has no stretch before its stimulus."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from neuroclass.ephys.session import drift_mv, session_table

RATE_HZ = 10_000.0


def _summary(number: int, rest_mv: float, start_s: float = 0.2, known: bool = True) -> Any:
    v = np.full(10_000, rest_mv)
    v[int(start_s * RATE_HZ) :] = 30.0
    sweep = SimpleNamespace(number=number, v_mv=v, i_pa=np.full(10_000, -12.0), rate_hz=RATE_HZ, current_known=known)
    return SimpleNamespace(sweep=sweep, epochs=(SimpleNamespace(start_s=start_s),), stimulus="ramp")


def test_a_planted_drift_is_found_whatever_the_order() -> None:
    sweeps = [_summary(number, -70.0 + 0.5 * number) for number in (8, 2, 5)]
    table = session_table(sweeps)
    assert table["sweep"].tolist() == [2, 5, 8]
    assert table["rest (mV)"].tolist() == [-69.0, -67.5, -66.0]
    assert table["holding (pA)"].tolist() == [-12.0] * 3
    assert drift_mv(table) == pytest.approx(3.0)


def test_a_sweep_without_rest_is_left_out_and_an_unknown_current_is_missing() -> None:
    table = session_table([_summary(1, -70.0, start_s=0.0), _summary(2, -70.0, known=False), _summary(3, -70.0)])
    assert table["sweep"].tolist() == [2, 3]
    assert np.isnan(table["holding (pA)"].iloc[0])
    assert drift_mv(table) == pytest.approx(0.0)
