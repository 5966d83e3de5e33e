"""Fetching from the Allen database, against a server on the loopback interface that can misbehave."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.loading import load_cohort
from neuroclass.config import AllenSettings
from neuroclass.errors import FetchError, TableError
from neuroclass.io.allen import API_FEATURES, AllenCache, fetch_nwb, fetch_tables, read_tables
from neuroclass.io.download import FetchCancelled
from neuroclass.types.progress import Progress
from tests.io.allen_server import CELLS, FEATURES, NWB, SPECIMEN, Behaviour, allen_server, nobody


@pytest.fixture
def server() -> Iterator[tuple[AllenSettings, Behaviour]]:
    with allen_server() as (url, behaviour):
        yield AllenSettings(url), behaviour


@pytest.fixture
def cache(tmp_path: Path) -> AllenCache:
    return AllenCache(tmp_path / "allen")


def files_in(cache: AllenCache) -> list[str]:
    return sorted(str(path.relative_to(cache.folder)) for path in cache.folder.rglob("*"))


def test_tables_arrive_with_labels_units_and_features(server: Any, cache: AllenCache) -> None:
    rows = fetch_tables(cache, server[0]).set_index("id")
    assert list(rows.index) == [str(SPECIMEN), "2", "3", "4"]
    assert rows.loc["2", "subclass"] == "Pvalb"
    assert rows.loc["2", "broad"] == "inhibitory"
    assert rows.loc["3", "donor"] == "2"
    assert rows.loc[str(SPECIMEN), "species"] == "human"
    assert rows.loc[str(SPECIMEN), "broad"] == "excitatory"
    assert rows.loc["4", "subclass"] is None, "a spiny cell of an inhibitory line keeps no label"
    np.testing.assert_allclose(rows.loc["3", list(API_FEATURES)].astype(float), [FEATURES[2][n] for n in API_FEATURES])


def test_fetched_tables_are_read_without_the_server(cache: AllenCache) -> None:
    with allen_server() as (url, behaviour):
        fetched = fetch_tables(cache, AllenSettings(url))
        n_requests = len(behaviour.requests)
        assert cache.rows().equals(fetched)
        assert len(behaviour.requests) == n_requests
    assert cache.rows().equals(fetched)
    assert files_in(cache) == ["cells.json", "ephys_features.csv"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": 500}, "answered 500"),
        ({"body": b"<html><body>Sorry</body></html>"}, "not JSON"),
        ({"body": b'{"rows": []}'}, "did not answer the query"),
        ({"body": b"[1, 2]"}, "did not answer the query"),
        ({"success": False}, "did not answer the query"),
        ({"total_rows": 99}, "of 99 rows"),
        ({"break_after": 100}, "broke off"),
        ({"cells": [{"specimen__id": 1}]}, "lacks the columns"),
        ({"features": [{"specimen_id": 1}]}, "lacks the columns"),
        ({"features": ["text"]}, "another shape"),
        ({"features": []}, "other tables|another shape"),
        ({"cells": CELLS[4:]}, "no cell that has features"),
    ],
)
def test_a_wrong_answer_is_an_error_and_leaves_nothing(
    server: Any, cache: AllenCache, change: dict[str, Any], words: str
) -> None:
    settings, behaviour = server
    for name, value in change.items():
        setattr(behaviour, name, value)
    with pytest.raises(FetchError, match=words):
        fetch_tables(cache, settings)
    assert files_in(cache) == []


def test_a_failed_fetch_keeps_what_was_there(server: Any, cache: AllenCache) -> None:
    settings, behaviour = server
    before = fetch_tables(cache, settings)
    behaviour.features = FEATURES[:1]
    behaviour.break_after = 50
    with pytest.raises(FetchError):
        fetch_tables(cache, settings)
    assert cache.rows().equals(before)


def test_an_unreachable_server_is_named(cache: AllenCache) -> None:
    with nobody() as url, pytest.raises(FetchError, match="cannot be reached"):
        fetch_tables(cache, AllenSettings(url))


def test_a_recording_arrives_whole_and_once(server: Any, cache: AllenCache) -> None:
    settings, behaviour = server
    reports: list[Progress] = []
    path = fetch_nwb(cache, str(SPECIMEN), settings, reports.append)
    assert path.read_bytes() == NWB
    assert reports[-1] == Progress(f"specimen_{SPECIMEN}", len(NWB), len(NWB))
    assert files_in(cache) == [f"specimen_{SPECIMEN}", f"specimen_{SPECIMEN}/ephys.nwb"]
    n_requests = len(behaviour.requests)
    assert fetch_nwb(cache, str(SPECIMEN), settings) == path
    assert len(behaviour.requests) == n_requests


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": 500}, "answered 500"),
        ({"nwb": b"<html>Moved</html>"}, "not the file asked for"),
        ({"nwb": b""}, "not the file asked for"),
        ({"break_after": 500}, "broke off"),
    ],
)
def test_a_wrong_recording_leaves_no_file(server: Any, cache: AllenCache, change: dict[str, Any], words: str) -> None:
    settings, behaviour = server
    for name, value in change.items():
        setattr(behaviour, name, value)
    with pytest.raises(FetchError, match=words):
        fetch_nwb(cache, str(SPECIMEN), settings)
    assert files_in(cache) == []


def test_a_broken_download_resumes_where_the_server_can(server: Any, cache: AllenCache) -> None:
    settings, behaviour = server
    behaviour.ranges, behaviour.break_after = True, 500_000
    with pytest.raises(FetchError, match="broke off"):
        fetch_nwb(cache, str(SPECIMEN), settings)
    assert not cache.recordings()
    behaviour.break_after = None
    path = fetch_nwb(cache, str(SPECIMEN), settings)
    assert path.read_bytes() == NWB
    wanted = behaviour.requests[-1][1]
    assert wanted is not None
    assert 0 < int(wanted.removeprefix("bytes=").removesuffix("-")) <= 500_000
    assert files_in(cache) == [f"specimen_{SPECIMEN}", f"specimen_{SPECIMEN}/ephys.nwb"]


def test_a_download_can_be_cancelled(server: Any, cache: AllenCache) -> None:
    with pytest.raises(FetchCancelled):
        fetch_nwb(cache, str(SPECIMEN), server[0], cancelled=lambda: True)
    assert files_in(cache) == []


def test_two_downloads_of_one_file_do_not_mix(server: Any, cache: AllenCache) -> None:
    settings, _ = server
    refused: list[str] = []

    def interfere(progress: Progress) -> None:
        if progress.done > 5000 and not refused:
            with pytest.raises(FetchError, match="already") as caught:
                fetch_nwb(cache, str(SPECIMEN), settings)
            refused.append(str(caught.value))

    path = fetch_nwb(cache, str(SPECIMEN), settings, interfere)
    assert len(refused) == 1
    assert path.read_bytes() == NWB
    assert files_in(cache) == [f"specimen_{SPECIMEN}", f"specimen_{SPECIMEN}/ephys.nwb"]


def test_a_cell_without_a_recording_is_named(server: Any, cache: AllenCache) -> None:
    with pytest.raises(FetchError, match="no recording of specimen 7"):
        fetch_nwb(cache, "7", server[0])
    assert files_in(cache) == []


@pytest.mark.parametrize("specimen", ["", "../2", "2 or 1"])
def test_only_numbers_are_specimens(specimen: str, cache: AllenCache) -> None:
    with pytest.raises(FetchError, match="not a specimen"):
        fetch_nwb(cache, specimen)


def test_the_cache_drops_the_recordings_used_longest_ago(cache: AllenCache) -> None:
    import os

    for age, specimen in enumerate(("1", "2", "3")):
        path = cache.nwb_path(specimen)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 100)
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    assert cache.size_bytes() == 300
    assert cache.trim(150, keep="3") == ("2", "1")
    assert set(cache.recordings()) == {"3"}


def test_a_limit_below_the_recording_keeps_it(server: Any, cache: AllenCache) -> None:
    settings = AllenSettings(server[0].base_url, cache_limit_bytes=10)
    assert fetch_nwb(cache, str(SPECIMEN), settings).is_file()


def test_damaged_tables_are_named(cache: AllenCache) -> None:
    cache.folder.mkdir()
    (cache.folder / "cells.json").write_text("[{")
    (cache.folder / "ephys_features.csv").write_text("specimen_id\n")
    with pytest.raises(TableError, match="fetch again"):
        cache.rows()


def test_the_database_s_own_tables_agree_with_the_published_ones(real_data_dir: Path, tmp_path: Path) -> None:
    """Real rows of both, joined by specimen: same units, same labels, same donors."""
    details = pd.read_csv(real_data_dir / "cell_types_specimen_details.csv")
    cells_file = tmp_path / "cells.json"
    cells_file.write_text(details.to_json(orient="records"))
    rows = read_tables(cells_file, real_data_dir / "api_ephys_features_2018.csv").set_index("id")
    published = load_cohort(real_data_dir).frame.set_index("id")
    both = rows.index.intersection(published.index)
    assert len(both) > 1000
    ours, theirs = rows.loc[both], published.loc[both]
    for column in ("species", "donor", "structure", "broad"):
        assert (ours[column] == theirs[column]).mean() > 0.99, column
    mouse = (theirs["species"] == "mouse").to_numpy()
    assert (ours["subclass"][mouse] == theirs["subclass"][mouse]).mean() > 0.99
    for name in API_FEATURES:
        close = np.isclose(ours[name], theirs[name], rtol=1e-6, equal_nan=True)
        assert close.mean() > 0.9, f"{name}: an older release differs in a few rheobases"
