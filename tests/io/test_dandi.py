"""Dandisets over the real client, recordings over HTTP ranges, from an archive that behaves as servers do."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from neuroclass.config import PROJECT_DIR, DandiSettings
from neuroclass.errors import (
    ChecksumError,
    ClampModeError,
    EmbargoedError,
    FetchError,
    NeuroClassError,
    NotInArchiveError,
    RecordingError,
    SettingsError,
    UnreadableAssetError,
    UnsafeFileError,
)
from neuroclass.io import polite
from neuroclass.io.dandi import Asset, Choice, Dandiset, list_assets, matching, open_dandiset
from neuroclass.io.dandi_cache import PARTIAL, trim
from neuroclass.io.dandi_fetch import dandi_folder, fetch_asset, look, place_of
from neuroclass.io.origin import SWEEPS, WHOLE, origin_of
from neuroclass.io.polite import PoliteSession, is_allowed
from neuroclass.io.range_file import RangeFile
from neuroclass.io.recordings import read_recordings
from tests.io.allen_server import nobody
from tests.io.dandi_server import CITATION, NUMBER, VERSION, Archive, Stored, dandi_server, stored
from tests.io.nwb_files import write_nwb2
from tests.io.simulated import squares

PATH = "sub-1/sub-1_icephys.nwb"
MOVIE = 20_000_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cell's long squares, nothing else."""
    return write_nwb2(tmp_path_factory.mktemp("small") / "small.nwb", {"cell": squares()})


@pytest.fixture(scope="module")
def large(small: Path) -> Path:
    """The same beside voltage clamp and a movie, which no one needs."""
    path = small.with_name("large.nwb")
    path.write_bytes(small.read_bytes())
    with h5py.File(path, "a") as file:
        file.create_dataset("analysis/movie", data=np.random.default_rng(0).random(MOVIE // 8))
        held = file["acquisition"].create_group("held_099")
        held.attrs.update({"neurodata_type": "VoltageClampSeries", "namespace": "core", "sweep_number": 99})
        data = held.create_dataset("data", data=np.random.default_rng(1).random(100_000))
        data.attrs["unit"] = "amperes"
        held.create_dataset("starting_time", data=0.0).attrs["rate"] = 50_000.0
    return path


@pytest.fixture
def archive(small: Path, large: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Archive]:
    """An archive with a small and a large recording, and nothing to wait for."""
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    files = (stored(small, PATH), stored(large, "sub-2/sub-2_icephys.nwb", subject="2"))
    with dandi_server(*files) as (url, archive):
        monkeypatch.setenv("NEUROCLASS_DANDI_URL", url)
        yield archive


def _asset(path: str) -> tuple[Dandiset, Asset]:
    dandiset = open_dandiset(NUMBER)
    (asset,) = matching(dandiset, Choice(paths=(path,)))
    return dandiset, asset


def test_the_latest_published_version_is_taken_and_cited(archive: Archive) -> None:
    dandiset = open_dandiset("20")
    assert (dandiset.id, dandiset.version, dandiset.citation) == (NUMBER, VERSION, CITATION)
    assert open_dandiset(NUMBER, "draft").version == "draft"


def test_a_draft_is_taken_by_name_only(archive: Archive) -> None:
    archive.published = False
    with pytest.raises(NotInArchiveError, match="version draft"):
        open_dandiset(NUMBER)
    assert open_dandiset(NUMBER, "draft").version == "draft"


@pytest.mark.parametrize(("number", "version"), [("999999", ""), (NUMBER, "0.1.2")])
def test_what_the_archive_does_not_have_is_said(archive: Archive, number: str, version: str) -> None:
    with pytest.raises(NotInArchiveError, match="Check number and version"):
        open_dandiset(number, version)


@pytest.mark.parametrize("number", ["", "abc", "1234567", "../1", "²"])
def test_a_number_that_is_none_is_refused_before_anything_is_asked(archive: Archive, number: str) -> None:
    with pytest.raises(SettingsError, match="six digits"):
        open_dandiset(number)
    assert archive.requests == []


def test_an_embargoed_dandiset_is_said_to_be_one(archive: Archive) -> None:
    archive.embargoed = True
    with pytest.raises(EmbargoedError, match="embargoed or private"):
        open_dandiset(NUMBER)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"results": 3}', b"null", b'"text"'])
def test_an_answer_of_another_form_is_said(archive: Archive, body: bytes) -> None:
    archive.body = body
    with pytest.raises(FetchError, match=r"another form|has no"):
        open_dandiset(NUMBER)


def test_without_network_it_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polite.time, "sleep", lambda _: pytest.fail("it waited"))
    with nobody() as url, pytest.raises(FetchError, match="cannot be reached"):
        open_dandiset(NUMBER, settings=DandiSettings(f"{url}/api"))


def test_a_long_listing_comes_page_by_page_and_as_far_as_it_is_wanted(archive: Archive) -> None:
    archive.files = [Stored(f"sub-{k:04d}/x.nwb", b"x" * k, subject=str(k)) for k in range(1, 451)]
    dandiset = open_dandiset(NUMBER)
    assert [one.path for one in list_assets(dandiset)] == [one.path for one in archive.files]
    archive.requests.clear()
    assert len(list_assets(dandiset, limit=3)) == 3
    assert len(archive.requests) < 4


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(subjects=("2",)), ["sub-2/sub-2_icephys.nwb"]),
        (Choice(subjects=("sub-1", "2")), [PATH, "sub-2/sub-2_icephys.nwb"]),
        (Choice(glob="sub-*/*1_icephys.nwb"), [PATH]),
        (Choice(paths=("sub-1",)), [PATH]),
        (Choice(paths=("sub-1/sub-1_icephys",)), [PATH]),
        (Choice(paths=("sub-",)), []),
        (Choice(largest=10_000_000), [PATH]),
    ],
)
def test_files_are_chosen(archive: Archive, choice: Choice, expected: list[str]) -> None:
    found = list_assets(open_dandiset(NUMBER), choice)
    assert [one.path for one in found] == expected
    assert all((one.species, one.age) == ("Mus musculus", "P60D") for one in found)


def test_a_subject_is_not_the_beginning_of_another(archive: Archive) -> None:
    archive.files = [Stored("sub-1/a.nwb", b"a"), Stored("sub-10/a.nwb", b"a", subject="10")]
    assert [a.path for a in list_assets(open_dandiset(NUMBER), Choice(subjects=("1",)))] == ["sub-1/a.nwb"]


def test_the_sweep_table_reads_metadata_only(archive: Archive, large: Path) -> None:
    dandiset, asset = _asset("sub-2")
    archive.served = 0
    table = look(dandiset, asset)
    assert [sweep["number"] for sweep in table.sweeps] == [*range(5), 99]
    assert [sweep["clamp"] for sweep in table.sweeps] == ["current clamp"] * 5 + ["voltage clamp"]
    assert table.sweeps[0]["stimulus"] == squares().sweeps[0].stimulus_name
    assert table.sweeps[0]["duration_s"] == pytest.approx(squares().sweeps[0].duration_s)
    assert table.subject == {"subject_id": "1", "species": "Mus musculus", "age": "P60D", "sex": "M"}
    assert table.transferred == archive.served < large.stat().st_size / 10


def test_only_the_needed_sweeps_are_fetched_and_they_are_the_same(archive: Archive, large: Path) -> None:
    dandiset, asset = _asset("sub-2")
    archive.served = 0
    fetched = fetch_asset(dandiset, asset)
    assert fetched.how == SWEEPS
    assert fetched.transferred == archive.served < large.stat().st_size - MOVIE
    (read,) = read_recordings(fetched.path)
    (expected,) = read_recordings(large)
    assert read.metadata == expected.metadata
    assert read.cell == fetched.path.stem
    for found, wanted in zip(read.sweeps, expected.sweeps, strict=True):
        assert (found.number, found.rate_hz, found.stimulus_name) == (
            wanted.number,
            wanted.rate_hz,
            wanted.stimulus_name,
        )
        np.testing.assert_allclose(found.v_mv, wanted.v_mv, atol=1e-4)
        np.testing.assert_allclose(found.i_pa, wanted.i_pa, atol=1e-4)


def test_where_the_needed_sweeps_are_nearly_all_the_whole_file_comes_and_is_compared(
    archive: Archive, small: Path
) -> None:
    dandiset, asset = _asset("sub-1")
    fetched = fetch_asset(dandiset, asset)
    assert (fetched.how, fetched.verified) == (WHOLE, "sha256")
    assert fetched.path.read_bytes() == small.read_bytes()
    assert not (fetched.path.parents[2] / "partial").exists()


def test_the_etag_is_compared_where_there_is_no_sha256(archive: Archive, small: Path, tmp_path: Path) -> None:
    dandiset, asset = _asset("sub-1")
    etag = f"{hashlib.md5(hashlib.md5(small.read_bytes()).digest()).hexdigest()}-1"
    listed = Asset(**{**vars(asset), "sha256": "", "etag": etag})
    assert fetch_asset(dandiset, listed, tmp_path).verified == "dandi-etag"
    wrong = Asset(**{**vars(asset), "id": "other", "sha256": "", "etag": etag[::-1]})
    with pytest.raises(ChecksumError):
        fetch_asset(dandiset, wrong, tmp_path / "other")


def test_what_is_here_is_not_fetched_again(archive: Archive) -> None:
    for place in ("sub-1", "sub-2"):
        first = fetch_asset(*_asset(place))
        archive.served = 0
        again = fetch_asset(*_asset(place))
        assert (again.path, again.how, again.transferred, archive.served) == (first.path, first.how, 0, 0)


def test_another_version_of_a_file_takes_its_place(archive: Archive, large: Path) -> None:
    old = fetch_asset(*_asset("sub-1"))
    archive.files[0] = Stored(PATH, large.read_bytes(), id="00000000-0000-0000-0000-000000000001")
    new = fetch_asset(*_asset("sub-1"))
    assert (new.path, new.how) == (old.path, SWEEPS)
    assert origin_of(new.path)["asset"] == archive.files[0].id


def test_the_whole_file_comes_where_it_is_asked_for(archive: Archive, large: Path) -> None:
    dandiset, asset = _asset("sub-2")
    fetch_asset(dandiset, asset)
    assert fetch_asset(dandiset, asset, whole=True).path.read_bytes() == large.read_bytes()


def test_the_origin_is_kept_for_the_file_and_for_copies_of_it(archive: Archive, tmp_path: Path) -> None:
    fetched = fetch_asset(*_asset("sub-1"))
    origin = origin_of(fetched.path)
    assert (origin["citation"], origin["version"], origin["path"]) == (CITATION, VERSION, PATH)
    assert origin_of(tmp_path / "copy", hashlib.sha256(fetched.path.read_bytes()).hexdigest()) == origin
    assert origin_of(tmp_path / "copy", "0" * 64) == {}


def test_a_wrong_checksum_deletes_what_came(archive: Archive) -> None:
    archive.files[0].sha256 = "0" * 64
    dandiset, asset = _asset("sub-1")
    with pytest.raises(ChecksumError, match="deleted; fetch it again"):
        fetch_asset(dandiset, asset)
    archive.files[0].sha256 = None
    assert fetch_asset(*_asset("sub-1")).verified == "sha256"


def test_an_error_of_the_line_is_not_in_the_file(archive: Archive, small: Path) -> None:
    archive.break_after, archive.breaks = 70_000, 3
    assert fetch_asset(*_asset("sub-1")).path.read_bytes() == small.read_bytes()
    assert archive.breaks == 0


@pytest.mark.parametrize("place", ["sub-1", "sub-2"])
def test_what_came_before_a_break_is_not_fetched_again(archive: Archive, place: str) -> None:
    dandiset, asset = _asset(place)
    archive.served = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuroclass.io.range_file.ATTEMPTS", 1)
        archive.break_after, archive.breaks = 100_000, -1
        with pytest.raises(FetchError, match=r"broke off|cannot be reached"):
            fetch_asset(dandiset, asset)
    archive.breaks = 0
    fetched = fetch_asset(dandiset, asset)
    assert archive.served <= asset.size + 100_000
    assert fetched.path.is_file()


@pytest.mark.parametrize("place", ["sub-1", "sub-2"])
def test_a_server_that_ignores_ranges_gives_the_whole_file_once(archive: Archive, place: str) -> None:
    archive.ranges = False
    dandiset, asset = _asset(place)
    archive.served = 0
    fetched = fetch_asset(dandiset, asset)
    assert (fetched.how, fetched.verified, archive.served) == (WHOLE, "sha256", asset.size)


@pytest.mark.parametrize("answer", [(429, {"Retry-After": "1"}), (503, {}), (503, {"Retry-After": "0"}), (500, {})])
@pytest.mark.parametrize("where", ["busy", "busy_store"])
def test_a_busy_server_is_asked_again_after_the_time_that_it_names(
    archive: Archive, answer: tuple[int, dict[str, str]], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(polite.PoliteSession.__init__, "__defaults__", (waited.append,))
    setattr(archive, where, [answer, answer])
    fetch_asset(*_asset("sub-1"))
    assert len(waited) == 2
    assert all(seconds == float(answer[1].get("Retry-After", seconds)) for seconds in waited)


def test_a_server_that_stays_busy_or_asks_for_hours_is_left_alone(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polite.PoliteSession.__init__, "__defaults__", (lambda _: None,))
    archive.busy = [(503, {})] * polite.ATTEMPTS
    with pytest.raises(FetchError, match=r"503.*4 times"):
        open_dandiset(NUMBER)
    archive.busy = [(429, {"Retry-After": "7200"})]
    with pytest.raises(FetchError, match="wait 7200 s"):
        open_dandiset(NUMBER)
    assert open_dandiset(NUMBER).version == VERSION


def test_a_signed_address_that_expires_is_asked_for_anew(archive: Archive) -> None:
    dandiset, asset = _asset("sub-2")

    def expire(_: object) -> None:
        archive.signature = "2"

    assert fetch_asset(dandiset, asset, progress=expire).how == SWEEPS


def test_a_store_that_refuses_is_said_to(archive: Archive) -> None:
    dandiset, asset = _asset("sub-1")
    archive.busy_store = [(403, {})] * 3
    with pytest.raises(EmbargoedError):
        fetch_asset(dandiset, asset)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://dandiarchive.s3.amazonaws.com/blobs/1", True),
        ("https://dandiarchive.s3.us-east-2.amazonaws.com/blobs/1", True),
        ("https://api.dandiarchive.org/api/x", True),
        ("http://dandiarchive.s3.amazonaws.com/blobs/1", False),
        ("https://dandiarchive.s3.amazonaws.com.evil.org/", False),
        ("https://evil.org/dandiarchive.s3.amazonaws.com", False),
        ("https://user@api.dandiarchive.org/", False),
        ("http://127.0.0.1/", False),
        ("https://169.254.169.254/latest", False),
        ("file:///etc/passwd", False),
        ("https://[bad", False),
    ],
)
def test_data_come_from_the_archives_hosts_alone(url: str, allowed: bool) -> None:
    assert is_allowed(url, "https://api.dandiarchive.org/api") is allowed


@pytest.mark.parametrize("to", ["https://evil.example/x.nwb", "http://evil.example/", "ftp://127.0.0.1/x"])
def test_a_redirect_elsewhere_is_not_followed(archive: Archive, to: str) -> None:
    archive.redirect = to
    with pytest.raises(FetchError, match="was not asked"):
        fetch_asset(*_asset("sub-1"))


def test_redirects_without_end_end(archive: Archive) -> None:
    dandiset, asset = _asset("sub-1")
    archive.redirect = asset.url
    with pytest.raises(FetchError, match="without end"):
        fetch_asset(dandiset, asset)


@pytest.mark.parametrize("told", ["bytes 5-9/100", "bytes 0-32767/9", "nothing", "bytes 0-99999999/13878168"])
def test_a_range_that_is_not_the_one_asked_for_is_refused(archive: Archive, told: str) -> None:
    archive.content_range = told
    with pytest.raises(FetchError, match=r"Check for a proxy|is not the file"):
        fetch_asset(*_asset("sub-2"))


def test_a_file_that_is_shorter_than_listed_is_refused(archive: Archive) -> None:
    archive.files[0].size = len(archive.files[0].content) + 40_000_000
    with pytest.raises(FetchError, match="is not the file that the archive lists"):
        fetch_asset(*_asset("sub-1"))


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (Stored("sub-3/a.zarr", b"x" * 99, zarr=True), "Zarr"),
        (Stored("sub-3/a.nwb.zarr", b"x" * 99, zarr=True), "Zarr"),
        (Stored("sub-3/a.mp4", b"x" * 99), "no NWB file"),
        (Stored("sub-3/a.nwb", b"x" * 9_999_999), "no HDF5 file"),
        (Stored("sub-3/a.nwb", b"x" * 99), "no HDF5 file"),
        (Stored("sub-3/a.nwb", b""), "empty"),
    ],
)
def test_what_is_no_recording_is_said_to_be_none(archive: Archive, file: Stored, expected: str) -> None:
    archive.files.append(file)
    with pytest.raises(UnreadableAssetError, match=expected):
        fetch_asset(*_asset(file.path))


def test_voltage_clamp_is_refused_from_the_table(archive: Archive, large: Path, tmp_path: Path) -> None:
    path = tmp_path / "held.nwb"
    path.write_bytes(large.read_bytes())
    with h5py.File(path, "a") as file:
        for name in [name for name in file["acquisition"] if name != "held_099"]:
            del file["acquisition"][name]
    archive.files.append(stored(path, "sub-3/held.nwb"))
    archive.served = 0
    with pytest.raises(ClampModeError, match="voltage clamp"):
        fetch_asset(*_asset("sub-3"))
    assert archive.served < 2_000_000


def _external(file: h5py.File) -> None:
    file["acquisition/away"] = h5py.ExternalLink("/etc/passwd", "/")


def _stored_elsewhere(file: h5py.File) -> None:
    file.create_dataset("acquisition/away", (10,), "u1", external=[("/etc/passwd", 0, 10)])


def _other_kind(file: h5py.File) -> None:
    for name in ("nwb_version", "neurodata_type", ".specloc", "namespace", "object_id"):
        file.attrs.pop(name, None)


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [(_external, UnsafeFileError), (_stored_elsewhere, UnsafeFileError), (_other_kind, RecordingError)],
)
def test_a_hostile_file_is_refused_before_its_samples_come(
    archive: Archive, large: Path, tmp_path: Path, spoil: object, kind: type[NeuroClassError]
) -> None:
    path = tmp_path / "hostile.nwb"
    path.write_bytes(large.read_bytes())
    with h5py.File(path, "a") as file:
        spoil(file)  # type: ignore[operator]
    archive.files.append(stored(path, "sub-3/hostile.nwb"))
    archive.served = 0
    with pytest.raises(kind):
        fetch_asset(*_asset("sub-3"))
    assert archive.served < 2_000_000


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_file_is_refused_or_read_but_harms_nothing(archive: Archive, large: Path, seed: int) -> None:
    content = bytearray(large.read_bytes())
    for place in np.random.default_rng(seed).integers(8, 6000, 60):
        content[place] ^= 0xFF
    archive.files.append(Stored(f"sub-3/{seed}.nwb", bytes(content)))
    try:
        fetch_asset(*_asset("sub-3"))
    except NeuroClassError as error:
        assert str(error)


@pytest.mark.parametrize("path", ["../../evil.nwb", "/etc/evil.nwb", "a/../../../evil.nwb", "a\\..\\evil.nwb", "..nwb"])
def test_a_path_leads_out_of_no_folder(tmp_path: Path, path: str) -> None:
    place = place_of(Dandiset(NUMBER, VERSION), Asset("id", path, 9), tmp_path)
    assert place.resolve().is_relative_to(tmp_path / NUMBER)
    assert place.parent.resolve().is_relative_to(tmp_path / NUMBER)


@pytest.mark.parametrize("wanted", [(-1, 5), (0, 0), (5, 4), (0, 10**9), (10**9, 10**9 + 1)])
def test_a_parser_gets_bytes_of_its_file_alone(archive: Archive, tmp_path: Path, wanted: tuple[int, int]) -> None:
    dandiset, asset = _asset("sub-1")
    with RangeFile(PoliteSession(dandiset.api_url), asset.url, tmp_path / "x.part", asset.size, "x") as file:
        archive.requests.clear()
        with pytest.raises(ValueError, match="bytes"):
            file.ensure(*wanted)
    assert archive.requests == []


def test_the_cache_keeps_within_its_limit(archive: Archive, small: Path) -> None:
    first, second = fetch_asset(*_asset("sub-1")), fetch_asset(*_asset("sub-2"))
    look(*_asset("sub-2"))
    part = next((dandi_folder() / PARTIAL).glob("*.part"))
    os.utime(first.path, (1, 1))
    os.utime(part, (2, 2))
    own = dandi_folder() / "own.nwb"
    own.write_bytes(small.read_bytes())
    assert trim(dandi_folder(), second.path, 10**12) == ()
    assert trim(dandi_folder(), second.path, 0) == (first.path, part)
    assert second.path.is_file()
    assert own.is_file()
    assert not origin_of(first.path)


def test_two_do_not_fetch_the_same_file_at_once(archive: Archive) -> None:
    archive.hold = threading.Event()
    dandiset, asset = _asset("sub-1")
    first = threading.Thread(target=fetch_asset, args=(dandiset, asset))
    first.start()
    try:
        while not archive.asked_of_store:
            time.sleep(0.01)
        with pytest.raises(FetchError, match="being fetched already"):
            fetch_asset(dandiset, asset)
    finally:
        archive.hold.set()
        first.join()


def test_a_full_disk_is_said(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    dandiset, asset = _asset("sub-1")
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("neuroclass.io.range_file.shutil.disk_usage", lambda _: usage)
    with pytest.raises(FetchError, match="Free some space"):
        fetch_asset(dandiset, asset)


_KILLED = """
import sys
from neuroclass.io.dandi import Choice, matching, open_dandiset
from neuroclass.io.dandi_fetch import fetch_asset
dandiset = open_dandiset("20")
for asset in matching(dandiset, Choice(paths=(sys.argv[1],))):
    fetch_asset(dandiset, asset, progress=lambda progress: print(progress.done, flush=True))
"""


@pytest.mark.parametrize("place", ["sub-1", "sub-2"])
def test_a_killed_process_loses_nothing_that_came(archive: Archive, place: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, place],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT_DIR,
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR)},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) > 800_000:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    dandiset, asset = _asset(place)
    marks = next(Path(os.environ["NEUROCLASS_CACHE"], "dandi", "partial").glob("*.blocks")).read_bytes()
    archive.served = 0
    fetched = fetch_asset(dandiset, asset, whole=True)
    assert archive.served == asset.size - 32768 * sum(marks)
    assert fetched.verified == "sha256"


def test_no_telemetry_is_sent(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def noted(own: socket.socket, address: object) -> None:
        assert "127.0.0.1" in str(address), address
        connect(own, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", noted)
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *_, **__: (
            pytest.fail(host) if host != "127.0.0.1" else [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, _[0]))]
        ),
    )
    fetch_asset(*_asset("sub-1"))
