"""What a whole sweep does: its spikes, inside and outside its stimuli, and when it is at rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.settings import SpikeSettings
from neuroclass.ephys.spikes import Spikes, detect_spikes
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.features import Stimulus
from neuroclass.types.arrays import Floats, Mask

LATEST_S = 0.05  # after a short square's end, by which a spike that it evokes has begun
SETTLING_S = 0.25  # after a stimulus, in which rebound spikes and afterdischarges belong to it


@dataclass(frozen=True, eq=False)
class Activity:
    """The spikes of one sweep, counted once for everything that shows or uses them.

    Attributes
    ----------
    spikes : Spikes
        All spikes of the sweep.
    rest : tuple of (float, float)
        Start and end of each stretch at the holding current, s, from 0.25 s after a stimulus.
    """

    spikes: Spikes
    rest: tuple[tuple[float, float], ...]

    @property
    def rest_s(self) -> float:
        """Time at rest, s."""
        return sum(end - start for start, end in self.rest)

    @property
    def at_rest(self) -> Mask:
        """Which of the spikes fall within a stretch at rest, shape (n_spikes,)."""
        return self.rests(self.spikes.time_s("upstroke"))

    def rests(self, times_s: Floats) -> Mask:
        """Which times, s, fall within a stretch at rest, shape of `times_s`."""
        inside = np.zeros(times_s.shape, dtype=bool)
        for start, end in self.rest:
            inside |= (times_s >= start) & (times_s < end)
        return inside

    def within(self, epoch: Epoch) -> Mask:
        """Which of the spikes an epoch evokes, shape (n_spikes,): those in it, or up to 50 ms after a short square."""
        times = self.spikes.time_s("upstroke")
        end_s = epoch.end_s
        if epoch.stimulus is Stimulus.SHORT_SQUARE:
            end_s = max(end_s, min(end_s + LATEST_S, epoch.response_end_s))
        return np.asarray((times >= epoch.start_s) & (times < end_s))


def find_activity(sweep: Sweep, epochs: Sequence[Epoch], settings: SpikeSettings = SpikeSettings()) -> Activity:
    """Find the spikes of a whole sweep.

    Parameters
    ----------
    sweep : Sweep
        The sweep.
    epochs : sequence of Epoch
        Its stimuli, in order of time.
    settings : SpikeSettings
        Rules for finding spikes.

    Returns
    -------
    Activity
    """
    spikes = detect_spikes(
        without_gaps(sweep.v_mv), sweep.i_pa, sweep.rate_hz, settings=settings, edges_s=square_edges(epochs)
    )
    return Activity(spikes, _rest(sweep, epochs))


def sweep_activity(
    recording: Recording, epochs: Sequence[Epoch], settings: SpikeSettings = SpikeSettings()
) -> dict[int, Activity]:
    """What each sweep of a recording does, by the sweep's number."""
    own: dict[int, list[Epoch]] = {sweep.number: [] for sweep in recording.sweeps}
    for epoch in epochs:
        own[epoch.sweep_number].append(epoch)
    return {sweep.number: find_activity(sweep, own[sweep.number], settings) for sweep in recording.sweeps}


def square_edges(epochs: Sequence[Epoch]) -> tuple[float, ...]:
    """Times at which the current steps, s."""
    return tuple(time for e in epochs if e.kind == "square" for time in (e.start_s, e.end_s))


def _rest(sweep: Sweep, epochs: Sequence[Epoch]) -> tuple[tuple[float, float], ...]:
    if not sweep.current_known:
        return ()
    starts = [0.0, *(epoch.end_s + SETTLING_S for epoch in epochs)]
    ends = [*(epoch.start_s for epoch in epochs), sweep.duration_s]
    return tuple((a, b) for a, b in zip(starts, ends, strict=True) if b > a)


def without_gaps(v_mv: Floats) -> Floats:
    """A potential, shape (n_times,), mV, with missing samples interpolated."""
    known = np.flatnonzero(~np.isnan(v_mv))
    if known.size == v_mv.size:
        return v_mv
    return np.interp(np.arange(v_mv.size), known, v_mv[known]) if known.size else np.zeros(v_mv.size)
