"""Features of noise, ramps and short squares: values with provenance, or the reason they are missing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.settings import SpikeSettings
from neuroclass.ephys.spikes import Spikes, detect_spikes, filtered_derivative
from neuroclass.ephys.sweep import Sweep
from neuroclass.features import Stimulus, features_of
from neuroclass.types.arrays import Floats

SHORT_SHARE = 0.1  # minimum share of the mean upstroke at a short square's threshold
CUT_OFF = "the spike is cut off by the end of the stimulus"


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
    """

    sweeps: tuple[int, ...] = ()
    spike: int | None = None
    sample: int | None = None
    time_s: float | None = None
    note: str = ""


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
    """One epoch with its sweep and spikes."""

    sweep: Sweep
    epoch: Epoch
    spikes: Spikes

    @property
    def first_spike(self) -> int:
        """Index of the first spike at or after the epoch's start; the number of spikes if there is none."""
        times = self.spikes.time_s("threshold")
        return int(np.searchsorted(times, self.epoch.start_s - 0.5 / self.sweep.rate_hz))

    @property
    def n_spikes(self) -> int:
        """Number of spikes from the epoch's start on."""
        return len(self.spikes) - self.first_spike


def respond(sweep: Sweep, epoch: Epoch, settings: SpikeSettings) -> Response:
    """Find the spikes of an epoch: from its start to its end, or in the whole sweep for noise."""
    current = sweep.i_pa - epoch.holding_pa if epoch.holding_pa else sweep.i_pa
    whole = epoch.stimulus is Stimulus.NOISE
    start_s, end_s = (None, None) if whole else (epoch.start_s, _last(sweep, epoch.end_s))
    return Response(sweep, epoch, detect_spikes(sweep.v_mv, current, sweep.rate_hz, start_s, end_s, settings))


def _last(sweep: Sweep, end_s: float) -> float | None:
    return end_s if end_s < (sweep.n_times - 1) / sweep.rate_hz else None


def noise_features(responses: Sequence[Response], min_spikes: int) -> Measured:
    """Mean over the spikes of the first noise sweep with more than `min_spikes` spikes."""
    out = Measured()
    names = features_of(Stimulus.NOISE)
    if not responses:
        out.lack(names, "no noise in the file")
        return out
    chosen = next((r for r in responses if len(r.spikes) > min_spikes), None)
    if chosen is None:
        most = max(len(r.spikes) for r in responses)
        out.lack(names, f"no noise sweep has more than {min_spikes} spikes; the most is {most}")
        return out
    whole = ~chosen.spikes.clipped
    for name in names:
        values = chosen.spikes.values(name)
        affected = name in ("width", "upstroke_downstroke_ratio") or name.startswith(("trough", "fast", "down"))
        kept = values[whole] if affected else values
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
        _first_spikes(out, name, spiking)
    return out


def short_square_features(responses: Sequence[Response], settings: SpikeSettings) -> Measured:
    """Mean first spike over the short squares at the most common spiking amplitude."""
    out = Measured()
    names = features_of(Stimulus.SHORT_SQUARE)
    if not responses:
        out.lack(names, "no short square in the file")
        return out
    spiking = [r for r in _adjusted(responses, settings) if r.n_spikes]
    if not spiking:
        out.lack(names, "no spike in any short square")
        return out
    counts = Counter(_amplitude_key(r) for r in spiking)
    commonest = min(counts, key=lambda amplitude: (-counts[amplitude], amplitude))
    chosen = [r for r in spiking if _amplitude_key(r) == commonest]
    for name in names:
        if name == "threshold_i_short_square":
            amplitude = float(np.mean([r.epoch.amplitude_pa for r in chosen]))
            numbers = tuple(r.sweep.number for r in chosen)
            out.put(name, amplitude, Provenance(numbers, note="amplitude of the square"), "")
        else:
            _first_spikes(out, name, chosen)
    return out


def _amplitude_key(response: Response) -> float:
    """Amplitude, pA, rounded so that repeats of a square share a key."""
    amplitude = response.epoch.amplitude_pa
    return float(round(amplitude / 10) * 10) if response.sweep.recorded_current else float(round(amplitude, 1))


def _adjusted(responses: Sequence[Response], settings: SpikeSettings) -> list[Response]:
    """Detect spikes with rules adjusted to how fast the square itself moves the potential."""
    highest, after, slopes = [], [], []
    for r in responses:
        dv = filtered_derivative(r.sweep.v_mv, r.sweep.rate_hz, settings)
        begin = round(r.epoch.start_s * r.sweep.rate_hz)
        stop = min(dv.size - 1, begin + max(1, round(1e-3 * r.sweep.rate_hz)))
        highest.append(float(dv[begin:stop].max()) if stop > begin else settings.dv_cutoff)
        after.append(float(dv[stop]))
    cutoff = 1.1 * float(np.median(highest))
    if cutoff <= 0:
        cutoff = settings.dv_cutoff
    first = replace(settings, dv_cutoff=cutoff)
    for r in responses:
        slopes.extend(_pulse_spikes(r, first).slope["upstroke"].tolist())
    share = 1.2 * float(np.median(after)) / float(np.mean(slopes)) if slopes else SHORT_SHARE
    rules = replace(first, threshold_share=min(0.99, max(share, SHORT_SHARE)))
    return [replace(r, spikes=_pulse_spikes(r, rules)) for r in responses]


def _pulse_spikes(response: Response, settings: SpikeSettings) -> Spikes:
    """Spikes from the rest before a short square to the end of the response."""
    sweep, epoch = response.sweep, response.epoch
    start = max(0.0, epoch.start_s - epoch.baseline_s)
    return detect_spikes(
        sweep.v_mv, sweep.i_pa - epoch.holding_pa, sweep.rate_hz, start, _last(sweep, epoch.response_end_s), settings
    )


def _first_spikes(out: Measured, name: str, responses: Sequence[Response]) -> None:
    """Mean of a feature over each response's first spike."""
    stimulus = responses[0].epoch.stimulus
    quantity = name.removesuffix(f"_{stimulus.value}") if stimulus else name
    values: Floats = np.array([r.spikes.values(quantity)[r.first_spike] for r in responses])
    known = np.isfinite(values)
    used = [r for r, k in zip(responses, known, strict=True) if k]
    place: Provenance
    if len(used) == 1:
        place = spike_place(used[0], quantity)
    else:
        place = Provenance(
            tuple(r.sweep.number for r in used), 0, note=f"mean over the first spikes of {len(used)} sweeps"
        )
    out.put(name, float(values[known].mean()) if used else np.nan, place, CUT_OFF)


def spike_place(response: Response, quantity: str) -> Provenance:
    """Where a quantity of a response's first spike is measured."""
    k = response.first_spike
    point = response.spikes.point_of(quantity)
    index = int(response.spikes.indexes[point][k])
    if index < 0:
        return Provenance((response.sweep.number,), 0)
    return Provenance((response.sweep.number,), 0, index, index / response.sweep.rate_hz)
