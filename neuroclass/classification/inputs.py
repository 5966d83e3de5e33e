"""Inputs: a file with its cells, or several files of one cell; from paths, archives or uploads."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from neuroclass.errors import RecordingError, RejectedInput, SettingsError
from neuroclass.io.archives import is_archive, unpack
from neuroclass.io.origin import origin_of

RECORDING_SUFFIXES = (
    *(".abf", ".nwb", ".h5", ".hdf5", ".wcp", ".ibw", ".pxp", ".smr", ".smrx", ".dat"),
    *(".axgd", ".axgx", ".mat", ".atf", ".csv", ".tsv", ".parquet", ".zip"),
)
SUFFIXES = (*RECORDING_SUFFIXES, ".xlsx")


@dataclass(frozen=True)
class InputFile:
    """A file supplied by the user.

    Attributes
    ----------
    name : str
        Its name, for people.
    content : bytes or Path
        Its content, or where it lies.
    sha256 : str
        SHA-256 of the content where it is already known; `digest` computes it otherwise.
    """

    name: str
    content: bytes | Path = field(repr=False)
    sha256: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content; raises OSError if the file is gone."""
        if self.sha256:
            return self.sha256
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        with self.content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def fingerprint_parts(self) -> list[str]:
        """What answers depend on: the content, and the name, which answers carry; raises OSError if it is gone."""
        return [self.name, self.digest]

    @property
    def size(self) -> int:
        """Bytes of the content; 0 if the file is gone."""
        if isinstance(self.content, bytes):
            return len(self.content)
        return self.content.stat().st_size if self.content.is_file() else 0


@dataclass(frozen=True)
class CellInput:
    """Files that are measured and classified together.

    Attributes
    ----------
    files : tuple of InputFile
        One file with its cells, or several of one cell in the order in which their sweeps are numbered.
    cell : str
        The cell's name where all files are one cell; else empty.
    """

    files: tuple[InputFile, ...]
    cell: str = ""

    @classmethod
    def single(cls, name: str, content: bytes | Path) -> "CellInput":
        """One file with its own cells."""
        return cls((InputFile(name, content),))

    @property
    def name(self) -> str:
        """The files' names."""
        return " + ".join(file.name for file in self.files)

    @property
    def origin(self) -> dict[str, str]:
        """Where the files were fetched from, see `CellVerdict`; empty where that is not known."""
        found = [origin for origin in map(_origin, self.files) if origin]
        keys = dict.fromkeys(key for origin in found for key in origin)
        return {key: "; ".join(dict.fromkeys(one[key] for one in found if key in one)) for key in keys}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the files' contents and the cell's name."""
        if len(self.files) == 1 and not self.cell:
            return self.files[0].digest
        return hashlib.sha256("\n".join([self.cell, *(file.digest for file in self.files)]).encode()).hexdigest()


_OF_ORIGIN = ("archive", "dandiset", "version", "path", "citation", "doi", "license", "fetched", "asset_sha256")


def _origin(file: InputFile) -> dict[str, str]:
    found = origin_of(file.content if isinstance(file.content, Path) else None, file.sha256)
    return {key: found[key] for key in _OF_ORIGIN if found.get(key)}


def find_files(paths: Sequence[str | Path], suffixes: Sequence[str] = SUFFIXES) -> Iterator[Path]:
    """List the files among some paths, and those with given suffixes in the folders, sorted by name."""
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in suffixes)
        else:
            yield path


def cell_inputs(
    paths: Sequence[Path],
    groups: Mapping[str, Sequence[Path]],
    folder: Path,
    name_of: Callable[[Path], str] = str,
) -> Iterator[CellInput | RejectedInput]:
    """Yield the inputs in some paths, one at a time.

    Parameters
    ----------
    paths : sequence of Path
        Files, folders of files, and zip archives of them.
    groups : mapping of str to sequence of Path
        Files of one cell, by the cell's name.
    folder : Path
        Where archives are unpacked; it must exist.
    name_of : callable
        Names a file for people; by default its whole path.

    Yields
    ------
    CellInput or RejectedInput
        Cells in several files come last.
    """
    for number, path in enumerate(find_files(paths)):
        try:
            archive = path.is_file() and is_archive(path)
        except OSError as error:
            yield RejectedInput(name_of(path), cannot_open(name_of(path), error))
            continue
        if not archive:
            yield CellInput.single(name_of(path), path)
            continue
        inside = folder / str(number)
        inside.mkdir()
        for member in unpack(path, name_of(path), inside):
            if isinstance(member, RejectedInput):
                yield member
            else:
                yield CellInput((InputFile(member.name, member.path, member.digest),))
    for cell, files in groups.items():
        yield CellInput(tuple(InputFile(name_of(path), path) for path in files), cell)


def cannot_open(name: str, error: OSError) -> RecordingError:
    """The error for a file that cannot be opened."""
    return RecordingError(f"{name} cannot be opened ({error.strerror or error}). Check the path.")


def parse_group(text: str) -> tuple[str, list[Path]]:
    """Read ``cell7=ramp.abf,steps.abf``.

    Raises
    ------
    SettingsError
        If the cell's name or its files are missing.
    """
    cell, _, listed = text.partition("=")
    files = [Path(listed)] if Path(listed).is_file() else [Path(part.strip()) for part in listed.split(",")]
    if not cell.strip() or not listed.strip() or any(str(path) == "." for path in files):
        raise SettingsError(f"--group {text}: expected CELL=FILE,FILE such as cell7=ramp.abf,steps.abf.")
    return cell.strip(), files


def parse_groups(texts: Sequence[str]) -> dict[str, list[Path]]:
    """Parse several `parse_group` texts; those with the same cell name are merged."""
    groups: dict[str, list[Path]] = {}
    for text in texts:
        cell, files = parse_group(text)
        groups.setdefault(cell, []).extend(files)
    return groups
