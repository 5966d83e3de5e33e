"""Uploads that are wrong or mean harm: a clear reason each, the others answered, memory bounded, nothing shown."""

import threading
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import psutil
import pytest

from neuroclass.classification.classify import classify_input
from neuroclass.classification.inputs import CellInput, cell_inputs
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import CellVerdict
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import RejectedInput
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.export import to_csv
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1
from tests.io.parsers import parser_peaks

GIGABYTES = 2 * 2**30
SECRET = b"the server's own secret"


def reason(path: Path) -> str:
    (refusal,) = measure(CellInput.single(path.name, path))
    assert isinstance(refusal, RejectedInput), refusal
    return str(refusal.error)


def sparse(path: Path, head: bytes) -> Path:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(GIGABYTES)
    return path


@pytest.fixture(scope="module")
def cell() -> Recording:
    return planted.small(20_000.0)


@pytest.mark.parametrize(
    "head",
    [b"", b"ABF2\x00\x00\x06\x02", b"ABF \x00\x00\x80?", b"cell,vrest\na,-70\n", b"time_s,v (mV),i (pA)\n0,-70,0\n"],
    ids=["zeros", "abf2", "abf1", "feature table", "sweep table"],
)
def test_two_gigabytes_are_refused_within_bounded_memory(tmp_path, head):
    before = psutil.Process().memory_info().rss
    with parser_peaks() as peaks:
        assert reason(sparse(tmp_path / "large.abf", head))
    assert psutil.Process().memory_info().rss - before < 300e6
    assert max(peaks, default=0) < 1e9


def test_two_gigabytes_of_hdf5_are_refused(tmp_path, cell):
    path = write_nwb1(tmp_path / "large.nwb", replace(cell, sweeps=cell.sweeps[:1]))
    with h5py.File(path, "r+") as file:
        folder = file["acquisition/timeseries/Sweep_" + str(cell.sweeps[0].number)]
        del folder["data"]
        folder.create_dataset("data", shape=(GIGABYTES // 8,), dtype="f8", chunks=(2**20,))
    assert "samples" in reason(path)


def test_ten_thousand_sweeps_are_answered_in_bounded_memory(tmp_path):
    from pyabf.abfWriter import writeABF1

    path = tmp_path / "many.abf"
    writeABF1(np.random.default_rng(0).normal(-70, 1, (10_000, 100)), str(path), 20_000.0, units="mV")
    with parser_peaks() as peaks:
        (answer,) = measure(CellInput.single(path.name, path), CellMetadata(mapping=ChannelMapping("0", None, "mV")))
    assert isinstance(answer, MeasuredCell)
    assert len(answer.sweeps) == 10_000
    assert not answer.features
    assert 0 < max(peaks) < 2e9


@pytest.mark.parametrize("kind", ["external link", "external storage", "virtual", "soft link out", "soft link round"])
def test_hdf5_that_points_elsewhere_shows_nothing_of_the_disk(tmp_path, cell, kind):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(SECRET.ljust(800))
    path = write_nwb1(tmp_path / "cell.nwb", replace(cell, sweeps=cell.sweeps[:1]))
    place = f"acquisition/timeseries/Sweep_{cell.sweeps[0].number}"
    with h5py.File(path, "r+") as file:
        attributes = dict(file[place]["data"].attrs)
        del file[place]["data"]
        if kind == "external link":
            file[place]["data"] = h5py.ExternalLink(str(secret), "/x")
        elif kind == "external storage":
            file[place].create_dataset("data", (100,), "f8", external=[(str(secret), 0, 800)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((100,), "f8")
            layout[:] = h5py.VirtualSource(str(secret), "x", (100,))
            file[place].create_virtual_dataset("data", layout)
        else:
            file[place]["data"] = h5py.SoftLink("/../../etc/passwd" if kind == "soft link out" else f"/{place}/data")
        if "soft" not in kind and kind != "external link":
            file[place]["data"].attrs.update(attributes)
    told = reason(path)
    assert SECRET.decode() not in told
    assert str(tmp_path) not in told


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_samples_that_are_no_numbers_give_no_feature_that_is_none(tmp_path, cell, bad):
    sweeps = []
    for k, sweep in enumerate(cell.sweeps[:6]):
        v = sweep.v_mv.copy()
        if k % 2:
            v[len(v) // 2 : len(v) // 2 + 20] = bad
        sweeps.append(replace(sweep, v_mv=v))
    path = write_nwb1(tmp_path / "cell.nwb", replace(cell, sweeps=tuple(sweeps)))
    (answer,) = measure(CellInput.single(path.name, path))
    if isinstance(answer, MeasuredCell):
        assert np.isfinite(list(answer.features.values())).all()
    else:
        assert str(answer.error)


def test_one_sweep_gives_few_features_and_says_so(tmp_path, cell):
    path = write_nwb1(tmp_path / "one.nwb", replace(cell, sweeps=cell.sweeps[:1]))
    (answer,) = measure(CellInput.single(path.name, path))
    assert isinstance(answer, MeasuredCell)
    assert len(answer.missing) > 5 and all(answer.missing.values())


def test_an_hdf5_file_of_something_else_is_called_that(tmp_path):
    path = tmp_path / "matlab.nwb"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(10)
    assert "not NWB" in reason(path)


@pytest.mark.parametrize(
    "content",
    [b"\x1f\x8b\x08\x00rest", b"7z\xbc\xaf\x27\x1crest", b"Rar!\x1a\x07\x00rest"],
    ids=["gzip", "7z", "rar"],
)
def test_a_packed_file_asks_to_be_unpacked(tmp_path, content):
    path = tmp_path / "cell.abf"
    path.write_bytes(content)
    assert "unpack" in reason(path)


def test_names_with_markup_and_paths_are_only_names(tmp_path):
    for name in ("<img src=x onerror=alert(1)>.csv", "../../../etc/passwd", "a\nb.csv", "[x](http://evil)", "💥" * 100):
        (refusal,) = measure(CellInput.single(name, b"junk"))
        assert isinstance(refusal, RejectedInput) and refusal.source == name
        (good,) = measure(CellInput.single(name, b"cell,vrest\na,-70\n"))
        assert isinstance(good, MeasuredCell)


def test_formulas_in_a_table_do_not_run_where_results_are_opened():
    cells = "cell,species,vrest,tau\n=cmd|' /C calc'!A0,mouse,-70,12\n@SUM(A1),mouse,-70,12\n+1,mouse,-60,9\n"
    names = [cell.cell for cell in measure(CellInput.single("x.csv", cells.encode()))]
    text = to_csv(pd.DataFrame({"cell": names, "\t=1+1": 0})).decode("utf-8-sig")
    assert names[0].startswith("=cmd")
    fields = [line.split(",")[0].strip('"') for line in text.splitlines()]
    assert not any(field.startswith(("=", "+", "-", "@", "\t")) for field in fields)
    assert not any(name.strip('"').startswith(("=", "\t")) for name in text.splitlines()[0].split(","))


def test_infinities_wrong_units_and_doubled_ids_are_refused_by_row_and_the_rest_goes_on():
    rows = ["good,-70,12", "inf,inf,12", "volts,-0.07,12", "twice,-70,12", "twice,-60,12", "text,abc,12"]
    answers = measure(CellInput.single("x.csv", ("cell,vrest,tau\n" + "\n".join(rows)).encode()))
    assert [isinstance(one, MeasuredCell) for one in answers] == [True, False, False, False, False, False]
    told = [str(one.error) for one in answers if isinstance(one, RejectedInput)]
    assert "another unit" in told[1] and "stands 2 times" in told[2]


def test_an_xlsx_that_expands_without_end_is_refused(tmp_path):
    import zipfile

    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"<row>" * 30_000_000)
    assert path.stat().st_size < 2e6
    before = psutil.Process().memory_info().rss
    assert "unpack" in reason(path)
    assert psutil.Process().memory_info().rss - before < 200e6


def test_a_parquet_table_that_expands_without_end_is_refused(tmp_path):
    path = tmp_path / "bomb.parquet"
    pd.DataFrame({"vrest": np.zeros(3_000_000)}).to_parquet(path)
    assert path.stat().st_size < 5e6
    assert "at most" in reason(path)


def test_a_folder_of_good_and_bad_files_is_answered_file_by_file(tmp_path, cell):
    pytest.importorskip("torch")
    write_nwb1(tmp_path / "b-good.nwb", replace(cell, sweeps=cell.sweeps[:4]))
    (tmp_path / "a-empty.abf").write_bytes(b"")
    (tmp_path / "c-cut.nwb").write_bytes((tmp_path / "b-good.nwb").read_bytes()[:3000])
    (tmp_path / "d.csv").write_text("cell,vrest,tau,ri,sag,width\nx,-70,12,150,0.05,0.0004\n")
    work = tmp_path / "work"
    work.mkdir()
    inputs = [one for one in cell_inputs([tmp_path], {}, work) if not isinstance(one, RejectedInput)]
    assert len(inputs) == 4
    answers = [answer for one in inputs for answer in classify_input(one, reasons=False)]
    assert [isinstance(one, CellVerdict) for one in answers] == [False, True, False, True]


def test_ten_users_at_once_each_get_their_own_answer(tmp_path, cell):
    paths = []
    for k in range(10):
        own = planted.recording(planted.Cell(rate_hz=20_000.0, vrest_mv=-75.0 + k), planted.FEW_PA)
        paths.append(write_nwb1(tmp_path / f"{k}.nwb", replace(own, sweeps=own.sweeps[:3])))
    found: dict[int, float] = {}

    def work(k: int) -> None:
        (answer,) = measure(CellInput.single(paths[k].name, paths[k]))
        found[k] = round(answer.features["vrest"], 2)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(10)]
    with parser_peaks() as peaks:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {k: -75.0 + k for k in range(10)}
    assert 0 < max(peaks) < 1e9


def test_a_sweep_of_no_samples_or_no_rate_is_refused_where_it_is_made():
    for rate in (0.0, np.nan, -1.0):
        with pytest.raises(ValueError, match="rate_hz"):
            Sweep(0, np.zeros(3), np.zeros(3), rate)
