"""Recording stress test: the cell as a worse or different rig would have recorded it, measured again.

Every variant changes the sweeps, not the features, and all 41 features are measured on them again:

* junction offset: the same potential is added to every sample;
* bridge error: R · I is added, I being the injected current (pA · MOhm · 10⁻³ = mV);
* low-pass filter: a causal 4-pole Bessel filter, as an amplifier's;
* sampling rate: the sweeps are sampled again at a lower rate by linear interpolation, with no further filter;
* dropped sweeps: one stimulus is left out, or a random share of all sweeps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import signal

from neuroclass.cell_types import label_of
from neuroclass.classification.analysis import analyse
from neuroclass.classification.metadata import CellMetadata
from neuroclass.ephys.cell_features import recording_epochs
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.features import FEATURE_NAMES, Stimulus
from neuroclass.predictors.cell_predictor import AnyPredictor
from neuroclass.predictors.priors import reweight

OFFSET, BRIDGE, FILTER, RATE, DROPPED = (
    "junction offset",
    "bridge error",
    "low-pass filter",
    "sampling rate",
    "dropped sweeps",
)
UNITS: Mapping[str, str] = {OFFSET: "mV", BRIDGE: "MΩ", FILTER: "kHz", RATE: "kHz", DROPPED: "%"}
OFFSETS_MV = (-15.0, -12.0, -9.0, -6.0, -3.0, 3.0, 6.0, 9.0, 12.0, 15.0)
BRIDGES_MOHM = (-15.0, -10.0, -5.0, 5.0, 10.0, 15.0, 20.0)
FILTERS_KHZ = (10.0, 7.0, 5.0, 3.0, 2.0, 1.0)
RATES_KHZ = (40.0, 25.0, 20.0, 15.0, 10.0)
DROPPED_PERCENT = (25.0, 50.0, 75.0)
DRAWS = 2


@dataclass(frozen=True)
class Variant:
    """One way in which the recording could have been worse.

    Attributes
    ----------
    axis : str
        What is changed.
    level : float or None
        How far, in the axis' unit; None for a stimulus left out.
    label : str
        For people.
    apply : callable
        Recording → Recording.
    """

    axis: str
    level: float | None
    label: str
    apply: Callable[[Recording], Recording] = field(repr=False, compare=False)


@dataclass(frozen=True)
class StressResult:
    """The models' predictions for one variant.

    Attributes
    ----------
    axis, level, label
        Of the variant; the recording as it is has the axis "as recorded".
    n_features : int
        Features that could still be measured.
    probabilities : mapping of model name to (mapping of class to float)
        Calibrated probabilities by DANN and by LSPIN.
    """

    axis: str
    level: float | None
    label: str
    n_features: int
    probabilities: Mapping[str, Mapping[str, float]]

    def top(self, model: str) -> str:
        """Most likely class; "none" if no feature is left."""
        p = self.probabilities[model]
        return max(p, key=lambda name: p[name]) if self.n_features else "none"


def offset(sweep: Sweep, mv: float) -> Sweep:
    """Add a potential, mV, to every sample."""
    return replace(sweep, v_mv=sweep.v_mv + mv)


def bridge(sweep: Sweep, mohm: float) -> Sweep:
    """Add the drop of the injected current over an uncompensated (or, negative, overcompensated) resistance, MΩ."""
    return replace(sweep, v_mv=sweep.v_mv + 1e-3 * mohm * np.nan_to_num(sweep.i_pa))


def low_pass(sweep: Sweep, khz: float) -> Sweep:
    """Filter the potential with a causal 4-pole Bessel filter; unchanged at or above 90% of the Nyquist frequency."""
    if khz * 1e3 >= 0.45 * sweep.rate_hz:
        return sweep
    sos = signal.bessel(4, khz * 1e3, fs=sweep.rate_hz, norm="mag", output="sos")
    known = np.isfinite(sweep.v_mv)
    v = np.where(known, sweep.v_mv, np.nanmean(sweep.v_mv) if known.any() else 0.0)
    filtered, _ = signal.sosfilt(sos, v, zi=signal.sosfilt_zi(sos) * v[0])
    return replace(sweep, v_mv=np.where(known, filtered, np.nan))


def resample(sweep: Sweep, khz: float) -> Sweep:
    """Resample at a lower rate; unchanged if the sweep's rate is not higher."""
    if khz * 1e3 >= sweep.rate_hz:
        return sweep
    t = np.arange(int(sweep.duration_s * khz * 1e3)) / (khz * 1e3)
    nearest = np.minimum((t * sweep.rate_hz).round().astype(np.int64), sweep.n_times - 1)
    v = np.interp(t, sweep.t, sweep.v_mv)
    return replace(sweep, v_mv=v, i_pa=sweep.i_pa[nearest], rate_hz=khz * 1e3)


def _each(change: Callable[[Sweep, float], Sweep], level: float) -> Callable[[Recording], Recording]:
    return lambda recording: replace(recording, sweeps=tuple(change(sweep, level) for sweep in recording.sweeps))


def _without(numbers: frozenset[int]) -> Callable[[Recording], Recording]:
    return lambda recording: replace(recording, sweeps=tuple(s for s in recording.sweeps if s.number not in numbers))


def variants(recording: Recording, metadata: CellMetadata | None = None, seed: int = 0) -> tuple[Variant, ...]:
    """The variants applicable to a recording.

    Parameters
    ----------
    recording : Recording
        The cell's sweeps; filters and rates above its own are left out.
    metadata : CellMetadata, optional
        With the corrections of the protocols.
    seed : int
        Of the random choice of dropped sweeps.

    Returns
    -------
    tuple of Variant
    """
    rate_khz = min((sweep.rate_hz for sweep in recording.sweeps), default=0.0) / 1e3
    made = [Variant(OFFSET, mv, f"{mv:+g} mV", _each(offset, mv)) for mv in OFFSETS_MV]
    if any(sweep.current_known for sweep in recording.sweeps):
        made += [Variant(BRIDGE, r, f"{r:+g} MΩ", _each(bridge, r)) for r in BRIDGES_MOHM]
    made += [Variant(FILTER, f, f"{f:g} kHz", _each(low_pass, f)) for f in FILTERS_KHZ if f < 0.45 * rate_khz]
    made += [Variant(RATE, f, f"{f:g} kHz", _each(resample, f)) for f in RATES_KHZ if f < rate_khz]
    return (*made, *_dropped(recording, metadata or CellMetadata(), seed))


def _dropped(recording: Recording, metadata: CellMetadata, seed: int) -> Iterator[Variant]:
    by_stimulus: dict[Stimulus, set[int]] = {}
    for epoch in recording_epochs(recording, assignments=metadata.assignments):
        if epoch.stimulus is not None:
            by_stimulus.setdefault(epoch.stimulus, set()).add(epoch.sweep_number)
    if len(by_stimulus) > 1:
        for stimulus, numbers in by_stimulus.items():
            yield Variant(DROPPED, None, f"without {stimulus.label}", _without(frozenset(numbers)))
    every = np.array(sorted({sweep.number for sweep in recording.sweeps}))
    rng = np.random.default_rng(seed)
    for percent in DROPPED_PERCENT:
        n_dropped = round(len(every) * percent / 100)
        if not 0 < n_dropped < len(every):
            continue
        for draw in range(DRAWS):
            gone = frozenset(int(n) for n in rng.choice(every, n_dropped, replace=False))
            label = f"{n_dropped} of {len(every)} sweeps dropped, draw {draw + 1}"
            yield Variant(DROPPED, percent, label, _without(gone))


def stress(
    recording: Recording,
    species: str,
    models: Sequence[AnyPredictor],
    metadata: CellMetadata | None = None,
    chosen: Sequence[Variant] | None = None,
) -> Iterator[StressResult]:
    """Measure and classify the recording as it is, then under each variant, one at a time.

    Parameters
    ----------
    recording : Recording
        The cell's sweeps.
    species : str
        ``mouse``, ``human`` or ``unknown``.
    models : sequence of Predictor
        The models to ask.
    metadata : CellMetadata, optional
        Corrections, entered values, prior and recording conditions; they hold for every variant.
    chosen : sequence of Variant, optional
        By default all of `variants`.

    Yields
    ------
    StressResult
        The first is of the recording as it is; stop taking them to cancel.
    """
    metadata = metadata or CellMetadata()
    yield _result(Variant("as recorded", 0.0, "as recorded", lambda r: r), recording, species, models, metadata)
    for variant in variants(recording, metadata) if chosen is None else chosen:
        yield _result(variant, recording, species, models, metadata)


def _result(
    variant: Variant, recording: Recording, species: str, models: Sequence[AnyPredictor], metadata: CellMetadata
) -> StressResult:
    features = analyse(variant.apply(recording), metadata).corrected.features
    row = np.array([[features.get(name, np.nan) for name in FEATURE_NAMES]])
    probabilities = {}
    for model in models:
        p = model.predict_proba(row, [species])
        if metadata.prior:
            p = reweight(p, metadata.prior, model.classes)
        probabilities[model.name] = dict(zip(model.classes, p[0].tolist(), strict=True))
    return StressResult(variant.axis, variant.level, variant.label, len(features), probabilities)


@dataclass(frozen=True)
class Hold:
    """How far a recording can be degraded along one axis before the label changes.

    Attributes
    ----------
    axis, unit : str
        What was changed, and in which unit.
    n_held, n_tried : int
        Variants under which the label stayed, and all.
    flips : tuple of StressResult
        Those under which it changed, the mildest first.
    """

    axis: str
    unit: str
    n_held: int
    n_tried: int
    flips: tuple[StressResult, ...]

    def in_words(self, model: str) -> str:
        """Whether the label holds, and where it flips."""
        if not self.flips:
            return f"holds in all {self.n_tried}"
        first = ", ".join(f"{flip.label} ({label_of(flip.top(model))})" for flip in self.flips[:3])
        more = f" and {len(self.flips) - 3} more" if len(self.flips) > 3 else ""
        return f"flips in {len(self.flips)} of {self.n_tried}: {first}{more}"


def summarise(results: Sequence[StressResult], model: str) -> list[Hold]:
    """For each axis, whether a model's label holds and where it flips; the first result is as recorded."""
    label = results[0].top(model)
    holds = []
    for axis, unit in UNITS.items():
        tried = [result for result in results[1:] if result.axis == axis]
        if not tried:
            continue
        flips = [result for result in tried if result.top(model) != label]
        falling = axis in (FILTER, RATE)
        flips.sort(key=lambda r, down=falling: (r.level is None, -(r.level or 0) if down else abs(r.level or 0)))  # type: ignore[misc]
        holds.append(Hold(axis, unit, len(tried) - len(flips), len(tried), tuple(flips)))
    return holds
