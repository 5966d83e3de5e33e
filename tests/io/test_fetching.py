"""Fetching in the background against a loopback server."""

import threading
import time
from pathlib import Path

import pytest

from neuroclass.config import AllenSettings
from neuroclass.errors import SettingsError
from neuroclass.io.allen import AllenCache
from neuroclass.io.fetching import (
    GIGABYTE,
    Fetch,
    Fetches,
    FetchState,
    cache_limit,
    partial_bytes,
    set_cache_limit,
)
from tests.io.allen_server import NWB, SPECIMEN, allen_server

NAME = str(SPECIMEN)


def _ended(fetches: Fetches) -> Fetch:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        one = fetches.look(NAME)
        assert one is not None
        if one.state is not FetchState.RUNNING:
            return one
        time.sleep(0.02)
    raise AssertionError("the fetch did not end")


def test_a_fetch_reports_and_ends(tmp_path: Path) -> None:
    cache, fetches = AllenCache(tmp_path), Fetches()
    assert fetches.look(NAME) is None
    with allen_server() as (url, _):
        fetches.start(cache, NAME, AllenSettings(url))
        end = _ended(fetches)
    assert (end.state, end.done_bytes, end.total_bytes) == (FetchState.DONE, len(NWB), len(NWB))
    assert cache.nwb_path(NAME).read_bytes() == NWB


def test_a_broken_fetch_says_why_and_is_resumed(tmp_path: Path) -> None:
    cache, fetches = AllenCache(tmp_path), Fetches()
    with allen_server() as (url, behaviour):
        behaviour.ranges, behaviour.break_after = True, 300_000
        fetches.start(cache, NAME, AllenSettings(url))
        end = _ended(fetches)
        assert end.state is FetchState.FAILED
        assert "broke off" in end.message
        assert 0 < partial_bytes(cache, NAME) <= 300_000
        behaviour.break_after = None
        fetches.start(cache, NAME, AllenSettings(url))
        assert _ended(fetches).state is FetchState.DONE
        assert behaviour.requests[-1][1] is not None
    assert cache.nwb_path(NAME).read_bytes() == NWB
    assert partial_bytes(cache, NAME) == 0


def test_a_cancelled_fetch_leaves_no_recording(tmp_path: Path) -> None:
    cache, fetches = AllenCache(tmp_path), Fetches()
    with allen_server() as (url, behaviour):
        behaviour.second_half = threading.Event()
        fetches.start(cache, NAME, AllenSettings(url))
        fetches.cancel(NAME)
        behaviour.second_half.set()
        assert _ended(fetches).state is FetchState.CANCELLED
    assert not cache.nwb_path(NAME).exists()


def test_the_limit_is_kept_and_trims(tmp_path: Path) -> None:
    cache = AllenCache(tmp_path / "allen")
    assert cache_limit(cache) == 20 * GIGABYTE
    path = cache.nwb_path(NAME)
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(1000))
    assert set_cache_limit(cache, 2000) == ()
    assert cache_limit(cache) == 2000
    assert set_cache_limit(cache, 10) == (NAME,)
    assert not path.exists()
    with pytest.raises(SettingsError):
        set_cache_limit(cache, -1)
