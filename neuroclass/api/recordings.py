"""Recordings and their features."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from neuroclass.classification.measurement import MeasuredCell, measured_recording
from neuroclass.classification.metadata import CellMetadata, parse_protocols
from neuroclass.ephys.conditions import Conditions
from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import RecordingError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings as read_file
from neuroclass.report.content import own_trace
from neuroclass.report.places import panel_of


def read_recordings(path: str | Path, channels: ChannelMapping | None = None) -> tuple[Recording, ...]:
    """Read every cell of a file, as sweeps in mV, pA and s.

    Parameters
    ----------
    path : str or Path
        A recording in one of the formats that the dashboard reads.
    channels : ChannelMapping, optional
        Channels, units, gains and offsets, where the file's own are wrong. The `RecordingError` of a refused file has
        ``proposals``: ``ChannelMapping(**proposal.options)`` reads it so.

    Returns
    -------
    tuple of Recording
        One per cell; `Recording.sweeps` hold ``v_mv``, ``i_pa``, ``rate_hz`` and ``t``.

    Raises
    ------
    RecordingError
        Or one of its kinds, which says what was found, what was expected and what to do.

    Examples
    --------
    >>> import neuroclass as nc
    >>> path = nc.example_recording()
    >>> [recording.cell for recording in nc.read_recordings(path)]
    ['fast-spiking']
    """
    return read_file(Path(path), name=Path(path).name, mapping=channels or ChannelMapping(), limits=ReadLimits())


def read_recording(path: str | Path, cell: str | None = None, channels: ChannelMapping | None = None) -> Recording:
    """Read one cell of a file, as sweeps in mV, pA and s.

    Parameters
    ----------
    path : str or Path
        A recording in one of the formats that the dashboard reads.
    cell : str, optional
        The cell's name, where the file holds several.
    channels : ChannelMapping, optional
        Channels and units, where the file's own are wrong.

    Returns
    -------
    Recording

    Raises
    ------
    RecordingError
        If the file holds several cells and none is named, or none of that name; see also `read_recordings`.

    Examples
    --------
    >>> import neuroclass as nc
    >>> recording = nc.read_recording(nc.example_recording())
    >>> sweep = recording.sweeps[0]
    >>> bool(sweep.v_mv.shape == sweep.i_pa.shape == sweep.t.shape)
    True
    """
    found = read_recordings(path, channels)
    chosen = [one for one in found if cell in (None, one.cell)]
    if len(chosen) != 1:
        names = ", ".join(one.cell for one in found)
        raise RecordingError(
            f"{Path(path).name} holds {len(found)} cells ({names}); name one of them with cell=, or read all with "
            "read_recordings."
        )
    return chosen[0]


@dataclass(frozen=True)
class ExtractedFeatures:
    """The features of one cell; made by `extract_features`.

    Attributes
    ----------
    cell : MeasuredCell
        All that was measured.

    Examples
    --------
    >>> import neuroclass as nc
    >>> features = nc.extract_features(nc.example_recording())
    >>> sorted(features.missing)
    ['input_resistance_mohm', 'seal_gohm']
    >>> features.sweeps["stimulus"].unique().tolist()
    ['long_square', 'short_square', 'ramp', 'noise']
    >>> figure = features.plot("tau")
    """

    cell: MeasuredCell

    def to_series(self) -> "pd.Series[float]":
        """The 41 features by name, stored units, NaN where missing."""
        return pd.Series(self.cell.row(), index=list(FEATURE_NAMES), name=self.cell.cell)

    @property
    def provenance(self) -> Mapping[str, Mapping[str, Any]]:
        """Where each feature was measured: ``sweeps``, ``spike``, ``sample``, ``time_s``, ``note``."""
        return self.cell.provenance

    @property
    def missing(self) -> Mapping[str, str]:
        """Why each of the other features is missing."""
        return self.cell.missing

    @property
    def qc(self) -> pd.DataFrame:
        """Quality flags, one a row."""
        return pd.DataFrame(list(self.cell.qc))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What one should know about the recording."""
        return self.cell.warnings

    @property
    def sweeps(self) -> pd.DataFrame:
        """One row an epoch: sweep, stimulus, start and end (s), amplitude (pA), spikes in the sweep."""
        rows = [
            {"sweep": sweep["number"], **epoch, "n_spikes": sweep["n_spikes"]}
            for sweep in self.cell.sweeps
            for epoch in sweep["epochs"]
        ]
        return pd.DataFrame(rows)

    def plot(self, feature: str) -> go.Figure:
        """Draw the samples that a feature was measured on.

        Raises
        ------
        RecordingError
            If the feature was not measured on a sweep.
        """
        from neuroclass.charts.comparison import side_by_side
        from neuroclass.report.places import aligned_on

        analysis = self.cell.analysis
        panel = None if analysis is None else panel_of(own_trace(self.cell, analysis, analysis.simulated), feature)
        if panel is None:
            why = self.missing.get(feature, "no sweep is behind it")
            raise RecordingError(f"{feature} was not measured on a sweep: {why}.")
        return side_by_side([panel], aligned_on(feature))


def extract_features(
    recording: Recording | str | Path,
    *,
    stimuli: Mapping[str, str] | None = None,
    entered: Mapping[str, float] | None = None,
    conditions: Conditions | None = None,
    species: str | None = None,
    without_sweeps: Collection[int] = (),
) -> ExtractedFeatures:
    """Measure the 41 features of a recording.

    Parameters
    ----------
    recording : Recording, str or Path
        From `read_recording`, or a file of one cell.
    stimuli : mapping of str to str, optional
        Corrected stimuli, such as ``{"3": "ramp"}``, or ``{"3.1": "none"}`` for a sweep's second epoch.
    entered : mapping of str to float, optional
        Features that only a person knows, such as ``{"seal_gohm": 2.0}``, stored units.
    conditions : Conditions, optional
        How the cell was recorded.
    species : str, optional
        ``mouse`` or ``human``, where the file does not say.
    without_sweeps : collection of int
        Sweeps to leave out, numbered as in the file.

    Returns
    -------
    ExtractedFeatures

    Raises
    ------
    RecordingError
        See `read_recording`; also if there is no such sweep to leave out, or none would be left.

    Examples
    --------
    >>> import neuroclass as nc
    >>> features = nc.extract_features(nc.read_recording(nc.example_recording()))
    >>> features.to_series().shape
    (41,)
    >>> features.provenance["threshold_i_long_square"]["sweeps"]
    [8]
    """
    if not isinstance(recording, Recording):
        recording = read_recording(recording)
    texts = [f"{place}={name}" for place, name in (stimuli or {}).items()]
    metadata = CellMetadata(
        species,
        dict(entered or {}),
        None,
        parse_protocols(texts),
        conditions or Conditions(),
        without_sweeps=frozenset(without_sweeps),
    )
    return ExtractedFeatures(measured_recording(recording, metadata))
