"""What stands for a class in a picture."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.class_shape import schematic_spike, typical_cells, typical_sweep
from neuroclass.cohort.demo import load_demo
from neuroclass.ephys.spikes import detect_spikes
from neuroclass.features import FEATURE_NAMES


def test_the_typical_cell_is_the_one_nearest_to_the_medians_whatever_its_outliers_and_its_place() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(9, len(FEATURE_NAMES))), columns=list(FEATURE_NAMES))
    frame.insert(0, "id", [f"cell {k}" for k in range(9)])
    frame.loc[5, list(FEATURE_NAMES)] = frame[list(FEATURE_NAMES)].median()
    frame.loc[5, "tau"] = 1e6
    frame.loc[3, list(FEATURE_NAMES)[:20]] = np.nan
    assert typical_cells(frame)[0] == "cell 5"
    assert typical_cells(frame.iloc[::-1])[0] == "cell 5"


def test_a_schematic_spike_runs_through_its_landmarks_in_the_time_that_its_slopes_take() -> None:
    marks = {
        "threshold": (-40.0, 15.0),
        "upstroke": (-10.0, 300.0),
        "peak": (30.0, 0.0),
        "downstroke": (0.0, -150.0),
        "fast trough": (-55.0, -1.5),
    }
    found = schematic_spike(marks)
    assert found is not None
    t, v = found
    assert (v[0], v.max(), v[-1]) == pytest.approx((-40.0, 30.0, -55.0))
    assert (np.diff(t) > 0).all()
    slope = np.diff(v) / np.diff(t)
    assert 295 < slope.max() <= 300 and -150 <= slope.min() < -147
    slower = schematic_spike({**marks, "downstroke": (0.0, -75.0), "fast trough": (-55.0, -0.75)})
    assert slower is not None and slower[0][-1] > t[-1]
    assert schematic_spike({name: marks[name] for name in list(marks)[:4]}) is None
    assert schematic_spike({**marks, "peak": (-20.0, 0.0)}) is None


def test_the_sweep_that_stands_for_a_class_does_not_end_in_block() -> None:
    cells = load_demo().frame
    vip = cells[cells["subclass"] == "Vip"]
    sweep = typical_sweep(vip)
    spikes = detect_spikes(sweep.v_mv, sweep.i_pa, sweep.rate_hz).indexes["peak"] / sweep.rate_hz
    driven = np.flatnonzero(sweep.i_pa > sweep.i_pa.max() / 2) / sweep.rate_hz
    assert spikes[-1] > driven[0] + 0.66 * (driven[-1] - driven[0])
