"""A quick look at a candidate: its features from a few short, noiseless sweeps (about 50 ms).

It only steers the search. A cell is accepted on the features that `extract_features` measures in
the whole recording.
"""

import numpy as np

from benchmarks.demo_cohort.space import decode
from benchmarks.demo_cohort.summaries import transformed
from neuroclass.ephys.spikes import Spikes, detect_spikes
from neuroclass.features import Stimulus, features_of
from neuroclass.simulation import stimuli
from neuroclass.simulation.cells import choose_stimuli
from neuroclass.simulation.models import Membrane, integrate, make_membrane
from neuroclass.types.arrays import Floats

SKIPPED_S = 0.4
LEAD_S = stimuli.LEAD_S - SKIPPED_S
PASSIVE_PA = (-70.0, -110.0)
ABOVE_RHEOBASE_PA = (0.0, 50.0, 110.0)
NOISE_S, MIN_NOISE_SPIKES = 1.0, 4
MOST_DEPOLARISED_MV = -30.0
_QUANTITIES = ("threshold_v", "peak_v", "fast_trough_v", "trough_v", "upstroke_downstroke_ratio")


def quick_features(shares: Floats) -> Floats | None:
    """Transformed features of a candidate.

    Parameters
    ----------
    shares : ndarray, shape (24,)
        Parameters as shares of their ranges.

    Returns
    -------
    ndarray, shape (39,), or None
        None where the candidate does not spike as a neuron should.
    """
    neuron, gain = decode(shares)
    chosen = choose_stimuli(neuron, gain)
    if chosen is None:
        return None
    membrane = make_membrane(neuron)
    values = {"vrest": neuron.v_rest_mv, "threshold_i_short_square": chosen.short_pa}
    parts = (
        _short(membrane, chosen.short_pa),
        _passive(membrane, neuron.v_rest_mv),
        _long(membrane, chosen.rheobase_pa),
        _ramp(membrane, chosen.rheobase_pa),
        _noise(membrane, chosen.noise_pa),
    )
    for part in parts:
        if part is None:
            return None
        values.update(part)
    z = transformed(values)
    return z if np.isfinite(z).all() else None


def _spikes(membrane: Membrane, current: Floats, start_s: float | None = None, end_s: float | None = None) -> Spikes:
    v = integrate(membrane, current, 0 if end_s else stimuli.samples(0.3))
    return detect_spikes(v, current[: v.size], stimuli.RATE_HZ, start_s, end_s)


def _first(spikes: Spikes, stimulus: str) -> dict[str, float] | None:
    if not len(spikes):
        return None
    return {f"{quantity}_{stimulus}": float(spikes.values(quantity)[0]) for quantity in _QUANTITIES}


def _short(membrane: Membrane, amplitude: float) -> dict[str, float] | None:
    current = stimuli.short_square(amplitude)[stimuli.samples(SKIPPED_S) :]
    return _first(_spikes(membrane, current, LEAD_S, LEAD_S + 0.4), "short_square")


def _passive(membrane: Membrane, rest: float) -> dict[str, float] | None:
    first, last = stimuli.samples(LEAD_S), stimuli.samples(LEAD_S + stimuli.LONG_S)
    small, large = (
        integrate(membrane, stimuli.long_square(amplitude)[stimuli.samples(SKIPPED_S) :]) for amplitude in PASSIVE_PA
    )
    if max(small.max(), large.max()) > MOST_DEPOLARISED_MV:
        return None
    small, large = small[first:last], large[first:last]
    lowest, depth = int(small.argmin()), rest - small.min()
    start = int(np.flatnonzero(small < rest - 0.1 * depth)[0])
    decayed = np.flatnonzero((small[start : lowest + 1] - small.min()) / (0.9 * depth) < np.exp(-1))
    at, half = int(large.argmin()), stimuli.samples(0.0025)
    peak, steady = large[max(0, at - half) : at + half].mean(), large[-stimuli.samples(0.1) :].mean()
    return {
        "ri": 1e3 * depth / -PASSIVE_PA[0],
        "tau": (decayed[0] if decayed.size else lowest) * 1e3 / stimuli.RATE_HZ,
        "vm_for_sag": float(peak),
        "sag": float((peak - steady) / (peak - rest)),
    }


def _long(membrane: Membrane, rheobase: float) -> dict[str, float] | None:
    trains = [
        _spikes(
            membrane,
            stimuli.long_square(rheobase + step)[stimuli.samples(SKIPPED_S) :],
            LEAD_S,
            LEAD_S + stimuli.LONG_S,
        )
        for step in ABOVE_RHEOBASE_PA
    ]
    values = _first(trains[0], "long_square")
    if values is None or not len(trains[1]):
        return None
    rates = [len(train) / stimuli.LONG_S for train in trains]
    return values | {
        "threshold_i_long_square": rheobase,
        "latency": float(trains[1].time_s()[0]) - LEAD_S,
        "f_i_curve_slope": float(np.polyfit(ABOVE_RHEOBASE_PA, rates, 1)[0]),
    }


def _ramp(membrane: Membrane, rheobase: float) -> dict[str, float] | None:
    """Only the part of the ramp from half the rheobase on, after 0.3 s there."""
    whole = stimuli.ramp(1.8 * rheobase + 60)
    begin = stimuli.samples(stimuli.LEAD_S + 0.5 * rheobase / stimuli.RAMP_PA_PER_S)
    current = np.concatenate([np.full(stimuli.samples(0.3), whole[begin]), whole[begin:]])
    spikes = _spikes(membrane, current)
    values = _first(spikes, "ramp")
    return values and values | {"threshold_i_ramp": float(spikes.values("threshold_i")[0])}


def _noise(membrane: Membrane, base: float) -> dict[str, float] | None:
    current = stimuli.noise(base, 1, NOISE_S)
    end = (current.size - 2) / stimuli.RATE_HZ
    spikes = _spikes(membrane, current, 0.0, end)
    if len(spikes) < MIN_NOISE_SPIKES:
        return None
    return {name: float(np.nanmean(spikes.values(name))) for name in features_of(Stimulus.NOISE)}
