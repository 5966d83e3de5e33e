"""Each sweep with the stimuli and spikes found in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuroclass.ephys.activity import Activity, sweep_activity
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.recognition import recognition_line, spike_words
from neuroclass.ephys.spikes import Spikes
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.types.arrays import Integers

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
    activity : Activity
        All spikes of the sweep, inside and outside its epochs, and when it is at rest.
    """

    sweep: Sweep
    epochs: tuple[Epoch, ...]
    activity: Activity

    @property
    def spikes(self) -> Spikes:
        """All spikes of the sweep."""
        return self.activity.spikes

    @property
    def evoked_peaks(self) -> Integers:
        """Samples of the peaks of the spikes that are not at rest, shape (n_spikes,)."""
        return self.spikes.indexes["peak"][~self.activity.at_rest]

    @property
    def recognised(self) -> str:
        """What was recognised and why, in one line."""
        return recognition_line(self.sweep, self.epochs, self.activity)

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
        return f"sweep {self.sweep.number}{amplitude}, {spike_words(self.epochs, self.activity)}"

    def window(self) -> tuple[float, float]:
        """Start and end of the main stimulus' epochs with a margin around them, s."""
        if self.main is None:
            return 0.0, self.sweep.duration_s
        alike = [epoch for epoch in self.epochs if epoch.stimulus is self.main.stimulus]
        start, end = alike[0].start_s, alike[-1].end_s
        margin = max(0.05, min(0.3, 0.3 * (end - start)))
        return max(0.0, start - margin), min(self.sweep.duration_s, end + margin)


def summarise_sweeps(
    recording: Recording, epochs: Sequence[Epoch], activity: Mapping[int, Activity] | None = None
) -> tuple[SweepSummary, ...]:
    """Sort a recording's epochs by sweep, with what each whole sweep does; found anew where not given."""
    found = sweep_activity(recording, epochs) if activity is None else activity
    return tuple(
        SweepSummary(sweep, tuple(epoch for epoch in epochs if epoch.sweep_number == sweep.number), found[sweep.number])
        for sweep in recording.sweeps
    )
