"""A recording measured once with the user's metadata, as verdict, views, report and export show it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from neuroclass.checks.feature_table import species_of
from neuroclass.classification.metadata import CellMetadata
from neuroclass.ephys.cell_features import CellFeatures, extract_features
from neuroclass.ephys.conditions import Conditions, Corrected, to_reference
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.quality import Flag, ranked
from neuroclass.ephys.settings import FeatureSettings
from neuroclass.ephys.sweep import Recording
from neuroclass.ephys.sweep_summary import SweepSummary, summarise_sweeps
from neuroclass.features import Stimulus
from neuroclass.reference.health import health_flags

_LIVELY = 0.5


@dataclass(frozen=True, eq=False)
class RecordingAnalysis:
    """One cell's recording with everything measured on it; made by `analyse`.

    Attributes
    ----------
    recording : Recording
        The sweeps.
    features : CellFeatures
        Features as measured, with epochs, spike counts, quality flags and where each was measured.
    conditions : Conditions
        How the cell was recorded.
    """

    recording: Recording = field(repr=False)
    features: CellFeatures = field(repr=False)
    conditions: Conditions = Conditions()

    @cached_property
    def corrected(self) -> Corrected:
        """The features under the reference's recording conditions."""
        if not self.conditions.to_json():
            return Corrected(self.features.values, {}, ())
        return to_reference(self.features.values, self.conditions)

    @cached_property
    def sweeps(self) -> tuple[SweepSummary, ...]:
        """Every sweep with its stimuli and spikes."""
        return summarise_sweeps(self.recording, self.features.epochs, self.features.activity)

    @property
    def long_squares(self) -> list[tuple[SweepSummary, Epoch]]:
        """Every long square with its sweep."""
        found = [(one, epoch) for one in self.sweeps for epoch in one.epochs]
        return [pair for pair in found if pair[1].stimulus is Stimulus.LONG_SQUARE]

    @property
    def telling_square(self) -> tuple[SweepSummary, Epoch] | None:
        """The weakest long square that evokes at least half as many spikes as any other; None if none evokes any."""
        most = max((len(one.evoked_peaks) for one, _ in self.long_squares), default=0)
        lively = [pair for pair in self.long_squares if len(pair[0].evoked_peaks) >= _LIVELY * most] if most else []
        return min(lively, key=lambda pair: pair[1].amplitude_pa, default=None)

    @property
    def n_bytes(self) -> int:
        """Memory that the samples take."""
        every = (*self.recording.sweeps, *self.recording.left_out)
        return sum(sweep.v_mv.nbytes + sweep.i_pa.nbytes for sweep in every)

    @property
    def simulated(self) -> bool:
        """Whether the file says that the cell is simulated."""
        return self.recording.simulated

    def provenance(self) -> dict[str, dict[str, Any]]:
        """Where each feature was measured, and its value before a correction, as JSON."""
        places = {name: _place(self.features, name) for name in self.features.values}
        for name, value in self.corrected.measured.items():
            places[name]["as_measured"] = value
        return places

    def sweeps_json(self) -> tuple[dict[str, Any], ...]:
        """Sweeps with their epochs, what was recognised in one line, and quality flags, as JSON."""
        return tuple(_sweep(one, self.features) for one in self.sweeps)

    @property
    def qc(self) -> tuple[Flag, ...]:
        """Quality flags of sweeps and cell, the gravest first."""
        species = str(self.recording.metadata.get("species", "")).lower()
        known = species_of(species)
        return ranked([*health_flags(self.corrected.features, known.value if known else ""), *self.features.qc])

    def qc_json(self) -> tuple[dict[str, Any], ...]:
        """Quality flags, as JSON."""
        return tuple(flag.to_json() for flag in self.qc)


def analyse(
    recording: Recording, metadata: CellMetadata | None = None, settings: FeatureSettings = FeatureSettings()
) -> RecordingAnalysis:
    """Measure a recording.

    Parameters
    ----------
    recording : Recording
        One cell's sweeps, without those that `leave_out` takes away.
    metadata : CellMetadata, optional
        Corrected stimuli, entered values and recording conditions.
    settings : FeatureSettings
        How features are measured.

    Returns
    -------
    RecordingAnalysis

    Raises
    ------
    SettingsError
        If an entered value is not one that is entered by hand, or not a positive number.
    """
    metadata = metadata or CellMetadata()
    features = extract_features(
        recording, assignments=metadata.assignments, entered=metadata.entered, settings=settings
    )
    return RecordingAnalysis(recording, features, metadata.conditions)


def _place(cell: CellFeatures, name: str) -> dict[str, Any]:
    place = cell.provenance[name]
    found: dict[str, Any] = {
        "sweeps": list(place.sweeps),
        "spike": place.spike,
        "sample": place.sample,
        "time_s": place.time_s,
        "note": place.note,
    }
    if place.holding_pa is not None:
        found |= {"holding_pa": list(place.holding_pa), "absolute_pa": place.absolute_pa}
    if name in cell.caveats:
        found["caveat"] = cell.caveats[name]
    return found


def _sweep(summary: SweepSummary, cell: CellFeatures) -> dict[str, Any]:
    sweep = summary.sweep
    return {
        "number": sweep.number,
        **({"source": sweep.source} if sweep.source else {}),
        "clamp_mode": sweep.clamp_mode.value,
        "stimulus_name": sweep.stimulus_name,
        "rate_hz": sweep.rate_hz,
        "duration_s": sweep.duration_s,
        "recognised": summary.recognised,
        "n_spikes": len(summary.spikes),
        "n_spikes_at_rest": int(summary.activity.at_rest.sum()),
        "epochs": [
            {
                "stimulus": None if epoch.stimulus is None else epoch.stimulus.value,
                "start_s": epoch.start_s,
                "end_s": epoch.end_s,
                "amplitude_pa": epoch.amplitude_pa,
                "holding_pa": epoch.holding_pa,
                "absolute_pa": epoch.amplitude_pa + epoch.holding_pa,
                "n_spikes": int(summary.activity.within(epoch).sum()),
                "note": epoch.note,
            }
            for epoch in summary.epochs
        ],
        "qc": [flag.name for flag in cell.qc if flag.sweep == sweep.number],
    }
