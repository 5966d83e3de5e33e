"""Compiled spike detection by AllenSDK's rules.

References
----------
.. [1] Allen Institute for Brain Science, AllenSDK 2.16, ``allensdk.ephys.ephys_features``.
.. [2] Gouwens et al., "Classification of electrophysiological and morphological neuron types in the
   mouse visual cortex", Nat. Neurosci. 22, 2019.
"""

import numpy as np

from neuroclass.ephys.compiled import compiled, compiled_part
from neuroclass.ephys.trace import (
    Trace,
    falls,
    fill,
    first_at_least,
    highest_point,
    last_at_most,
    lowest_point,
    steepest,
)
from neuroclass.types.arrays import Floats, Integers, Mask

RETURN_TOLERANCE_MV = 1.0  # the last spike must return to this much above its threshold
FAST_TROUGH_SHARE = 0.01  # of the downstroke, where the fast trough begins
RECHECK_SHARE = 0.05  # of the mean upstroke, when a threshold is looked for again
LEAD_S, SETTLED_S = 3e-4, 2.5e-4  # around a step of the current, the span of an electrode's artefact in dV/dt
JUMP_SHARE = 0.6  # of an artefact's rise, that it makes within two samples of the step
RISEN_MV = 5.0  # by which a rise that began before a step of the current is not that step's


@compiled
def time_index(seconds: float, dt: float) -> int:
    """First sample whose time, index times `dt` in s, is at or after `seconds`."""
    k = max(0, int(np.ceil(seconds / dt)))
    while k > 0 and (k - 1) * dt >= seconds:
        k -= 1
    while k * dt < seconds:
        k += 1
    return k


@compiled_part
def _jump(s: Trace, edge: int) -> float:
    """Largest change of the potential within two samples about a step of the current, mV."""
    largest = 0.0
    for k in range(max(0, edge - 2), min(s.v.size - 2, edge + 2)):
        largest = max(largest, abs(s.v[k + 2] - s.v[k]))
    return largest


@compiled_part
def _is_artefact(s: Trace, sample: int, edges: Integers, lead: int, settled: int) -> bool:
    """Whether a rise is the electrode's at a step of the current: a jump that is over sooner than a spike."""
    for edge in edges:
        if not edge - lead <= sample < edge + settled:
            continue
        before = max(edge - 1, 0)
        if sample < before and s.v[before] - s.v[sample] > RISEN_MV:
            continue
        if not falls(s, max(sample, before), min(s.dv.size, edge + settled)):
            continue
        top = highest_point(s, edge, min(s.v.size, edge + settled + 1))
        rise = s.v[top] - s.v[lowest_point(s, before, top + 1)]
        if _jump(s, edge) >= JUMP_SHARE * rise:
            return True
    return False


@compiled_part
def _peaks_on_jump(s: Trace, peak: int, edges: Integers, settled: int, min_peak: float) -> bool:
    """Whether an event reaches its peak only by a jump at a step of the current."""
    for edge in edges:
        if edge >= 1 and edge <= peak < edge + settled and s.v[edge - 1] < min_peak:
            return _jump(s, edge) >= JUMP_SHARE * (s.v[peak] - s.v[edge - 1])
    return False


@compiled_part
def _crossings(s: Trace, cutoff: float, edges: Integers, lead: int, settled: int) -> Integers:
    """Samples before which dV/dt first reaches `cutoff`, after falling below zero since the previous crossing."""
    n = s.dv.size
    found = np.empty(n // 2 + 1, dtype=np.int64)
    count = 0
    previous = -1
    above, known = False, False
    j = 0
    while j < s.done.size:
        if s.bound[j] < cutoff:
            above, known = False, True
            j += 1
            continue
        if not s.done[j]:
            run = j + 1
            while run < s.done.size and s.bound[run] >= cutoff:
                run += 1
            fill(s, j, run)
        for k in range(j * s.block, min(n, (j + 1) * s.block)):
            was, above = above, s.dv[k] >= cutoff
            if above and known and not was and not _is_artefact(s, k, edges, lead, settled):
                if count == 0 or falls(s, previous, k - 1):
                    found[count] = k - 1
                    count += 1
                previous = k - 1
            known = True
        j += 1
    return found[:count]


@compiled_part
def _without(values: Integers, dropped: Mask) -> Integers:
    out = np.empty_like(values)
    n = 0
    for i in range(values.size):
        if not dropped[i]:
            out[n] = values[i]
            n += 1
    return out[:n]


@compiled_part
def _plausible(
    s: Trace, spikes: Integers, peaks: Integers, min_height: float, min_peak: float
) -> tuple[Integers, Integers]:
    """Drop events that do not fall before the next, peak too low, or rise too little."""
    n = spikes.size
    drop_peak = np.zeros(n, dtype=np.bool_)
    drop_spike = np.zeros(n, dtype=np.bool_)
    for i in range(n - 1):
        if not falls(s, peaks[i], spikes[i + 1]):
            drop_peak[i] = True
            drop_spike[i + 1] = True
    spikes, peaks = _without(spikes, drop_spike), _without(peaks, drop_peak)
    drop = np.zeros(spikes.size, dtype=np.bool_)
    for i in range(spikes.size):
        high = s.v[peaks[i]]
        drop[i] = high < min_peak or high - s.v[spikes[i]] < min_height or peaks[i] <= spikes[i]
    return _without(spikes, drop), _without(peaks, drop)


@compiled_part
def _thresholds(s: Trace, upstrokes: Integers, share: float) -> Integers:
    """Last sample before each upstroke where dV/dt is at most `share` of the mean upstroke."""
    n = upstrokes.size
    mean = 0.0
    for i in range(n):
        mean += s.dv[upstrokes[i]]
    target = mean / n * share
    thresholds = np.empty(n, dtype=np.int64)
    previous = 0
    for i in range(n):
        k = last_at_most(s, upstrokes[i], previous, target)
        thresholds[i] = previous if k < 0 else k
        previous = upstrokes[i]
    return thresholds


@compiled_part
def _recheck(
    s: Trace, spikes: Integers, peaks: Integers, upstrokes: Integers, max_interval: float, dt: float
) -> tuple[Integers, Integers]:
    """Merge overlapping spikes, then fix or drop those whose peak follows the threshold too late."""
    n = spikes.size
    drop_spike = np.zeros(n, dtype=np.bool_)
    drop_peak = np.zeros(n, dtype=np.bool_)
    for i in range(n - 1):
        if spikes[i + 1] <= peaks[i] + 1:
            drop_spike[i + 1] = True
            drop_peak[i] = True
    spikes, peaks, upstrokes = _without(spikes, drop_spike), _without(peaks, drop_peak), _without(upstrokes, drop_peak)
    n = spikes.size
    mean = 0.0
    for i in range(n):
        mean += s.dv[upstrokes[i]]
    target = mean / max(n, 1) * RECHECK_SHARE
    slow = np.zeros(n, dtype=np.bool_)
    for i in range(n):
        slow[i] = peaks[i] * dt - spikes[i] * dt >= max_interval
    drop = np.zeros(n, dtype=np.bool_)
    for i in range(n):
        if not slow[i]:
            continue
        earliest = time_index(peaks[i] * dt - max_interval, dt)
        k = last_at_most(s, upstrokes[i], earliest, target)
        if k >= 0:
            spikes[i] = k
            continue
        latest = min(s.v.size - 1, time_index(spikes[i] * dt + 2 * max_interval, dt))
        peak = highest_point(s, spikes[i], latest)
        soon = peak * dt - spikes[i] * dt < max_interval
        if soon and (i == n - 1 or peak < spikes[i + 1]):
            peaks[i] = peak
        else:
            drop[i] = True
    for i in range(n):
        if peaks[i] <= spikes[i]:
            drop[i] = True
    return _without(spikes, drop), _without(peaks, drop)


@compiled_part
def _returns(s: Trace, peak: int, end: int, level: float) -> bool:
    """Whether the potential is at or below `level` somewhere from `peak` to `end` inclusive."""
    return s.v[lowest_point(s, peak, end + 1)] <= level


@compiled_part
def _width(s: Trace, spike: int, peak: int, trough: int, dt: float) -> float:
    """Width, s, at half height above the trough, or at half height above threshold if that is lower."""
    v = s.v
    level = (v[peak] - v[trough]) / 2.0 + v[trough]
    if level < v[spike]:
        level = (v[peak] - v[spike]) / 2.0 + v[spike]
    first = peak
    while first > spike and v[first] > level:
        first -= 1
    last = peak
    while last < trough and v[last] > level:
        last += 1
    if first == spike or last >= trough:
        return np.nan
    return last * dt - first * dt


@compiled
def find_spikes(
    s: Trace,
    window: Trace,
    begin: int,
    end: int,
    dt: float,
    cutoff: float,
    share: float,
    min_height: float,
    min_peak: float,
    max_interval: float,
    edges: Integers,
) -> tuple[Integers, Floats, Mask]:
    """Find the spikes of one sweep within the samples `begin` to `end` inclusive.

    Parameters
    ----------
    s : Trace
        The sweep's potential.
    window : Trace
        The potential from `begin` to `end` inclusive, filtered by itself as AllenSDK does to find events.
    begin, end : int
        Window, samples, `end` inclusive.
    dt : float
        Sampling interval, s.
    cutoff : float
        dV/dt that starts an event, mV/ms.
    share : float
        Share of the mean upstroke at which the threshold lies.
    min_height : float
        Least height from threshold to peak, mV.
    min_peak : float
        Least peak, mV.
    max_interval : float
        Longest time from threshold to peak, s.
    edges : ndarray, shape (n_edges,)
        Samples at which the current steps, counted from `begin`; a deflection that rises and falls within
        `SETTLED_S` of one is the electrode's, not a spike.

    Returns
    -------
    indexes : ndarray, shape (6, n_spikes)
        Samples of threshold, upstroke, peak, downstroke, fast trough and trough; -1 where undefined.
    widths : ndarray, shape (n_spikes,)
        Widths, s; NaN where undefined.
    clipped : ndarray, shape (n_spikes,)
        Whether the window ends before the spike does.
    """
    nothing = (np.empty((6, 0), dtype=np.int64), np.empty(0), np.zeros(0, dtype=np.bool_))
    lead = max(1, int(LEAD_S / dt)) if s.active else 1
    settled = max(3, int(np.ceil(SETTLED_S / dt)))
    spikes = _crossings(window, cutoff, edges, lead, settled)
    peaks = np.empty_like(spikes)
    for i in range(spikes.size):
        spikes[i] += begin
    for i in range(spikes.size):
        peaks[i] = highest_point(s, spikes[i], spikes[i + 1] if i + 1 < spikes.size else end)
    if edges.size:
        jumps = np.zeros(spikes.size, dtype=np.bool_)
        for i in range(spikes.size):
            jumps[i] = _peaks_on_jump(s, peaks[i], edges + begin, settled, min_peak)
        spikes, peaks = _without(spikes, jumps), _without(peaks, jumps)
    spikes, peaks = _plausible(s, spikes, peaks, min_height, min_peak)
    if spikes.size == 0:
        return nothing
    upstrokes = np.empty_like(spikes)
    for i in range(spikes.size):
        upstrokes[i] = steepest(s, spikes[i], peaks[i], 1.0)
    spikes, peaks = _recheck(s, _thresholds(s, upstrokes, share), peaks, upstrokes, max_interval, dt)
    n = spikes.size
    if n == 0:
        return nothing
    out = np.empty((6, n), dtype=np.int64)
    widths = np.empty(n)
    clipped = np.zeros(n, dtype=np.bool_)
    clipped[n - 1] = not _returns(s, peaks[n - 1], end, s.v[spikes[n - 1]] + RETURN_TOLERANCE_MV)
    whole = n - 1 if clipped[n - 1] else n
    for i in range(n):
        widths[i] = np.nan
        for point in range(6):
            out[point, i] = -1
        out[0, i], out[2, i] = spikes[i], peaks[i]
        out[1, i] = steepest(s, spikes[i], peaks[i], 1.0)
        if i >= whole:
            continue
        following = spikes[i + 1] if i + 1 < n else end
        trough = lowest_point(s, peaks[i], following)
        out[5, i] = trough
        if trough > peaks[i]:
            out[3, i] = steepest(s, peaks[i], trough, -1.0)
        limit = spikes[i + 1] if i + 1 < whole else end
        if limit <= peaks[i]:
            clipped[i] = True
            continue
        down = steepest(s, peaks[i], limit, -1.0)
        fast = first_at_least(s, down, limit, FAST_TROUGH_SHARE * s.dv[down])
        if fast < 0:
            clipped[i] = True
            continue
        out[4, i] = fast
        widths[i] = _width(s, spikes[i], peaks[i], fast, dt)
    return out, widths, clipped
