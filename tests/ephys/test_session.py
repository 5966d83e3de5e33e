"""The session's table finds a planted drift and leaves out what has no stretch before its stimulus."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from neuroclass.ephys.cell_features import recording_epochs
from neuroclass.ephys.session import RESISTANCE, TIME, drift_mv, session_table
from neuroclass.ephys.sweep_summary import summarise_sweeps
from neuroclass.features import Stimulus
from tests.ephys import planted

RATE_HZ = 10_000.0


def _summary(
    number: int, rest_mv: float, start_s: float = 0.2, known: bool = True, began_s: float | None = None
) -> Any:
    v = np.full(10_000, rest_mv)
    v[int(start_s * RATE_HZ) :] = 30.0
    sweep = SimpleNamespace(
        number=number, v_mv=v, i_pa=np.full(10_000, -12.0), rate_hz=RATE_HZ, current_known=known, began_s=began_s
    )
    epoch = SimpleNamespace(start_s=start_s, stimulus=Stimulus.RAMP)
    return SimpleNamespace(sweep=sweep, epochs=(epoch,), stimulus="ramp")


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


def test_times_are_counted_from_the_first_sweep_and_only_if_the_file_tells_all_apart() -> None:
    timed = session_table([_summary(k, -70.0, began_s=600.0 + 30.0 * k) for k in (1, 2, 4)])
    assert timed[TIME].tolist() == [0.0, 0.5, 1.5]
    for began in ((0.0, 0.0, 0.0), (0.0, 1.0, None), (None, None, None)):
        table = session_table([_summary(k, -70.0, began_s=one) for k, one in enumerate(began)])
        assert table[TIME].isna().all()


@pytest.mark.parametrize("left_mohm", [0.0, 12.0])
def test_what_the_bridge_leaves_is_found_in_each_sweep_with_a_square(left_mohm: float) -> None:
    whole = planted.small(20_000.0)
    sweeps = tuple(replace(one, v_mv=one.v_mv + left_mohm * one.i_pa * 1e-3) for one in whole.sweeps)
    recording = replace(whole, sweeps=sweeps)
    plain = session_table(summarise_sweeps(whole, recording_epochs(whole)))
    table = session_table(summarise_sweeps(recording, recording_epochs(recording)))
    assert plain[RESISTANCE].notna().sum() >= 3
    both = (table[RESISTANCE] - plain[RESISTANCE]).dropna()
    assert len(both) >= 3 and both.to_numpy() == pytest.approx(left_mohm, abs=0.5)
