"""Files as users bring them."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from neuroclass.classification.inputs import CellInput, InputFile, cell_inputs, find_files
from neuroclass.classification.metadata import CellMetadata, command_line
from neuroclass.errors import RejectedInput


def test_the_digest_depends_on_contents_and_cell_and_not_on_names(tmp_path: Path):
    path = tmp_path / "a.abf"
    path.write_bytes(b"one")
    on_disk, uploaded = InputFile("a.abf", path), InputFile("other.abf", b"one")
    assert on_disk.digest == uploaded.digest == hashlib.sha256(b"one").hexdigest()
    assert CellInput((on_disk,)).digest == on_disk.digest
    assert CellInput((on_disk,), "c").digest != on_disk.digest
    assert CellInput((on_disk,), "c").digest == CellInput((uploaded,), "c").digest
    assert CellInput((on_disk,), "c").digest != CellInput((on_disk, InputFile("b.abf", b"two")), "c").digest
    assert (on_disk.size, uploaded.size, InputFile("gone", tmp_path / "gone").size) == (3, 3, 0)


def test_a_known_digest_is_not_computed_again(tmp_path: Path):
    assert InputFile("gone.abf", tmp_path / "gone.abf", "f" * 64).digest == "f" * 64
    with pytest.raises(OSError, match=r"gone\.abf"):
        _ = InputFile("gone.abf", tmp_path / "gone.abf").digest


def test_paths_folders_archives_and_groups_become_inputs(tmp_path: Path):
    folder, work = tmp_path / "day", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    (folder / "b.abf").write_bytes(b"b")
    (folder / "notes.txt").write_bytes(b"no recording")
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("d.abf", b"d")
        archive.writestr("e.zip", b"PK\x03\x04")
    found = list(cell_inputs([folder], {"cell 7": [folder / "b.abf"]}, work, lambda path: path.name))
    assert [one.name if isinstance(one, CellInput) else one.source for one in found] == [
        *("b.abf", "c.zip/d.abf", "c.zip/e.zip", "b.abf"),
    ]
    assert isinstance(found[2], RejectedInput)
    assert [one.cell for one in found] == ["", "", "", "cell 7"]
    assert [path.name for path in find_files([folder], (".txt",))] == ["notes.txt"]


def test_the_command_names_files_without_their_archive():
    member = CellInput.single("day.zip/-a.abf", b"")
    assert command_line(member, CellMetadata(species="mouse")) == (
        "python -m neuroclass classify ./-a.abf --json --species mouse"
    )
    joined = CellInput((InputFile("day.zip/a.abf", b""), InputFile("b.abf", b"")), "cell 7")
    assert "--group 'cell 7=a.abf' --group 'cell 7=b.abf' --json" in command_line(joined, CellMetadata())
