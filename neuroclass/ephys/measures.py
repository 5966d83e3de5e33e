"""Responses to stimuli, and the features of noise and ramps: values with provenance, or why they are missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from neuroclass.ephys.activity import Activity, square_edges
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.settings import SpikeSettings
from neuroclass.ephys.spikes import Spikes, detect_spikes
from neuroclass.ephys.subthreshold import baseline
from neuroclass.ephys.sweep import Sweep
from neuroclass.features import Stimulus, features_of
from neuroclass.types.arrays import Floats

CUT_OFF = "the spike is cut off by the end of the stimulus"
ONSET_S = 0.002  # around an epoch's start, in which a window from that start can miss a spike


@dataclass(frozen=True)
class Provenance:
    """Where a feature value was measured.

    Attributes
    ----------
    sweeps : tuple of int
        Numbers of the sweeps it was measured on.
    spike : int or None
        Index of the spike after stimulus onset, from 0; None for no spike or a mean over all.
    sample : int or None
        The sample, if it is a single one.
    time_s : float or None
        That sample's time from the sweep's start, s.
    note : str
        Details of how it was measured.
    holding_pa : tuple of float or None
        Lowest and highest holding current of those sweeps, pA, for a value that is a current.
    absolute_pa : float or None
        That current with the holding current, pA.
    """

    sweeps: tuple[int, ...] = ()
    spike: int | None = None
    sample: int | None = None
    time_s: float | None = None
    note: str = ""
    holding_pa: tuple[float, float] | None = None
    absolute_pa: float | None = None


@dataclass
class Measured:
    """Features measured so far."""

    values: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, Provenance] = field(default_factory=dict)

    def put(self, name: str, value: float, provenance: Provenance, otherwise: str) -> None:
        """Store a finite value, or otherwise the reason it is missing."""
        if np.isfinite(value):
            self.values[name] = float(value)
            self.provenance[name] = provenance
        else:
            self.missing[name] = otherwise

    def lack(self, names: Sequence[str], reason: str) -> None:
        """Record why features are missing."""
        for name in names:
            self.missing[name] = reason


@dataclass(frozen=True, eq=False)
class Response:
    """One epoch with its sweep and spikes, and what the whole sweep does."""

    sweep: Sweep
    epoch: Epoch
    spikes: Spikes
    activity: Activity

    @property
    def place(self) -> tuple[int, int]:
        """Sweep number and epoch index."""
        return self.epoch.sweep_number, self.epoch.index

    @property
    def first_spike(self) -> int:
        """Index of the first spike that rises after the epoch's start; the number of spikes if there is none."""
        times = self.spikes.time_s("upstroke")
        return int(np.searchsorted(times, self.epoch.start_s - 0.5 / self.sweep.rate_hz))

    @property
    def n_spikes(self) -> int:
        """Number of spikes from the epoch's start on."""
        return len(self.spikes) - self.first_spike

    @property
    def rest_mv(self) -> float:
        """Mean potential, mV, between the spikes of the 100 ms before the epoch, or of the part of them at rest."""
        return rest_before(self.sweep, self.epoch, self.activity)


def rest_before(sweep: Sweep, epoch: Epoch, activity: Activity) -> float:
    """See `Response.rest_mv`."""
    times = activity.spikes.time_s("threshold")
    return baseline(sweep.v_mv, sweep.rate_hz, epoch.start_s, epoch.baseline_s, times)


def respond(sweep: Sweep, epoch: Epoch, settings: SpikeSettings, activity: Activity) -> Response:
    """Find the spikes of an epoch: from its start to its end, or in the whole sweep for noise.

    A spike that rises so soon that a window from the epoch's start misses it is found from shortly before.
    """
    current = sweep.i_pa - epoch.holding_pa if epoch.holding_pa else sweep.i_pa
    edges = square_edges([epoch])

    def found(start_s: float | None, end_s: float | None) -> Response:
        spikes = detect_spikes(sweep.v_mv, current, sweep.rate_hz, start_s, end_s, settings, edges)
        return Response(sweep, epoch, spikes, activity)

    if epoch.stimulus is Stimulus.NOISE:
        return found(None, None)
    end_s = last_time(sweep, epoch.end_s)
    response = found(epoch.start_s, end_s)
    rises = activity.spikes.time_s("upstroke")
    soon = activity.spikes.indexes["peak"][(rises >= epoch.start_s) & (rises < epoch.start_s + ONSET_S)]
    if np.isin(soon, response.spikes.indexes["peak"]).all():
        return response
    return found(max(0.0, epoch.start_s - ONSET_S), end_s)


def last_time(sweep: Sweep, end_s: float) -> float | None:
    """The end of a window, s; None where it is the sweep's."""
    return end_s if end_s < (sweep.n_times - 1) / sweep.rate_hz else None


def noise_features(responses: Sequence[Response], min_spikes: int) -> Measured:
    """Mean over the spikes of the first noise sweep with more than `min_spikes` spikes, those at rest left out."""
    out = Measured()
    names = features_of(Stimulus.NOISE)
    if not responses:
        out.lack(names, "no noise in the file")
        return out
    evoked = [~r.activity.rests(r.spikes.time_s("upstroke")) for r in responses]
    chosen, mine = next(((r, e) for r, e in zip(responses, evoked, strict=True) if e.sum() > min_spikes), (None, None))
    if chosen is None or mine is None:
        most = max(int(e.sum()) for e in evoked)
        out.lack(names, f"no noise sweep has more than {min_spikes} spikes; the most is {most}")
        return out
    whole = ~chosen.spikes.clipped & mine
    for name in names:
        values = chosen.spikes.values(name)
        affected = name in ("width", "upstroke_downstroke_ratio") or name.startswith(("trough", "fast", "down"))
        kept = values[whole] if affected else values[mine]
        kept = kept[np.isfinite(kept)]
        place = Provenance((chosen.sweep.number,), note=f"mean over {kept.size} spikes")
        out.put(name, float(kept.mean()) if kept.size else np.nan, place, CUT_OFF)
    return out


def ramp_features(responses: Sequence[Response]) -> Measured:
    """Mean first spike over spiking ramps."""
    out = Measured()
    names = features_of(Stimulus.RAMP)
    if not responses:
        out.lack(names, "no ramp in the file")
        return out
    spiking = [r for r in responses if r.n_spikes]
    if not spiking:
        out.lack(names, "no spike in any ramp")
        return out
    for name in names:
        first_spikes(out, name, spiking)
    return out


def first_spikes(out: Measured, name: str, responses: Sequence[Response], otherwise: str = CUT_OFF) -> None:
    """Mean of a feature over each response's first spike."""
    stimulus = responses[0].epoch.stimulus
    quantity = name.removesuffix(f"_{stimulus.value}") if stimulus else name
    values: Floats = np.array([first_value(r, quantity) for r in responses])
    known = np.isfinite(values)
    used = [r for r, k in zip(responses, known, strict=True) if k]
    place: Provenance
    if len(used) == 1:
        place = spike_place(used[0], quantity)
    else:
        place = Provenance(
            tuple(r.sweep.number for r in used), 0, note=f"mean over the first spikes of {len(used)} sweeps"
        )
    out.put(name, float(values[known].mean()) if used else np.nan, place, otherwise)


def first_value(response: Response, quantity: str) -> float:
    """A quantity at a response's first spike; a current recorded with noise is taken free of it.

    Then it is the level of a square, and on a ramp the mean of 10 ms about the sample.
    """
    k, sweep = response.first_spike, response.sweep
    point = response.spikes.point_of(quantity)
    if not (sweep.recorded_current and quantity == f"{point}_i"):
        return float(response.spikes.values(quantity)[k])
    if response.epoch.kind == "square":
        return response.epoch.amplitude_pa
    sample, half = int(response.spikes.indexes[point][k]), round(0.005 * sweep.rate_hz)
    if sample < 0:
        return float("nan")
    return float(sweep.i_pa[max(0, sample - half) : sample + half + 1].mean()) - response.epoch.holding_pa


def spike_place(response: Response, quantity: str) -> Provenance:
    """Where a quantity of a response's first spike is measured."""
    k = response.first_spike
    point = response.spikes.point_of(quantity)
    index = int(response.spikes.indexes[point][k])
    smoothed = response.sweep.recorded_current and quantity == f"{point}_i"
    note = "free of the recorded current's noise" if smoothed else ""
    if index < 0:
        return Provenance((response.sweep.number,), 0, note=note)
    return Provenance((response.sweep.number,), 0, index, index / response.sweep.rate_hz, note)
