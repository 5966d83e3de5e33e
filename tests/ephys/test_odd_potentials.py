"""Whatever a channel holds instead of a cell's response, measuring it ends with features and reasons, not an error."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from neuroclass.classification.analysis import RecordingAnalysis, analyse
from neuroclass.ephys import fitted
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.features import FEATURE_NAMES
from tests.ephys import planted

RNG = np.random.default_rng(5)
RATE = 20_000.0


def clipped(sweep: Sweep) -> np.ndarray:
    return np.clip(sweep.v_mv, -68.0, -20.0)


# readers leave samples out that are not numbers
POTENTIALS: dict[str, Callable[[Sweep], np.ndarray]] = {
    "constant": lambda sweep: np.full_like(sweep.v_mv, -70.0),
    "zero": lambda sweep: np.zeros_like(sweep.v_mv),
    "coarse noise": lambda sweep: np.round(-70 + 0.3 * RNG.normal(size=sweep.v_mv.size)),
    "two levels": lambda sweep: np.where(np.arange(sweep.v_mv.size) % 2, -70.0, -71.0),
    "between extremes": lambda sweep: np.where(np.arange(sweep.v_mv.size) % 40 < 20, -90.0, 90.0),
    "drift": lambda sweep: np.linspace(-90.0, 20.0, sweep.v_mv.size),
    "a resistor": lambda sweep: -70.0 + 0.01 * sweep.i_pa,
    "upside down": lambda sweep: -sweep.v_mv,
    "volts": lambda sweep: 1e-3 * sweep.v_mv,
    "huge": lambda sweep: np.full_like(sweep.v_mv, 1e6),
    "clipped": clipped,
    "the current": lambda sweep: sweep.i_pa.copy(),
}


def changed(recording: Recording, potential: Callable[[Sweep], np.ndarray]) -> RecordingAnalysis:
    return analyse(replace(recording, sweeps=tuple(replace(one, v_mv=potential(one)) for one in recording.sweeps)))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", POTENTIALS)
def test_any_potential_is_measured_or_said_not_to_be(name: str) -> None:
    found = changed(planted.small(RATE), POTENTIALS[name])
    values, missing = found.features.values, found.features.missing
    assert {*values, *missing} == set(FEATURE_NAMES) and not values.keys() & missing.keys()
    assert np.isfinite(list(values.values())).all()
    assert all(missing.values()), "each that is missing says why"
    found.qc_json(), found.sweeps_json(), found.provenance()
    for draw in (fitted.tau_fits, fitted.sag_levels, fitted.rest_levels):
        draw(found.recording, found.features)


def test_where_the_potential_does_not_move_there_is_no_sag() -> None:
    found = changed(planted.small(RATE), POTENTIALS["constant"])
    assert found.features.missing["sag"] == "the square does not move the potential"
    assert found.features.missing["ri"] == "the potential does not follow the current"
