"""Quality of sweeps and cells: flagged with the value and the limit, never silently dropped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from neuroclass.ephys.activity import Activity
from neuroclass.ephys.block import find_blocks
from neuroclass.ephys.measures import Response
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.settings import QualitySettings
from neuroclass.ephys.spontaneous import RARE_HZ, SpontaneousFiring
from neuroclass.ephys.subthreshold import mean_between
from neuroclass.ephys.sweep import Sweep
from neuroclass.features import Stimulus
from neuroclass.types.arrays import Floats

LINE_HZ, BESIDE_HZ = (50.0, 60.0), (32.0, 80.0)
LEAST_HUM_S, HUM_EXCESS = 0.06, 1.5  # shortest baseline, and how much stronger a hum is than what lies beside it


class Severity(StrEnum):
    """How much a finding matters, gravest first."""

    SERIOUS = "serious"
    CAUTION = "caution"
    NOTE = "note"


@dataclass(frozen=True)
class Flag:
    """One finding about a sweep or a cell.

    Attributes
    ----------
    name : str
        What was found.
    sweep : int or None
        The sweep's number; None for the whole cell.
    value, limit : float
        Measured value and limit.
    unit : str
        Unit of both.
    message : str
        Human-readable description.
    excludes : bool
        Whether the sweep or cell is excluded from the features.
    severity : Severity
        How much it matters.
    """

    name: str
    sweep: int | None
    value: float
    limit: float
    unit: str
    message: str
    excludes: bool = False
    severity: Severity = Severity.CAUTION

    def to_json(self) -> dict[str, Any]:
        """The flag as plain values."""
        return {**vars(self), "severity": self.severity.value}


def ranked(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    """Flags, the gravest first; those of the whole cell before those of sweeps as grave."""
    order = list(Severity)
    return tuple(sorted(flags, key=lambda flag: (order.index(flag.severity), flag.sweep is not None)))


def quality_flags(
    sweeps: Sequence[Sweep],
    epochs: Sequence[Epoch],
    responses: Sequence[Response],
    activity: Mapping[int, Activity],
    firing: SpontaneousFiring,
    settings: QualitySettings = QualitySettings(),
) -> tuple[Flag, ...]:
    """Quality flags of a cell and its sweeps, the gravest first.

    Parameters
    ----------
    sweeps : sequence of Sweep
        All sweeps.
    epochs : sequence of Epoch
        Their stimuli.
    responses : sequence of Response
        The epochs that features are measured on.
    activity : mapping of int to Activity
        What each sweep does, by its number.
    firing : SpontaneousFiring
        What the cell does without a stimulus.
    settings : QualitySettings
        The limits.
    """
    flags = [*_spontaneous(firing), *_blocks(responses, settings), *_holding(epochs, settings)]
    for sweep in sweeps:
        own = [e for e in epochs if e.sweep_number == sweep.number]
        answers = [r for r in responses if r.sweep.number == sweep.number]
        flags.extend(_truncated(sweep, own))
        steady = not firing.active and not activity[sweep.number].at_rest.any()
        checks = SWEEP_CHECKS if steady else tuple(check for check in SWEEP_CHECKS if check is not baseline_drift)
        flags.extend(flag for check in checks if (flag := check(sweep, own, answers, settings)))
    flags.extend(flag for check in CELL_CHECKS if (flag := check(responses, settings)))
    return ranked(flags)


def _spontaneous(firing: SpontaneousFiring) -> list[Flag]:
    """Spikes while no stimulus is applied, or in hyperpolarising squares."""
    if not firing.n_spikes and not firing.n_hyperpolarised:
        return []
    severity = Severity.SERIOUS if firing.active else Severity.NOTE
    return [Flag("spontaneous_firing", None, firing.rate_hz, RARE_HZ, "Hz", firing.message, severity=severity)]


def _blocks(responses: Sequence[Response], settings: QualitySettings) -> list[Flag]:
    """Long squares in depolarisation block."""
    squares = [r for r in responses if r.epoch.stimulus is Stimulus.LONG_SQUARE]
    return [
        Flag(
            "depolarisation_block",
            block.place[0],
            block.level_mv,
            settings.block_mv,
            "mV",
            f"Sweep {block.place[0]} stops firing {block.stops_s:.3g} s into its square and stays at "
            f"{block.level_mv:.3g} mV after {block.n_spikes} spikes, where a weaker square evoked {block.most}: "
            f"depolarisation block, above {settings.block_mv:g} mV. It is left out of the f–I slope.",
        )
        for block in find_blocks(squares, settings)
    ]


def _holding(epochs: Sequence[Epoch], settings: QualitySettings) -> list[Flag]:
    """A large holding current, and one that differs from sweep to sweep."""
    levels = [e.holding_pa for e in epochs if e.stimulus is not None]
    if not levels:
        return []
    flags = []
    largest, limit = max(levels, key=abs), settings.holding_pa
    if abs(largest) > limit:
        message = (
            f"The cell is held with {largest:.3g} pA; the database keeps sweeps within ±{limit:g} pA. Its potential "
            "before the stimulus is not the one it rests at."
        )
        flags.append(Flag("holding_current", None, abs(largest), limit, "pA", message))
    span, limit = float(np.ptp(levels)), settings.holding_range_pa
    if span > limit:
        message = (
            f"The holding current differs from sweep to sweep, from {min(levels):.3g} to {max(levels):.3g} pA; the "
            f"limit is {limit:g} pA: threshold currents count from different levels."
        )
        flags.append(Flag("holding_varies", None, span, limit, "pA", message))
    return flags


def _truncated(sweep: Sweep, epochs: Sequence[Epoch]) -> list[Flag]:
    return [
        Flag(
            "truncated_epoch",
            sweep.number,
            sweep.duration_s - e.start_s,
            e.duration_s,
            "s",
            f"Sweep {sweep.number} ends within its stimulus, which is left out.",
            excludes=True,
        )
        for e in epochs
        if e.truncated
    ]


def baseline_drift(
    sweep: Sweep, epochs: Sequence[Epoch], _responses: Sequence[Response], settings: QualitySettings
) -> Flag | None:
    """Difference between a sweep's first and last 100 ms at the holding current, or that the cell stays depolarised."""
    if not epochs or epochs[0].start_s < 0.05 or sweep.duration_s - epochs[-1].end_s < 0.3:
        return None
    first = mean_between(sweep.v_mv, sweep.rate_hz, 0.0, min(0.1, epochs[0].start_s))
    last = mean_between(sweep.v_mv, sweep.rate_hz, sweep.duration_s - 0.1, sweep.duration_s)
    drift, limit = abs(last - first), settings.drift_mv
    if drift <= limit:
        return None
    if last > settings.block_mv > first:
        message = f"Sweep {sweep.number} ends at {last:.3g} mV: the cell did not repolarise after its stimulus."
        return Flag("no_repolarisation", sweep.number, last, settings.block_mv, "mV", message)
    message = f"The baseline of sweep {sweep.number} drifts by {drift:.3g} mV; the limit is {limit:g} mV."
    return Flag("baseline_drift", sweep.number, drift, limit, "mV", message)


def noisy_baseline(
    sweep: Sweep, epochs: Sequence[Epoch], _responses: Sequence[Response], settings: QualitySettings
) -> Flag | None:
    """Standard deviation of the potential in windows of 5 ms before the first stimulus."""
    noise, limit = baseline_noise(sweep, epochs[0].start_s if epochs else sweep.duration_s), settings.noise_mv
    if noise is None or noise <= limit:
        return None
    message = f"Sweep {sweep.number} has {noise:.3g} mV of noise before the stimulus; the limit is {limit:g} mV."
    return Flag("noise", sweep.number, noise, limit, "mV", message)


def baseline_noise(sweep: Sweep, until_s: float) -> float | None:
    """Median standard deviation of the potential in windows of 5 ms up to a time, mV; None below four windows."""
    end = round(until_s * sweep.rate_hz)
    width = max(8, round(0.005 * sweep.rate_hz))
    if end < 4 * width:
        return None
    return float(np.median(sweep.v_mv[: end - end % width].reshape(-1, width).std(axis=1)))


def clipped_peaks(
    sweep: Sweep, _epochs: Sequence[Epoch], responses: Sequence[Response], settings: QualitySettings
) -> Flag | None:
    """Spikes with a flat peak, clipped at the end of the recording range."""
    flat = [_flat_top(sweep.v_mv, int(k)) for r in responses for k in r.spikes.indexes["peak"]]
    longest = max(flat, default=0) / sweep.rate_hz * 1e3
    limit = settings.flat_peak_ms
    if longest <= limit or max(flat, default=0) < 4:
        return None
    message = f"Spikes of sweep {sweep.number} are flat for {longest:.3g} ms at their peak: the amplifier clips them."
    return Flag("clipped_spikes", sweep.number, longest, limit, "ms", message)


def _flat_top(v: Floats, peak: int) -> int:
    stop = peak
    while stop + 1 < v.size and v[stop + 1] == v[peak]:
        stop += 1
    return stop - peak + 1


def unbalanced_bridge(responses: Sequence[Response], settings: QualitySettings) -> Flag | None:
    """Voltage step at the onset of squares divided by the current step."""
    resistance, limit = bridge_error(responses), settings.bridge_mohm
    if not abs(resistance) > limit:
        return None
    message = (
        f"The potential jumps by {resistance:.3g} MΩ times the current when a square starts; the limit is "
        f"{limit:g} MΩ: the bridge is not balanced, so potentials during squares are off by as much."
    )
    return Flag("unbalanced_bridge", None, resistance, limit, "MΩ", message)


def bridge_error(responses: Sequence[Response]) -> float:
    """Resistance that the bridge leaves uncompensated, MΩ, by the onsets of squares; NaN without one."""
    squares = [r for r in responses if r.epoch.stimulus in (Stimulus.LONG_SQUARE, Stimulus.SHORT_SQUARE)]
    found = [s for r in squares if (s := _onset_step(r)) is not None]
    return float(np.median(found)) if found else float("nan")


def _onset_step(response: Response) -> float | None:
    return onset_step(response.sweep, response.epoch, response.activity)


def onset_step(sweep: Sweep, epoch: Epoch, activity: Activity) -> float | None:
    """Resistance across which the potential jumps when a square starts, MΩ; None where it cannot be told.

    Intercept at the onset of a line through 0.3 to 1 ms after it, less the baseline, over the current: what the bridge
    leaves of the access resistance.

    Parameters
    ----------
    sweep : Sweep
        The samples.
    epoch : Epoch
        A square.
    activity : Activity
        The sweep's spikes.
    """
    k = round(epoch.start_s * sweep.rate_hz)
    a, b = k + max(2, round(3e-4 * sweep.rate_hz)), k + round(1e-3 * sweep.rate_hz) + 1
    if k < 10 or b - a < 3 or b >= sweep.n_times or abs(epoch.amplitude_pa) < 10 or sweep.recorded_current:
        return None
    rises = activity.spikes.indexes["upstroke"]
    if epoch.duration_s <= 1e-3 or ((rises >= k) & (rises < b + (b - a) // 2)).any():
        return None
    _, level = np.polyfit(np.arange(a, b) - k, sweep.v_mv[a:b], 1)
    before = float(sweep.v_mv[max(0, k - round(2e-3 * sweep.rate_hz)) : k].mean())
    return float(level - before) / epoch.amplitude_pa * 1e3


def line_hum(responses: Sequence[Response], settings: QualitySettings) -> Flag | None:
    """Amplitude of a sine at 50 or 60 Hz, whichever is larger, in the potential before stimuli."""
    found = [_sines(r) for r in responses if r.epoch.baseline_s >= LEAST_HUM_S and _silent_before(r)]
    if not found:
        return None
    *lines, below, above = np.median(found, axis=0)
    k = int(np.argmax(lines))
    amplitude, limit = float(lines[k]), settings.hum_mv
    if amplitude <= max(limit, HUM_EXCESS * max(below, above)):
        return None
    message = (
        f"The potential carries a hum of {amplitude:.2g} mV at {LINE_HZ[k]:g} Hz; the limit is {limit:g} mV. What is "
        "taken at one sample, such as the lowest potential behind input resistance and sag, is off by as much."
    )
    return Flag("line_hum", None, amplitude, limit, "mV", message)


def _silent_before(response: Response) -> bool:
    """Whether no spike falls within the baseline before an epoch, or shortly before it."""
    times, start = response.activity.spikes.time_s("peak"), response.epoch.start_s
    return not ((times > start - response.epoch.baseline_s - LEAST_HUM_S) & (times < start)).any()


def _sines(response: Response) -> list[float]:
    """Amplitudes, mV, at `LINE_HZ` and beside them, by least squares in the baseline before an epoch."""
    rate, start = response.sweep.rate_hz, response.epoch.start_s
    stop = round(start * rate)
    v = response.sweep.v_mv[max(0, stop - round(response.epoch.baseline_s * rate)) : stop]
    step = max(1, round(rate / 2000.0))
    v = v[: v.size // step * step].reshape(-1, step).mean(axis=1)
    t = np.arange(v.size) * step / rate
    amplitudes = []
    for hz in (*LINE_HZ, *BESIDE_HZ):
        design = np.column_stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t), np.ones(v.size), t])
        fit = np.linalg.lstsq(design, v, rcond=None)[0]
        amplitudes.append(float(np.hypot(fit[0], fit[1])))
    return amplitudes


def unstable_rest(responses: Sequence[Response], settings: QualitySettings) -> Flag | None:
    """Range of the baselines before long squares."""
    rests = [b for r in responses if r.epoch.stimulus is Stimulus.LONG_SQUARE and np.isfinite(b := r.rest_mv)]
    if len(rests) < 2:
        return None
    span, limit = float(np.ptp(rests)), settings.rest_range_mv
    if span <= limit:
        return None
    message = f"The potential before long squares ranges over {span:.3g} mV; the limit is {limit:g} mV."
    return Flag("unstable_rest", None, span, limit, "mV", message)


SWEEP_CHECKS: tuple[Callable[[Sweep, Sequence[Epoch], Sequence[Response], QualitySettings], Flag | None], ...] = (
    baseline_drift,
    noisy_baseline,
    clipped_peaks,
)
CELL_CHECKS: tuple[Callable[[Sequence[Response], QualitySettings], Flag | None], ...] = (
    unbalanced_bridge,
    line_hum,
    unstable_rest,
)
