"""A cell drawn from its features passes through them."""

import numpy as np
import pytest

from neuroclass.cohort.demo import load_demo
from neuroclass.cohort.schematic import square_responses
from neuroclass.features import FEATURE_NAMES

LANDMARKS = {
    "threshold": (-42.0, 15.0),
    "upstroke": (-10.0, 300.0),
    "peak": (30.0, 0.0),
    "downstroke": (0.0, -150.0),
    "fast trough": (-55.0, -1.5),
}
CELL = {
    "vrest": -70.0,
    "tau": 12.0,
    "sag": 0.2,
    "vm_for_sag": -100.0,
    "latency": 0.045,
    "threshold_v_long_square": -38.0,
    "peak_v_long_square": 36.0,
    "fast_trough_v_long_square": -60.0,
}


def test_the_responses_have_the_cells_levels_and_times():
    (t, down), (t_up, up) = square_responses(CELL, LANDMARKS)
    assert down[0] == pytest.approx(-70.0) and down.min() == pytest.approx(-100.0, abs=1.0)
    steady = -100.0 + 0.2 * 30.0
    assert down[-1] == pytest.approx(steady, abs=0.5)
    assert np.interp(CELL["tau"], t, down) == pytest.approx(-70.0 - 30.0 * (1 - np.exp(-1)), abs=0.5)
    assert up[0] == pytest.approx(-70.0) and up.max() == pytest.approx(36.0) and up[-1] == pytest.approx(-60.0)
    assert np.interp(45.0, t_up, up) == pytest.approx(-38.0)
    assert (np.diff(t_up) > 0).all()


@pytest.mark.parametrize(
    ("lacks", "n_drawn"),
    [("sag", 1), ("vm_for_sag", 1), ("latency", 1), ("peak_v_long_square", 1), ("tau", 0), ("vrest", 0)],
)
def test_what_is_not_known_is_not_drawn(lacks, n_drawn):
    assert len(square_responses({**CELL, lacks: np.nan}, LANDMARKS)) == n_drawn
    assert len(square_responses({k: v for k, v in CELL.items() if k != lacks}, LANDMARKS)) == n_drawn


def test_numbers_that_no_cell_has_draw_nothing():
    assert square_responses({**CELL, "tau": 0.0}, LANDMARKS) == []
    assert len(square_responses({**CELL, "vm_for_sag": -60.0}, LANDMARKS)) == 1
    assert len(square_responses({**CELL, "threshold_v_long_square": -75.0}, LANDMARKS)) == 1
    assert len(square_responses(CELL, {})) == 1


def test_every_cell_of_the_cohort_can_be_drawn_or_left_out():
    for _, row in load_demo().frame[list(FEATURE_NAMES)].astype(float).iloc[::20].iterrows():
        for t, v in square_responses(dict(row), LANDMARKS):
            assert np.isfinite(t).all() and np.isfinite(v).all()
