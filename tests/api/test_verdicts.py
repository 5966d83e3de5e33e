"""Verdicts in Python are those of the command line, as frames, figures and reports."""

import json
from pathlib import Path

import pandas as pd
import pytest

import neuroclass as nc
from neuroclass.cli import main
from neuroclass.errors import NeuroClassError, SettingsError
from neuroclass.features import FEATURE_NAMES


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nc.example_recording("pyramidal", tmp_path_factory.mktemp("examples"))


@pytest.fixture(scope="module")
def verdict(example: Path) -> nc.Verdict:
    return nc.classify(example)[0]


def test_a_verdict_is_that_of_the_command_line(
    example: Path, verdict: nc.Verdict, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", "--json", str(example)]) == 0
    (printed,) = json.loads(capsys.readouterr().out)
    mine = json.loads(json.dumps(verdict.answer.to_json()))
    for answer in (printed, mine):
        del answer["source"], answer["cell"]
    assert mine == printed
    assert verdict.label == "Glutamatergic"


def test_reasons_name_the_samples(verdict: nc.Verdict) -> None:
    reasons = verdict.explain()
    assert reasons.loc[reasons["shap"].abs().idxmax(), "measured_on"].startswith("sweep")
    assert verdict.explain("broad")["gate"].notna().sum() >= 0
    assert len(verdict.plot().data) >= 1 and len(verdict.plot_feature(str(reasons.index[0])).data) >= 1
    with pytest.raises(SettingsError, match="subclass, broad"):
        verdict.explain("layer")


@pytest.mark.parametrize("name", ["verdict.html", "verdict.pdf"])
def test_a_report_is_written(verdict: nc.Verdict, tmp_path: Path, name: str) -> None:
    path = verdict.report(tmp_path / name)
    assert path.read_bytes().startswith(b"<!doctype html" if path.suffix == ".html" else b"%PDF")


def test_a_report_of_another_kind_is_refused(verdict: nc.Verdict, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\.html or \.pdf"):
        verdict.report(tmp_path / "verdict.docx")


def test_a_frame_is_classified_like_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = nc.load_cohort().of_species("mouse").to_frame().loc[:, ["species", *FEATURE_NAMES]].head(3)
    found = nc.classify(frame, reasons=False)
    frame.rename_axis("cell").to_parquet(tmp_path / "cells.parquet")
    frame.rename_axis("cell").reset_index().to_parquet(tmp_path / "cells.parquet", index=False)
    assert main(["classify", "--json", "--no-reasons", str(tmp_path / "cells.parquet")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [one.answer.cell for one in found] == list(frame.index)
    assert [dict(one.subclass.probabilities) for one in found] == [one["subclass"] for one in printed]
    table = found.to_frame()
    assert table["cell"].tolist() == list(frame.index) and "p_Pvalb" in table


def test_what_is_refused_is_kept_and_warned_of(example: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.abf"
    damaged.write_bytes(b"ABF2 but no more")
    with pytest.warns(UserWarning, match="1 files or cells were refused"):
        found = nc.classify([example, damaged], reasons=False)
    assert len(found) == 1 and found.rejected[0].source == "damaged.abf"
    with pytest.raises(NeuroClassError):
        nc.classify(damaged)


def test_features_and_recordings_in_memory_are_classified(example: Path, verdict: nc.Verdict) -> None:
    recording = nc.read_recording(example)
    for source in (recording, nc.extract_features(recording)):
        (found,) = nc.classify(source, reasons=False)
        assert found.subclass.probabilities == verdict.subclass.probabilities


def test_slices_are_verdicts(verdict: nc.Verdict) -> None:
    several = nc.Verdicts([verdict, verdict])
    assert isinstance(several[:1], nc.Verdicts) and len(several[:1]) == 1
    assert isinstance(several.to_frame(), pd.DataFrame)
