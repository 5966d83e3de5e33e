"""Open HDF5 files as hostile input: nothing outside the file is read, and nothing beyond the size limits.

An HDF5 file can store its data in other files on the reader's disk, link to them, map them into virtual
datasets, and declare arrays thousands of times its own size. All of that is rejected.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.errors import RecordingError, UnsafeFileError
from neuroclass.types.arrays import Floats

_ADVICE = "Save a copy that holds its data itself, without links to other files."


@contextmanager
def open_hdf5(path: Path | BinaryIO, name: str, limits: ReadLimits) -> Iterator[h5py.File]:
    """Open a file for reading after inspecting every link and dataset in it.

    Parameters
    ----------
    path : Path or binary file
        The file.
    name : str
        Display name.
    limits : ReadLimits
        Limit on the number of objects.

    Raises
    ------
    UnsafeFileError
        The file links to, or stores its data in, another file, or holds too many objects.
    RecordingError
        The file is damaged.
    """
    try:
        file = h5py.File(path, "r", locking=False) if isinstance(path, Path) else h5py.File(path, "r")
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        found = _first_line(error)
        raise RecordingError(f"{name} is damaged: HDF5 says {found}. Expected a whole NWB file.") from error
    with file:
        _inspect(file, name, limits)
        yield file


def _inspect(file: h5py.File, name: str, limits: ReadLimits) -> None:
    """Walk all hard links without following soft ones."""
    groups = [file.id]
    seen = set()
    count = 0
    while groups:
        group = groups.pop()
        for raw in _names(group):
            count += 1
            if count > limits.objects:
                raise UnsafeFileError(f"{name} holds more than {limits.objects} objects; expected one cell's sweeps.")
            kind = group.links.get_info(raw).type
            where = raw.decode("utf-8", "replace")
            if kind == h5py.h5l.TYPE_SOFT:
                continue
            if kind != h5py.h5l.TYPE_HARD:
                raise UnsafeFileError(f"{name} links to another file at {where!r}. {_ADVICE}")
            item = h5py.h5o.open(group, raw)
            if isinstance(item, h5py.h5g.GroupID):
                address = h5py.h5o.get_info(item).addr
                if address not in seen:
                    seen.add(address)
                    groups.append(item)
            elif isinstance(item, h5py.h5d.DatasetID):
                _check_storage(item, name, where)


def _names(group: h5py.h5g.GroupID) -> list[bytes]:
    return [group.get_objname_by_idx(k) for k in range(group.get_num_objs())]


def _check_storage(dataset: h5py.h5d.DatasetID, name: str, where: str) -> None:
    plist = dataset.get_create_plist()
    if plist.get_external_count():
        raise UnsafeFileError(f"{name} stores {where!r} in another file. {_ADVICE}")
    if plist.get_layout() == h5py.h5d.VIRTUAL:
        raise UnsafeFileError(f"{name} holds the virtual dataset {where!r}. {_ADVICE}")


def own_item(group: h5py.Group, key: str) -> h5py.Group | h5py.Dataset | None:
    """An item stored in the group itself; None if there is none.

    Raises
    ------
    UnsafeFileError
        The item is a link.
    """
    link = group.get(key, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise UnsafeFileError(f"{group.name}/{key} is a link, which is not followed. {_ADVICE}")
    return group[key]


def own_items(group: h5py.Group) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """Names and items of a group, sorted by name, without links."""
    for key in sorted(group.keys()):
        if isinstance(group.get(key, getlink=True), h5py.HardLink):
            yield key, group[key]


def read_samples(dataset: h5py.Dataset, limits: ReadLimits) -> Floats:
    """Read a one-dimensional array of numbers, shape (n_times,).

    Raises
    ------
    RecordingError
        It is too large, not numbers or not one-dimensional.
    """
    shape = tuple(n for n in dataset.shape or () if n != 1) or dataset.shape
    if dataset.dtype.kind not in "iuf" or shape is None or len(shape) != 1:
        raise RecordingError(
            f"{dataset.name} has shape {dataset.shape} and type {dataset.dtype}; expected one row of numbers. Export "
            "each sweep as a series of its own."
        )
    if dataset.size * 8 > limits.bytes:
        raise RecordingError(
            f"{dataset.name} declares {dataset.size:,} samples; at most {limits.bytes // 8:,} are read from a file."
        )
    return np.asarray(dataset[()], dtype=np.float64).reshape(-1)


def text_of(value: object) -> str:
    """A text in any of HDF5's encodings, at most 2,000 characters; empty if there is none."""
    if isinstance(value, h5py.Dataset):
        if value.size == 0 or value.size > 64 or value.dtype.kind not in "OSU":
            return ""
        value = value[()]
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size else ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value)[:2000].strip() if isinstance(value, str) else ""


def number_of(value: object, default: float = float("nan")) -> float:
    """A number stored as a scalar or one-element array."""
    if isinstance(value, h5py.Dataset):
        value = value[()] if value.size == 1 else None
    try:
        return float(np.asarray(value).reshape(-1)[0])
    except (TypeError, ValueError, IndexError):
        return default


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
