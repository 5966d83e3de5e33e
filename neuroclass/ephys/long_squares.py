"""Features of long squares: rheobase, hero, f-I slope and passive properties."""

from collections.abc import Sequence

import numpy as np

from neuroclass.ephys.block import find_blocks
from neuroclass.ephys.measures import CUT_OFF, Measured, Provenance, Response, first_value, spike_place
from neuroclass.ephys.settings import FeatureSettings
from neuroclass.ephys.subthreshold import deflection, line_slope, sag, time_constant
from neuroclass.features import Stimulus, features_of

_PASSIVE = ("ri", "tau")
_SAG = ("sag", "vm_for_sag")
_SPIKING = tuple(name for name in features_of(Stimulus.LONG_SQUARE) if name.endswith("_long_square"))
NO_LONG = "no long square in the file"
NO_SPIKE = "no spike in any long square"


def long_square_features(responses: Sequence[Response], settings: FeatureSettings) -> Measured:
    """Measure all features of long squares.

    Parameters
    ----------
    responses : sequence of Response
        Whole long squares that start from rest.
    settings : FeatureSettings
        Windows around rheobase and limits of amplitude.

    Returns
    -------
    Measured
        Values with their provenance, and reasons for the missing ones.
    """
    out = Measured()
    if not responses:
        out.lack(features_of(Stimulus.LONG_SQUARE), NO_LONG)
        return out
    _rest(out, responses)
    _spiking(out, [r for r in responses if r.n_spikes and r.epoch.amplitude_pa > 0], settings)
    quiet = [r for r in responses if not r.n_spikes]
    _passive(out, quiet, settings)
    _sag(out, quiet, settings)
    return out


def _numbers(responses: Sequence[Response]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(r.sweep.number for r in responses))


def _rest(out: Measured, responses: Sequence[Response]) -> None:
    found = [(r, r.rest_mv) for r in responses]
    used = [(r, v) for r, v in found if np.isfinite(v)]
    shortest = min((r.epoch.baseline_s for r, _ in used), default=0.0)
    note = "" if shortest >= 0.0999 else f"from {shortest * 1e3:.3g} ms before the stimulus instead of 100 ms"
    between = any(r.activity.at_rest.any() for r, _ in used)
    note = "; ".join(filter(None, (note, "between the spikes at rest" if between else "")))
    mean = float(np.mean([v for _, v in used])) if used else np.nan
    out.put("vrest", mean, Provenance(_numbers([r for r, _ in used]), note=note), "no rest before any long square")


def _spiking(out: Measured, spiking: list[Response], settings: FeatureSettings) -> None:
    if not spiking:
        out.lack((*_SPIKING, "latency", "f_i_curve_slope"), NO_SPIKE)
        return
    rheobase = min(spiking, key=lambda r: r.epoch.amplitude_pa)
    for name in _SPIKING:
        quantity = name.removesuffix("_long_square")
        out.put(name, first_value(rheobase, quantity), spike_place(rheobase, quantity), CUT_OFF)
    low = rheobase.epoch.amplitude_pa + settings.hero_from_pa
    high = rheobase.epoch.amplitude_pa + settings.hero_to_pa
    heroes = [r for r in spiking if low < r.epoch.amplitude_pa < high]
    if heroes:
        hero = min(heroes, key=lambda r: r.epoch.amplitude_pa)
        time = float(hero.spikes.time_s("threshold")[hero.first_spike])
        out.put("latency", time - hero.epoch.start_s, spike_place(hero, "threshold_v"), "")
    else:
        out.lack(("latency",), f"no spiking long square between {low:.4g} and {high:.4g} pA, above rheobase")
    _rates(out, spiking, settings)


def _rates(out: Measured, spiking: list[Response], settings: FeatureSettings) -> None:
    """Put the f-I slope, from which squares in depolarisation block are left out.

    AllenSDK's ``fit_fi_slope`` takes every spiking long square; the database's stimuli end before the block.
    """
    blocked = {block.place for block in find_blocks(spiking, settings.quality)}
    firing = [r for r in spiking if r.place not in blocked]
    without = f"; {len(blocked)} in depolarisation block left out" if blocked else ""
    amplitudes = np.array([r.epoch.amplitude_pa for r in firing])
    if np.unique(np.round(amplitudes, 1)).size < 2:
        out.lack(("f_i_curve_slope",), f"fewer than two spiking long squares of different amplitude{without}")
        return
    rates = np.array([r.n_spikes / r.epoch.duration_s for r in firing])
    note = f"line through {amplitudes.size} squares{without}"
    out.put("f_i_curve_slope", line_slope(amplitudes, rates), Provenance(_numbers(firing), note=note), "")


def _passive(out: Measured, quiet: list[Response], settings: FeatureSettings) -> None:
    low, high = settings.passive_from_pa, settings.passive_to_pa
    used = [r for r in quiet if low < r.epoch.amplitude_pa < high and np.isfinite(r.rest_mv)]
    if not used:
        out.lack(_PASSIVE, f"no long square without spikes between {low:g} and {high:g} pA")
        return
    lowest = [(r, deflection(r.sweep.v_mv, r.sweep.rate_hz, r.epoch.start_s, r.epoch.end_s)) for r in used]
    v = [float(r.sweep.v_mv[k]) for r, k in lowest]
    i = [_current_at(r, k) for r, k in lowest]
    if len(used) == 1 or np.ptp(i) < 1e-9:
        v.append(float(np.mean([r.rest_mv for r in used])))
        i.append(0.0)
    numbers = _numbers(used)
    place = Provenance(numbers, note=f"line through {len(i)} points")
    slope = 1e3 * line_slope(np.array(i), np.array(v))
    out.put("ri", slope if slope > 0 else np.nan, place, "the potential does not follow the current")
    fits = np.array(
        [time_constant(r.sweep.v_mv, r.sweep.rate_hz, r.epoch.start_s, r.epoch.end_s, r.rest_mv) for r in used]
    )
    good = np.isfinite(fits)
    place = Provenance(_numbers([r for r, g in zip(used, good, strict=True) if g]), note=f"mean of {good.sum()} fits")
    out.put("tau", float(fits[good].mean()) if good.any() else np.nan, place, "no exponential fits any response")


def _current_at(response: Response, sample: int) -> float:
    """Current at a sample, pA; for a measured current, the square's level, which is free of noise."""
    if response.sweep.recorded_current:
        return response.epoch.amplitude_pa
    return float(response.sweep.i_pa[sample]) - response.epoch.holding_pa


def _sag(out: Measured, quiet: list[Response], settings: FeatureSettings) -> None:
    used = [r for r in quiet if r.epoch.amplitude_pa < 0 and np.isfinite(r.rest_mv)]
    if not used:
        out.lack(_SAG, "no hyperpolarising long square without spikes")
        return
    peaks = [deflection(r.sweep.v_mv, r.sweep.rate_hz, r.epoch.start_s, r.epoch.end_s) for r in used]
    levels = np.array([r.sweep.v_mv[k] for r, k in zip(used, peaks, strict=True)])
    k = int(np.argmin(np.abs(levels - settings.sag_target_mv)))
    chosen, rate = used[k], used[k].sweep.rate_hz
    place = Provenance((chosen.sweep.number,), None, peaks[k], peaks[k] / rate)
    out.put("vm_for_sag", float(levels[k]), place, "")
    value = sag(chosen.sweep.v_mv, rate, chosen.epoch.start_s, chosen.epoch.end_s, chosen.rest_mv)
    out.put("sag", value, place, "the square does not move the potential")
