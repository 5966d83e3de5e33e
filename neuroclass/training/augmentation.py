"""Augmentation: training cells as another laboratory records them, stimuli missing, conditions shifted.

A shift moves a cell along a fixed direction of the transformed features: one junction-potential offset
moves all voltages alike, cold recordings widen spikes and slow their slopes, and so on. In standardised
units the direction is divided by the scaler's scale.
"""

from dataclasses import dataclass

import numpy as np

from neuroclass.config import AugmentSettings
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from neuroclass.predictors.lab_shifts import DIRECTIONS
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Floats, Mask

STIMULI = (Stimulus.NOISE, Stimulus.LONG_SQUARE, Stimulus.RAMP, Stimulus.SHORT_SQUARE, Stimulus.NONE)


@dataclass(frozen=True)
class Shift:
    """One way in which laboratories differ.

    Attributes
    ----------
    name, unit : str
        What is shifted, and the unit of its size.
    direction : ndarray, shape (41,)
        Change of the transformed features for a size of 1.
    low, high : float
        Range of sizes in training.
    """

    name: str
    unit: str
    direction: Floats
    low: float
    high: float


def lab_shifts(settings: AugmentSettings) -> tuple[Shift, ...]:
    """The shifts and how far each goes.

    Parameters
    ----------
    settings : AugmentSettings
        Limits.

    Returns
    -------
    tuple of Shift
        Sizes are mV for voltages, and natural logarithms of a factor else.
    """
    offset, temperature = settings.offset_mv, settings.log_temperature
    return (
        Shift("voltage offset", "mV", DIRECTIONS["voltage offset"], -offset, offset),
        Shift("temperature", "ln", DIRECTIONS["temperature"], -0.3 * temperature, temperature),
        Shift("resistance", "ln", DIRECTIONS["resistance"], -settings.log_resistance, settings.log_resistance),
        Shift("rheobase step", "ln", DIRECTIONS["rheobase step"], 0.0, settings.log_step),
        Shift("spike height", "mV", DIRECTIONS["spike height"], -0.3 * settings.height_mv, settings.height_mv),
        Shift("bridge", "mV", DIRECTIONS["bridge"], -settings.bridge_mv, settings.bridge_mv),
    )


def shift_directions(preprocessor: Preprocessor, settings: AugmentSettings) -> tuple[Floats, Floats]:
    """Directions in standardised units, and the ranges of their sizes.

    Parameters
    ----------
    preprocessor : Preprocessor
        Whose scale is used.
    settings : AugmentSettings
        Limits.

    Returns
    -------
    directions : ndarray, shape (n_shifts, 41)
    ranges : ndarray, shape (n_shifts, 2)
    """
    shifts = lab_shifts(settings)
    directions = np.stack([shift.direction for shift in shifts]) / preprocessor.scale
    return directions, np.array([(shift.low, shift.high) for shift in shifts])


def random_masks(n_masks: int, settings: AugmentSettings, rng: np.random.Generator) -> Mask:
    """Random masks of missing features: whole stimuli, and further single features.

    Parameters
    ----------
    n_masks : int
        How many to draw.
    settings : AugmentSettings
        Shares of stimuli and features hidden.
    rng : Generator
        Source of chance.

    Returns
    -------
    ndarray of bool, shape (n_masks, 41)
        True where a feature is present; each mask keeps at least four features.
    """
    membership = np.array([[name in features_of(s) for name in FEATURE_NAMES] for s in STIMULI])
    masks = np.empty((n_masks, len(FEATURE_NAMES)), dtype=bool)
    for number in range(n_masks):
        kept = np.zeros(len(FEATURE_NAMES), dtype=bool)
        while kept.sum() < 4:
            stimuli = rng.random(len(STIMULI)) >= settings.stimulus_hidden
            kept = membership[stimuli].any(axis=0) if stimuli.any() else kept
            kept = kept & (rng.random(len(kept)) >= rng.choice((0.0, settings.feature_hidden)))
        masks[number] = kept
    return masks
