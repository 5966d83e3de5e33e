"""Extract a recording's 41 features, each with its provenance or the reason it is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from neuroclass.ephys.activity import Activity, sweep_activity
from neuroclass.ephys.caveats import find_caveats
from neuroclass.ephys.limits import impossible
from neuroclass.ephys.long_squares import long_square_features
from neuroclass.ephys.measures import Measured, Provenance, Response, noise_features, ramp_features, respond
from neuroclass.ephys.protocols import TEST_PULSE, Epoch, find_epochs
from neuroclass.ephys.quality import Flag, quality_flags
from neuroclass.ephys.sampling import rate_warning
from neuroclass.ephys.settings import FeatureSettings
from neuroclass.ephys.short_squares import short_square_features
from neuroclass.ephys.spontaneous import spontaneous_firing
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.ephys.sweep_words import together
from neuroclass.errors import SettingsError
from neuroclass.features import BY_NAME, FEATURE_NAMES, PERSON_FEATURES, Stimulus

_HOLDING_PA, _SAME_PA = 5.0, 1.0
_ASKED = {
    "seal_gohm": "seal resistance is measured before the recording: enter it",
    "input_resistance_mohm": "it is measured with voltage-clamp test pulses before the sweeps: enter it",
}


@dataclass(frozen=True, eq=False)
class CellFeatures:
    """The features measured on one cell's recording.

    Attributes
    ----------
    source, cell : str
        File name and cell name.
    values : dict of str to float
        Features that were measured or entered, in their stored units.
    missing : dict of str to str
        The other features, with the reason.
    provenance : dict of str to Provenance
        Where each value comes from.
    epochs : tuple of Epoch
        The stimuli of all sweeps.
    activity : dict of int to Activity
        Spikes of each whole sweep, by its number; the one count that everything shows.
    qc : tuple of Flag
        Quality flags of sweeps and cell, the gravest first.
    warnings : tuple of str
        Caveats about the values.
    caveats : dict of str to str
        Features whose value is spoiled, each with why.
    """

    source: str
    cell: str
    values: dict[str, float]
    missing: dict[str, str]
    provenance: dict[str, Provenance]
    epochs: tuple[Epoch, ...]
    activity: dict[int, Activity]
    qc: tuple[Flag, ...]
    warnings: tuple[str, ...]
    caveats: dict[str, str] = field(default_factory=dict)

    @property
    def n_spikes(self) -> dict[int, int]:
        """Spikes in each sweep, by its number."""
        return {number: len(one.spikes) for number, one in self.activity.items()}


def extract_features(
    recording: Recording,
    *,
    assignments: Mapping[tuple[int, int], Stimulus | None] | None = None,
    entered: Mapping[str, float] | None = None,
    settings: FeatureSettings = FeatureSettings(),
) -> CellFeatures:
    """Measure the features that a recording allows.

    Parameters
    ----------
    recording : Recording
        Current-clamp sweeps of one cell.
    assignments : mapping of (int, int) to Stimulus or None, optional
        Stimuli that override recognition, by sweep number and epoch index.
    entered : mapping of str to float, optional
        Features entered by hand, in stored units.
    settings : FeatureSettings
        How features are measured.

    Returns
    -------
    CellFeatures
        Values and missing features; together they cover all 41.

    Raises
    ------
    SettingsError
        An entered feature cannot be entered by hand or is not a positive number.
    """
    epochs = recording_epochs(recording, settings, assignments)
    activity = sweep_activity(recording, epochs, settings.spikes)
    responses = _responses(recording, epochs, activity, settings)
    used = [r for group in responses.values() for r in group]
    measured = Measured()
    for part in (
        noise_features(responses[Stimulus.NOISE], settings.noise_min_spikes),
        long_square_features(responses[Stimulus.LONG_SQUARE], settings),
        ramp_features(responses[Stimulus.RAMP]),
        short_square_features(responses[Stimulus.SHORT_SQUARE], settings.spikes),
    ):
        measured.values.update(part.values)
        measured.missing.update(part.missing)
        measured.provenance.update(part.provenance)
    _enter(measured, entered or {})
    _withhold_impossible(measured)
    _tell_holding(measured, epochs)
    firing = spontaneous_firing(activity, used)
    return CellFeatures(
        recording.source,
        recording.cell,
        {name: measured.values[name] for name in FEATURE_NAMES if name in measured.values},
        {name: measured.missing[name] for name in FEATURE_NAMES if name in measured.missing},
        measured.provenance,
        epochs,
        activity,
        quality_flags(recording.sweeps, epochs, used, activity, firing, settings.quality),
        (*recording.warnings, *_warnings(recording, epochs)),
        find_caveats(measured, used, firing, settings.quality),
    )


def _withhold_impossible(measured: Measured) -> None:
    """Move values that no neuron can have to the missing ones, with why."""
    for name, why in impossible(measured.values).items():
        del measured.values[name], measured.provenance[name]
        measured.missing[name] = why


def _tell_holding(measured: Measured, epochs: Sequence[Epoch]) -> None:
    """Add the holding current, and the current with it, to where each current was measured."""
    levels = {epoch.sweep_number: epoch.holding_pa for epoch in epochs}
    for name, place in measured.provenance.items():
        held = [levels[number] for number in place.sweeps]
        if BY_NAME[name].unit == "pA" and held:
            absolute = round(measured.values[name] + float(np.mean(held)), 6)
            measured.provenance[name] = replace(place, holding_pa=(min(held), max(held)), absolute_pa=absolute)


def recording_epochs(
    recording: Recording,
    settings: FeatureSettings = FeatureSettings(),
    assignments: Mapping[tuple[int, int], Stimulus | None] | None = None,
) -> tuple[Epoch, ...]:
    """Recognise the stimuli of all sweeps; constant squares beside varying stimuli are named test pulses."""
    epochs = [e for sweep in recording.sweeps for e in find_epochs(sweep, settings.protocols)]
    constant = _constant_pulses(epochs)
    given = assignments or {}
    out = []
    for epoch in epochs:
        key = (epoch.sweep_number, epoch.index)
        if key in given:
            out.append(replace(epoch, stimulus=given[key], note="assigned by hand"))
        elif _timing(epoch) in constant:
            out.append(replace(epoch, stimulus=None, note=TEST_PULSE))
        else:
            out.append(epoch)
    return tuple(out)


def _timing(epoch: Epoch) -> tuple[float, float]:
    return round(epoch.start_s, 3), round(epoch.duration_s, 3)


def _constant_pulses(epochs: Sequence[Epoch]) -> set[tuple[float, float]]:
    """Timings of squares with the same amplitude in every sweep and followed by another stimulus."""
    groups: dict[tuple[float, float], list[Epoch]] = {}
    for epoch in epochs:
        if epoch.stimulus is Stimulus.LONG_SQUARE:
            groups.setdefault(_timing(epoch), []).append(epoch)
    varied = {t for t, group in groups.items() if np.ptp([e.amplitude_pa for e in group]) > 5}
    followed = {
        _timing(e)
        for e in epochs
        for later in epochs
        if later.sweep_number == e.sweep_number and later.index > e.index and later.stimulus is not None
    } if varied else set()  # fmt: skip
    return {
        t
        for t, group in groups.items()
        if t not in varied and t in followed and len(group) >= 3 and np.ptp([e.amplitude_pa for e in group]) <= 5
    }


def _responses(
    recording: Recording, epochs: tuple[Epoch, ...], activity: Mapping[int, Activity], settings: FeatureSettings
) -> dict[Stimulus, list[Response]]:
    sweeps = {s.number: s for s in recording.sweeps}
    out: dict[Stimulus, list[Response]] = {stimulus: [] for stimulus in Stimulus}
    seen: set[tuple[int, Stimulus]] = set()
    for epoch in epochs:
        stimulus = epoch.stimulus
        if stimulus is None or not epoch.usable:
            continue
        key = (epoch.sweep_number, stimulus)
        if stimulus in (Stimulus.NOISE, Stimulus.SHORT_SQUARE) and key in seen:
            continue
        seen.add(key)
        sweep = sweeps[epoch.sweep_number]
        out[stimulus].append(respond(sweep, epoch, settings.spikes, activity[sweep.number]))
    return out


def _enter(measured: Measured, entered: Mapping[str, float]) -> None:
    for name, value in entered.items():
        if name not in PERSON_FEATURES:
            raise SettingsError(
                f"{name!r} cannot be entered; only {' and '.join(PERSON_FEATURES)} can, the others are measured."
            )
        if not (np.isfinite(value) and value > 0):
            raise SettingsError(f"{name} is {value}; expected a positive number.")
        measured.put(name, float(value), Provenance(note="entered by hand"), "")
    for name in PERSON_FEATURES:
        if name not in measured.values:
            measured.missing[name] = _ASKED[name]


def _warnings(recording: Recording, epochs: tuple[Epoch, ...]) -> list[str]:
    found = []
    if not any(s.current_known for s in recording.sweeps):
        found.append("The file does not tell the injected current, so no stimulus can be recognised.")
    elif not epochs:
        found.append("The injected current never leaves its holding level, so no stimulus can be recognised.")
    holding = [e.holding_pa for e in epochs if e.stimulus is not None]
    if holding and max(np.abs(holding)) > _HOLDING_PA:
        low, high = min(holding), max(holding)
        level = f"{low:.3g} to {high:.3g} pA, each sweep's own," if high - low > _SAME_PA else f"{low:.3g} pA"
        found.append(
            f"A holding current of {level} is subtracted from all currents, as in the database, whose stimuli leave "
            "it out; the current with it is given beside each value."
        )
    slowest = min((s.rate_hz for s in recording.sweeps), default=np.inf)
    if warning := rate_warning(slowest):
        found.append(warning)
    return [*found, *together((sweep.number, note) for sweep in recording.sweeps for note in sweep.notes)]


def sweep_of(recording: Recording, number: int) -> Sweep:
    """The sweep with a given number; raises KeyError if there is none."""
    for sweep in recording.sweeps:
        if sweep.number == number:
            return sweep
    raise KeyError(number)
