"""Zip archives: their files, or why not, whatever is done to the archive."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from neuroclass.errors import RejectedInput
from neuroclass.io.archives import ArchiveLimits, Member, is_archive, shown_name, unpack

TABLE = b"cell,vrest\na,-70\n"
LIMITS = ArchiveLimits()


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def come_out(tmp_path: Path) -> Callable[..., list[Member | RejectedInput]]:
    def run(path: Path, limits: ArchiveLimits = LIMITS) -> list[Member | RejectedInput]:
        folder = tmp_path / "out"
        folder.mkdir()
        found = list(unpack(path, "a.zip", folder, limits))
        kept = {one.path for one in found if isinstance(one, Member)}
        assert set(tmp_path.rglob("*")) == {path, folder, *kept}
        return found

    return run


def test_files_come_out_under_numbers_with_their_names_told(tmp_path, come_out):
    path = zipped(tmp_path / "a.zip", {"one.csv": TABLE, "day/two.csv": b"x", "__MACOSX/._one.csv": b"junk"})
    first, second = come_out(path)
    assert is_archive(path)
    assert (first.name, first.path.name, first.path.read_bytes()) == ("a.zip/one.csv", "00000", TABLE)
    assert second.name == "a.zip/day/two.csv"
    assert first.digest != second.digest


def test_a_spreadsheet_is_no_archive_alone_or_inside_one(tmp_path, come_out):
    sheet = io.BytesIO()
    pd.DataFrame({"vrest": [-70.0]}).to_excel(sheet, index=False)
    (tmp_path / "out.xlsx").write_bytes(sheet.getvalue())
    assert not is_archive(tmp_path / "out.xlsx")
    (tmp_path / "out.xlsx").unlink()
    (only,) = come_out(zipped(tmp_path / "a.zip", {"cells.xlsx": sheet.getvalue()}))
    assert only.path.read_bytes() == sheet.getvalue()
    assert not is_archive(only.path)


def test_names_that_climb_stay_inside(tmp_path, come_out):
    path = zipped(tmp_path / "a.zip", {"../../etc/passwd": b"1", "/abs.csv": b"2", "C:\\x\\y.abf": b"3"})
    names = [member.name for member in come_out(path)]
    assert names == ["a.zip/etc/passwd", "a.zip/abs.csv", "a.zip/C:/x/y.abf"]


@pytest.mark.parametrize("name", ["\u202egpj.exe", "a\x00b", "x\ny", ""])
def test_shown_names_hold_no_control_characters(name):
    assert shown_name(name).isprintable() and shown_name(name)


def test_a_bomb_is_stopped_and_what_came_before_is_kept(tmp_path, come_out):
    path = zipped(tmp_path / "a.zip", {"good.csv": TABLE, "bomb.abf": bytes(30_000_000), "late.csv": TABLE})
    assert path.stat().st_size < 50_000
    good, bomb = come_out(path, ArchiveLimits(bytes=10_000_000))
    assert isinstance(good, Member)
    assert bomb.error.kind == "UnsafeFileError"
    assert "unpacks to more" in str(bomb.error)


def test_a_size_that_lies_is_not_believed(tmp_path, come_out):
    path = zipped(tmp_path / "a.zip", {"bomb.abf": bytes(5_000_000)})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", content, content.find(signature) + offset, 10)
    path.write_bytes(content)
    (told,) = come_out(path, ArchiveLimits(bytes=1_000_000))
    assert isinstance(told, RejectedInput) or told.path.stat().st_size <= 10


def test_overlapping_members_cannot_multiply(tmp_path, come_out):
    members = {f"{k}.abf": bytes(1_000_000) for k in range(40)}
    found = come_out(zipped(tmp_path / "a.zip", members), ArchiveLimits(bytes=5_000_000))
    assert sum(one.path.stat().st_size for one in found if isinstance(one, Member)) <= 5_000_000
    assert isinstance(found[-1], RejectedInput)


def test_too_many_files_are_refused_before_any_is_written(tmp_path, come_out):
    (refusal,) = come_out(zipped(tmp_path / "a.zip", {f"{k}": b"" for k in range(30)}), ArchiveLimits(members=20))
    assert "30 files" in str(refusal.error)


def test_a_table_of_contents_too_large_for_memory_is_not_read(tmp_path, come_out):
    path = zipped(tmp_path / "a.zip", {f"{k:060d}": b"" for k in range(300)})
    (refusal,) = come_out(path, ArchiveLimits(directory=10_000))
    assert refusal.error.kind == "UnsafeFileError"


def test_an_archive_within_the_archive_is_left_in(tmp_path, come_out):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("cells.csv", TABLE)
    nested, good = come_out(zipped(tmp_path / "a.zip", {"inner.zip": inner.getvalue(), "good.csv": TABLE}))
    assert "archive within the archive" in str(nested.error)
    assert isinstance(good, Member)


def test_encrypted_members_and_links_are_left_in(tmp_path, come_out):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.abf")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("secret.abf", b"x")
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)
    link, secret = come_out(path)
    assert "is a link" in str(link.error)
    assert "encrypted" in str(secret.error)


def test_a_method_that_claims_memory_is_refused(tmp_path, come_out):
    (refusal,) = come_out(zipped(tmp_path / "a.zip", {"a.abf": TABLE}, zipfile.ZIP_LZMA))
    assert "uncommon method" in str(refusal.error)


def test_damage_is_told_and_the_rest_goes_on(tmp_path, come_out):
    path = zipped(tmp_path / "a.zip", {"bad.csv": bytes(range(256)) * 9, "good.csv": TABLE}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
    bad, good = come_out(path)
    assert "damaged in the archive" in str(bad.error)
    assert isinstance(good, Member)


@pytest.mark.parametrize("keep", [10, 60, -5])
def test_an_archive_cut_short_is_refused(tmp_path, come_out, keep):
    path = zipped(tmp_path / "a.zip", {"good.csv": TABLE * 50})
    path.write_bytes(path.read_bytes()[:keep])
    (refusal,) = come_out(path)
    assert isinstance(refusal, RejectedInput)
    assert "zip" in str(refusal.error)


def test_an_empty_archive_is_refused(tmp_path, come_out):
    (refusal,) = come_out(zipped(tmp_path / "a.zip", {}))
    assert "without a file" in str(refusal.error)
