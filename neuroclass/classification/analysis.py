"""A recording measured once with the user's metadata, as verdict, views, report and export show it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from neuroclass.classification.metadata import CellMetadata
from neuroclass.ephys.cell_features import CellFeatures, extract_features
from neuroclass.ephys.conditions import Conditions, Corrected, to_reference
from neuroclass.ephys.settings import FeatureSettings
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.ephys.sweep_summary import SweepSummary, summarise_sweeps


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
        return summarise_sweeps(self.recording, self.features.epochs)

    @property
    def n_bytes(self) -> int:
        """Memory that the samples take."""
        return sum(sweep.v_mv.nbytes + sweep.i_pa.nbytes for sweep in self.recording.sweeps)

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
        """Sweeps with their epochs and quality flags, as JSON."""
        return tuple(_sweep(sweep, self.features) for sweep in self.recording.sweeps)

    def qc_json(self) -> tuple[dict[str, Any], ...]:
        """Quality flags, as JSON."""
        return tuple(vars(flag) for flag in self.features.qc)


def analyse(
    recording: Recording, metadata: CellMetadata | None = None, settings: FeatureSettings = FeatureSettings()
) -> RecordingAnalysis:
    """Measure a recording.

    Parameters
    ----------
    recording : Recording
        One cell's sweeps.
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
    return {
        "sweeps": list(place.sweeps),
        "spike": place.spike,
        "sample": place.sample,
        "time_s": place.time_s,
        "note": place.note,
    }


def _sweep(sweep: Sweep, cell: CellFeatures) -> dict[str, Any]:
    return {
        "number": sweep.number,
        **({"source": sweep.source} if sweep.source else {}),
        "clamp_mode": sweep.clamp_mode.value,
        "stimulus_name": sweep.stimulus_name,
        "rate_hz": sweep.rate_hz,
        "duration_s": sweep.duration_s,
        "n_spikes": cell.n_spikes.get(sweep.number, 0),
        "epochs": [
            {
                "stimulus": None if epoch.stimulus is None else epoch.stimulus.value,
                "start_s": epoch.start_s,
                "end_s": epoch.end_s,
                "amplitude_pa": epoch.amplitude_pa,
                "holding_pa": epoch.holding_pa,
                "note": epoch.note,
            }
            for epoch in cell.epochs
            if epoch.sweep_number == sweep.number
        ],
        "qc": [flag.name for flag in cell.qc if flag.sweep == sweep.number],
    }
