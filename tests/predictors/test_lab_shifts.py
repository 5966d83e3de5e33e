"""How laboratories differ: what moves, which way, and by how much."""

import numpy as np

from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.predictors.lab_shifts import DIRECTIONS, LAB_SHIFTS, lab_covariance, standardised_shifts
from neuroclass.predictors.preprocess import transform
from tests import shipped


def moved(name: str, size: float) -> dict[str, float]:
    """Change of each feature that moves, in transformed units."""
    return {feature: size * w for feature, w in zip(FEATURE_NAMES, DIRECTIONS[name], strict=True) if w}


def test_an_offset_moves_every_potential_alike_and_nothing_else():
    assert moved("voltage offset", 8.0) == {spec.name: 8.0 for spec in FEATURES if spec.unit == "mV"}


def test_cold_widens_spikes_and_slows_slopes():
    cold = moved("temperature", 1.0)
    assert all(cold[name] > 0 for name in FEATURE_NAMES if name.startswith(("width", "tau")))
    slopes = {spec.name for spec in FEATURES if spec.unit == "mV/ms"}
    assert slopes and all(cold[name] < 0 for name in slopes)
    assert not any("ratio" in name or name.endswith("_v") for name in cold)


def test_a_higher_resistance_needs_less_current():
    change = moved("resistance", 1.0)
    assert change["ri"] == 1.0
    assert all(change[spec.name] == -1.0 for spec in FEATURES if spec.unit == "pA")


def test_the_covariance_is_that_of_random_laboratories(rng):
    preprocessor = shipped.base()[0].preprocessor
    offsets = rng.standard_normal((50_000, len(LAB_SHIFTS))) @ standardised_shifts(preprocessor)
    expected = lab_covariance(preprocessor)
    np.testing.assert_allclose(np.cov(offsets.T), expected, atol=0.03 * np.diag(expected).max())
    assert np.linalg.matrix_rank(expected) == len(LAB_SHIFTS)


def test_a_standard_offset_in_stored_units_is_8_mv():
    preprocessor = shipped.base()[0].preprocessor
    z = shipped.drawn("mouse")[0][:20]
    x = shipped.in_stored_units(z)
    potentials = np.array([spec.unit == "mV" for spec in FEATURES])
    shifted = (transform(x + 8.0 * potentials) - preprocessor.mean) / preprocessor.scale
    np.testing.assert_allclose(shifted - z, np.tile(standardised_shifts(preprocessor)[0], (20, 1)), atol=1e-9)
