"""Recordings and features in Python are those of the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

import neuroclass as nc
from neuroclass.cli import main
from neuroclass.errors import RecordingError, SettingsError
from neuroclass.features import FEATURE_NAMES


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nc.example_recording("awkward", tmp_path_factory.mktemp("examples"))


def test_an_example_says_that_it_is_simulated(example: Path) -> None:
    recording = nc.read_recording(example)
    assert recording.simulated
    assert "Simulated" in recording.warnings[0]


def test_an_unknown_example_is_refused() -> None:
    with pytest.raises(SettingsError, match="fast-spiking, pyramidal, awkward"):
        nc.example_recording("martinotti")


def test_features_are_those_of_the_command_line(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    features = nc.extract_features(nc.read_recording(example), species="mouse")
    series = features.to_series()
    assert list(series.index) == list(FEATURE_NAMES)
    assert set(series.index[series.isna()]) == set(features.missing)
    assert main(["extract", str(example), "--json"]) == 0
    (printed,) = json.loads(capsys.readouterr().out)
    measured = {name: value for name, value in printed["features"].items() if value is not None}
    assert measured == series.dropna().to_dict()


def test_a_corrected_stimulus_reaches_the_features(example: Path) -> None:
    recording = nc.read_recording(example)
    everything = {str(sweep.number): "none" for sweep in recording.sweeps}
    assert nc.extract_features(recording, stimuli=everything).to_series().notna().sum() == 0


def test_a_feature_is_drawn_where_it_was_measured(example: Path) -> None:
    features = nc.extract_features(example)
    assert len(features.plot("tau").data) > 1
    with pytest.raises(RecordingError, match="was not measured on a sweep"):
        features.plot("seal_gohm")


def test_sweeps_are_arrays_with_units(example: Path) -> None:
    recording = nc.read_recording(example)
    sweep = recording.sweeps[0]
    assert sweep.t[1] == pytest.approx(1 / sweep.rate_hz)
    assert -120 < np.median(sweep.v_mv) < -20
    with pytest.raises(RecordingError, match="name one of them"):
        nc.read_recording(example, cell="nobody")
