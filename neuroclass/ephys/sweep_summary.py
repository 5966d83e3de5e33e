"""Each sweep with the stimuli and spikes found in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.spikes import Spikes, detect_spikes
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.types.arrays import Floats

OTHER = "other"


@dataclass(frozen=True, eq=False)
class SweepSummary:
    """A sweep with its epochs and spikes.

    Attributes
    ----------
    sweep : Sweep
        The samples.
    epochs : tuple of Epoch
        Its stimuli, in order of time.
    spikes : Spikes
        All spikes of the sweep, inside and outside its epochs.
    """

    sweep: Sweep
    epochs: tuple[Epoch, ...]
    spikes: Spikes

    @property
    def main(self) -> Epoch | None:
        """The first epoch with a stimulus; else the first."""
        known = [epoch for epoch in self.epochs if epoch.stimulus is not None]
        return next(iter([*known, *self.epochs]), None)

    @property
    def stimulus(self) -> str:
        """Name of the main epoch's stimulus."""
        return self.main.stimulus.value if self.main and self.main.stimulus else OTHER

    @property
    def title(self) -> str:
        """Number, amplitude and spikes, for people."""
        amplitude = f", {self.main.amplitude_pa:+.0f} pA" if self.main else ""
        n_spikes = len(self.spikes)
        return f"sweep {self.sweep.number}{amplitude}, {n_spikes} spike{'' if n_spikes == 1 else 's'}"

    def window(self) -> tuple[float, float]:
        """Start and end of the main stimulus' epochs with a margin around them, s."""
        if self.main is None:
            return 0.0, self.sweep.duration_s
        alike = [epoch for epoch in self.epochs if epoch.stimulus is self.main.stimulus]
        start, end = alike[0].start_s, alike[-1].end_s
        margin = max(0.05, min(0.3, 0.3 * (end - start)))
        return max(0.0, start - margin), min(self.sweep.duration_s, end + margin)


def summarise_sweeps(recording: Recording, epochs: Sequence[Epoch]) -> tuple[SweepSummary, ...]:
    """Sort a recording's epochs by sweep and find the spikes of each whole sweep."""
    return tuple(
        SweepSummary(
            sweep,
            tuple(epoch for epoch in epochs if epoch.sweep_number == sweep.number),
            detect_spikes(without_gaps(sweep.v_mv), sweep.i_pa, sweep.rate_hz),
        )
        for sweep in recording.sweeps
    )


def without_gaps(v_mv: Floats) -> Floats:
    """A potential, shape (n_times,), mV, with missing samples interpolated."""
    known = np.flatnonzero(~np.isnan(v_mv))
    if known.size == v_mv.size:
        return v_mv
    return np.interp(np.arange(v_mv.size), known, v_mv[known]) if known.size else np.zeros(v_mv.size)
