"""Which cells are loaded, and how published tables become a cohort."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.commands.cohort import describe, summary
from neuroclass.config import AllenSettings
from neuroclass.errors import FetchError, TableError
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from neuroclass.io.allen import API_FEATURES, AllenCache, fetch_tables
from tests.io.allen_server import SPECIMEN, allen_server

NOISE = features_of(Stimulus.NOISE)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data and an empty cache."""
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    return tmp_path


def published_folder(folder: Path, specimens: tuple[str, ...] = ("2", "3")) -> Path:
    """A published mouse table of two invented cells."""
    folder.mkdir()
    table = pd.DataFrame({name: [float(k), k + 0.5] for k, name in enumerate(FEATURE_NAMES)})
    table.insert(0, "transgenic_line", ["Pvalb+", "Glutamatergic"])
    table.insert(1, "dendrite_type", ["aspiny", "spiny"])
    table.insert(2, "layer", ["L2/L3", "L5"])
    table["file_name"] = [f"{specimen}_40" for specimen in specimens]
    table.to_csv(folder / "actb_mouse_ephys_features.csv", index=False)
    return folder


def fetched(folder: Path) -> AllenCache:
    cache = AllenCache(folder)
    with allen_server() as (url, _):
        fetch_tables(cache, AllenSettings(url))
    return cache


def test_with_nothing_there_it_is_the_demo_and_says_so() -> None:
    cohort = load_cohort()
    assert cohort.simulated
    assert "simulated" in cohort.source
    assert any("none was recorded" in note for note in cohort.notes)
    assert len(cohort.complete()) == len(cohort) >= 300


@pytest.mark.usefixtures("allensdk")
def test_a_named_folder_wins(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched(nowhere / "cache" / "allen")
    folder = published_folder(nowhere / "tables")
    cohort = load_cohort(folder)
    assert str(folder) in cohort.source
    assert not cohort.simulated
    assert list(cohort.column("id")) == ["2", "3"]
    assert list(cohort.column("subclass")) == ["Pvalb", "Glutamatergic"]
    assert list(cohort.column("layer")) == ["2/3", "5"]
    assert any("each cell counts as its own donor" in note for note in cohort.notes)


@pytest.mark.usefixtures("allensdk")
def test_fetched_tables_come_before_published_ones(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched(nowhere / "cache" / "allen")
    monkeypatch.setenv("NEUROCLASS_DATA", str(published_folder(nowhere / "tables")))
    cohort = load_cohort()
    frame = cohort.frame.set_index("id")
    assert "Allen Cell Types Database" in cohort.source
    assert list(frame.index) == [str(SPECIMEN), "2", "3", "4"]
    assert frame.loc["2", NOISE[3]] == 3.0, "noise features come from the published tables"
    assert frame.loc["4", list(NOISE)].isna().all()
    assert frame.loc["2", API_FEATURES[0]] == 1.0, "the others from the database"


@pytest.mark.usefixtures("allensdk")
def test_fetched_tables_alone_say_that_noise_is_missing(nowhere: Path) -> None:
    fetched(nowhere / "cache" / "allen")
    cohort = load_cohort()
    assert cohort.frame[list(NOISE)].isna().all(axis=None)
    assert any("noise" in note for note in cohort.notes)


@pytest.mark.usefixtures("allensdk")
@pytest.mark.parametrize("named", ["environment", "argument"])
def test_a_folder_may_be_an_allensdk_cache(nowhere: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    folder = fetched(nowhere / "elsewhere").folder
    if named == "environment":
        monkeypatch.setenv("NEUROCLASS_DATA", str(folder))
    cohort = load_cohort(folder if named == "argument" else None)
    assert len(cohort) == 4
    assert str(folder) in cohort.source


def test_the_published_folder_of_the_environment(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCLASS_DATA", str(published_folder(nowhere / "tables")))
    assert len(load_cohort()) == 2


@pytest.mark.parametrize("named", ["environment", "argument"])
def test_a_folder_that_is_not_there_is_named(nowhere: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    missing = nowhere / "absent"
    if named == "environment":
        monkeypatch.setenv("NEUROCLASS_DATA", str(missing))
    with pytest.raises(TableError, match="absent"):
        load_cohort(missing if named == "argument" else None)


def test_an_empty_folder_is_no_data(nowhere: Path) -> None:
    with pytest.raises(TableError, match="neither"):
        load_cohort(nowhere)


def test_the_real_tables_count_as_published(real_cohort: Cohort) -> None:
    answer = summary(real_cohort)
    mouse, human = answer["mouse"], answer["human"]
    assert mouse["n_cells"] == 1424
    assert mouse["subclass"] == {"Glutamatergic": 700, "Pvalb": 231, "Sst": 173, "Vip": 121, "Htr3a": 199}
    assert mouse["broad"] == {"excitatory": 700, "inhibitory": 724}
    assert (mouse["n_donors"], mouse["n_complete"]) == (809, 1382)
    assert (human["n_cells"], human["n_donors"]) == (299, 41)
    assert human["broad"] == {"excitatory": 231, "inhibitory": 68}
    assert "1,424 cells of 809 donors" in describe(answer)


def test_without_allensdk_a_fetch_says_what_to_install(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "allensdk.api.queries.cell_types_api", None)
    monkeypatch.delitem(sys.modules, "neuroclass.io.allen_client", raising=False)
    with pytest.raises(FetchError, match=r"neuroclass\[allen\]"):
        fetch_tables(AllenCache(nowhere / "cache"), AllenSettings("http://localhost:1"))
