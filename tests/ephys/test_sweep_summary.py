"""Sweeps with the stimuli and spikes found in them."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.ephys.activity import without_gaps
from neuroclass.ephys.cell_features import recording_epochs
from neuroclass.ephys.sweep_summary import OTHER, summarise_sweeps
from neuroclass.features import Stimulus
from tests.ephys import planted


@pytest.fixture(scope="module")
def recording():
    whole = planted.small(20_000.0)
    return replace(whole, sweeps=whole.sweeps[:6])


def test_every_sweep_has_its_own_epochs_and_says_what_they_are(recording):
    epochs = recording_epochs(recording)
    summaries = summarise_sweeps(recording, epochs)
    assert [one.sweep.number for one in summaries] == [sweep.number for sweep in recording.sweeps]
    assert [epoch for one in summaries for epoch in one.epochs] == list(epochs)
    one = next(s for s in summaries if s.stimulus == Stimulus.LONG_SQUARE)
    assert f"sweep {one.sweep.number}, {one.main.amplitude_pa:+.0f} pA" in one.title
    low, high = one.window()
    assert low < one.main.start_s < one.main.end_s < high


def test_a_corrected_stimulus_is_the_sweeps_stimulus(recording):
    epoch = next(e for e in recording_epochs(recording) if e.stimulus is Stimulus.LONG_SQUARE)
    corrected = recording_epochs(recording, assignments={(epoch.sweep_number, epoch.index): None})
    found = {one.sweep.number: one.stimulus for one in summarise_sweeps(recording, corrected)}
    assert found[epoch.sweep_number] == OTHER


def test_gaps_are_interpolated_and_carried_to_the_ends():
    v = np.array([np.nan, 1.0, np.nan, 3.0, np.nan])
    assert without_gaps(v).tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert without_gaps(np.full(3, np.nan)).tolist() == [0.0, 0.0, 0.0]
    whole = np.array([1.0, 2.0])
    assert without_gaps(whole) is whole
