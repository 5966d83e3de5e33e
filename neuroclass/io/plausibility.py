"""Check that a recording's units are plausible, and trim sweeps to their valid samples."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.ephys.sweep_words import together
from neuroclass.errors import RecordingError, UnitsError
from neuroclass.types.arrays import Floats

MAX_POTENTIAL_MV = 250.0
MIN_RANGE_MV = 1.0
REST_MV = (-130.0, -15.0)
MAX_CURRENT_PA = 30_000.0
RESISTANCE_MOHM = (3.0, 10_000.0)
_ZERO_TAIL_S = 0.005


def tidied(recordings: Sequence[Recording]) -> tuple[Recording, ...]:
    """Tidy the cells of a file; those that cannot be in mV and pA are left out with a warning.

    Raises
    ------
    RecordingError
        No cell is left; the first one's error.
    """
    kept: list[Recording] = []
    errors: list[tuple[str, RecordingError]] = []
    for recording in recordings:
        try:
            kept.append(tidy(recording))
        except RecordingError as error:
            errors.append((recording.cell, error))
    if not kept:
        raise errors[0][1]
    left_out = tuple(f"{cell} is left out: {error.plain.split('. ')[0]}." for cell, error in errors)
    return tuple(replace(one, warnings=(*one.warnings, *left_out)) for one in kept)


def tidy(recording: Recording) -> Recording:
    """Trim sweeps to their valid samples and reject values in a wrong unit.

    Parameters
    ----------
    recording : Recording
        As read from the file.

    Returns
    -------
    Recording
        The same with finite samples only.

    Raises
    ------
    UnitsError
        The potentials or currents cannot be in mV and pA.
    RecordingError
        No sweep has any samples.
    """
    gone: list[tuple[int, str]] = []
    sweeps = []
    for sweep in recording.sweeps:
        whole = _finite_part(sweep)
        if whole is None:
            gone.append((sweep.number, "no samples"))
        else:
            sweeps.append(whole)
    if not sweeps:
        raise RecordingError(f"No sweep of {recording.source} has samples; expected current-clamp sweeps.")
    check_units(sweeps, recording.source)
    kept = []
    for sweep in sweeps:
        problem = _impossible(sweep)
        if problem:
            gone.append((sweep.number, problem))
        else:
            kept.append(sweep)
    warnings = [*recording.warnings, *together(gone, " left out: ")]
    if not kept:
        raise UnitsError(f"Every sweep of {recording.source} is left out. {' '.join(warnings)[:500]}")
    return replace(recording, sweeps=tuple(kept), warnings=tuple(warnings))


def problem_of(recording: Recording) -> str:
    """Why a recording cannot be in mV and pA, as `tidy` would say; empty if it can."""
    try:
        tidy(recording)
    except RecordingError as error:
        return error.plain
    return ""


def _impossible(sweep: Sweep) -> str:
    """Why a sweep's values are impossible for a cell and amplifier; empty if they are possible."""
    highest = float(np.abs(sweep.v_mv).max())
    if highest > MAX_POTENTIAL_MV:
        return f"it reaches {highest:.4g} mV"
    strongest = float(np.abs(sweep.i_pa).max()) if sweep.current_known else 0.0
    return f"its current reaches {strongest:.4g} pA" if strongest > MAX_CURRENT_PA else ""


def check_units(sweeps: list[Sweep], source: str) -> None:
    """Reject potentials and currents of an impossible magnitude.

    Raises
    ------
    UnitsError
        The message gives the values found, those expected, and how to state the units.
    """
    top = float(np.median([np.percentile(np.abs(s.v_mv[:: _stride(s)]), 99) for s in sweeps]))
    if top > MAX_POTENTIAL_MV:
        raise UnitsError(_advice(source, f"potentials of {top:.4g} mV", "within ±250 mV", "potential", top / 70))
    rest = float(np.median([np.median(s.v_mv[: max(1, s.n_times // 10)]) for s in sweeps]))
    spread = max(float(np.ptp(s.v_mv)) for s in sweeps)
    if abs(rest) < MIN_RANGE_MV and spread < MIN_RANGE_MV:
        found = f"a potential of {rest:.3g} mV that varies by {spread:.3g} mV"
        raise UnitsError(_advice(source, found, "tens of mV", "potential", 1e-3))
    if not REST_MV[0] <= rest <= REST_MV[1]:
        raise UnitsError(
            f"{source} starts its sweeps at {rest:.3g} mV; neurons rest between {REST_MV[0]:g} and {REST_MV[1]:g} mV. "
            "The channel of the potential, its gain or its offset is not what the header says."
        )
    known = [s for s in sweeps if s.current_known]
    strongest = max((float(np.abs(s.i_pa).max()) for s in known), default=0.0)
    if strongest > MAX_CURRENT_PA:
        raise UnitsError(
            _advice(source, f"currents of {strongest:.4g} pA", "at most 30,000 pA", "current", strongest / 100)
        )
    _check_resistance(known, source)


def _check_resistance(sweeps: list[Sweep], source: str) -> None:
    """Check that the voltage response is plausible for the injected current."""
    found = [r for s in sweeps if (r := _resistance(s)) is not None]
    if not found:
        return
    median = float(np.median(found))
    if RESISTANCE_MOHM[0] <= median <= RESISTANCE_MOHM[1]:
        return
    raise UnitsError(
        f"{source} moves its potential as a cell of {median:.3g} MΩ would; neurons have "
        f"{RESISTANCE_MOHM[0]:g} to {RESISTANCE_MOHM[1]:g} MΩ. The unit, the gain or the channel of the current is "
        "not what the header says."
    )


def _resistance(sweep: Sweep) -> float | None:
    """Slope, MΩ, between the two longest-held current levels; None without two steady levels."""
    stride = max(1, int(sweep.rate_hz * 1e-3))
    i, v = sweep.i_pa[::stride], sweep.v_mv[::stride]
    if i.size < 40 or sweep.recorded_current:
        return None
    levels, counts = np.unique(i, return_counts=True)
    order = np.argsort(counts)[::-1][:2]
    if order.size < 2 or counts[order[1]] < 40:
        return None
    first, second = levels[order]
    dv = float(np.median(v[i == second]) - np.median(v[i == first]))
    noise = float(np.median(np.abs(np.diff(v)))) + 0.2
    return abs(dv / (second - first)) * 1e3 if abs(dv) > 5 * noise else None


def _finite_part(sweep: Sweep) -> Sweep | None:
    """A sweep trimmed to its longest run of finite samples; None without one."""
    good = np.isfinite(sweep.v_mv)
    if sweep.current_known or np.isfinite(sweep.i_pa).any():
        good &= np.isfinite(sweep.i_pa)
    good[sweep.n_times - _zero_tail(sweep.v_mv, sweep.rate_hz) :] = False
    if good.all():
        return sweep if sweep.n_times else None
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    if edges.size == 0:
        return None
    starts, stops = edges[::2], edges[1::2]
    k = int(np.argmax(stops - starts))
    begin, stop = int(starts[k]), int(stops[k])
    lost = (sweep.n_times - (stop - begin)) / sweep.rate_hz
    note = f"{lost:.3g} s without samples are left out; the sweep is read from {begin / sweep.rate_hz:.4g} s on"
    return replace(sweep, v_mv=sweep.v_mv[begin:stop], i_pa=sweep.i_pa[begin:stop], notes=(*sweep.notes, note))


def _zero_tail(v: Floats, rate_hz: float) -> int:
    """Number of trailing exact zeros left by an aborted sweep."""
    nonzero = np.flatnonzero(v != 0)
    tail = v.size - (int(nonzero[-1]) + 1 if nonzero.size else 0)
    return tail if tail >= _ZERO_TAIL_S * rate_hz else 0


def _stride(sweep: Sweep) -> int:
    return max(1, sweep.n_times // 20_000)


def _advice(source: str, found: str, expected: str, what: str, factor: float) -> str:
    thousands = 10.0 ** (3 * round(np.log10(factor) / 3))
    size = f" By the header's unit the {what} is {thousands:,.0f} times too large." if 1 < thousands < 1e7 else ""
    return f"{source} has {found}; expected {expected}.{size}"
