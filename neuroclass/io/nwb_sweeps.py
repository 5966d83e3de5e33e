"""Which sweeps an NWB file holds, from its metadata alone: no sample is read."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

import h5py
import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.errors import RecordingError
from neuroclass.io.hdf5_safety import number_of, open_hdf5, own_item, text_of
from neuroclass.io.nwb1 import is_nwb1, nwb1_series
from neuroclass.io.nwb2 import is_nwb2, nwb2_series
from neuroclass.io.nwb_series import Series, find_own, trailing_number
from neuroclass.io.recordings import whatever_fails_refused

MOST_SWEEPS = 20_000
_CLAMPS = {
    "CurrentClampSeries": "current clamp",
    "IZeroClampSeries": "I = 0",
    "VoltageClampSeries": "voltage clamp",
}
_SUBJECT = ("subject_id", "species", "age", "sex")
_STAMPS = 3


def stored_sweeps(file: io.RawIOBase, name: str, limits: ReadLimits) -> dict[str, Any]:
    """List the sweeps of an NWB file.

    Parameters
    ----------
    file : file object
        The file.
    name : str
        Display name.
    limits : ReadLimits
        Limit on the number of objects.

    Returns
    -------
    dict
        ``sweeps``: of each ``number``, ``series``, ``electrode``, ``clamp``, ``stimulus``, ``rate_hz``, ``n_samples``,
        ``duration_s``, ``bytes``; ``needed``: bytes that the current-clamp sweeps and their stimuli take; ``subject``.

    Raises
    ------
    RecordingError
        It is damaged, or no NWB file.
    UnsafeFileError
        It links to other files.
    """
    with whatever_fails_refused(name, "NWB"), open_hdf5(cast(BinaryIO, file), name, limits) as hdf5:
        return _listed(hdf5, name)


def _listed(hdf5: h5py.File, name: str) -> dict[str, Any]:
    if not (is_nwb2(hdf5) or is_nwb1(hdf5)):
        raise RecordingError(f"{name} is an HDF5 file but not NWB; choose another file of the dandiset.")
    responses, stimuli = nwb2_series(hdf5) if is_nwb2(hdf5) else nwb1_series(hdf5)
    if len(responses) > MOST_SWEEPS:
        raise RecordingError(f"{name} holds {len(responses):,} sweeps; at most {MOST_SWEEPS:,} are listed.")
    names = {(_place(s), s.electrode): s.stimulus_name for s in stimuli}
    rows = [_row(number, series, names) for number, series in sorted(responses, key=lambda one: one[0])]
    current = {series.kind for _, series in responses} & {"CurrentClampSeries", "IZeroClampSeries"}
    needed = sum(row["bytes"] for row in rows if row["clamp"] != _CLAMPS["VoltageClampSeries"])
    needed += sum(_stored_bytes(s) for s in stimuli if current and s.kind != "VoltageClampStimulusSeries")
    subject = {key: text_of(find_own(hdf5, f"general/subject/{key}")) for key in _SUBJECT}
    return {"sweeps": rows, "needed": needed, "subject": {key: value for key, value in subject.items() if value}}


def _place(series: Series) -> int | None:
    return series.sweep if series.sweep is not None else trailing_number(series.name)


def _row(number: int, series: Series, names: Mapping[tuple[int | None, str], str]) -> dict[str, Any]:
    data = own_item(series.group, "data")
    n_samples = int(data.size or 0) if isinstance(data, h5py.Dataset) else 0
    rate = _rate(series)
    return {
        "number": number,
        "series": series.name[:200],
        "electrode": series.electrode[:200],
        "clamp": _CLAMPS.get(series.kind, series.kind[:80]),
        "stimulus": (series.stimulus_name or names.get((_place(series), series.electrode), ""))[:200],
        "rate_hz": rate,
        "n_samples": n_samples,
        "duration_s": n_samples / rate if rate else None,
        "bytes": _stored_bytes(series),
    }


def _stored_bytes(series: Series) -> int:
    parts: Sequence[object] = [own_item(series.group, key) for key in ("data", "timestamps")]
    return sum(int(part.id.get_storage_size()) for part in parts if isinstance(part, h5py.Dataset))


def _rate(series: Series) -> float | None:
    """Sampling rate, Hz, by the header, else by the first timestamps; None where neither tells."""
    start = own_item(series.group, "starting_time")
    rate = number_of(start.attrs.get("rate")) if isinstance(start, h5py.Dataset) else float("nan")
    if not (np.isfinite(rate) and rate > 0):
        stamps = own_item(series.group, "timestamps")
        if not isinstance(stamps, h5py.Dataset) or stamps.ndim != 1 or stamps.size < _STAMPS:
            return None
        step = float(np.median(np.diff(stamps[:_STAMPS])))
        rate = 1 / step if step > 0 else float("nan")
    return float(rate) if np.isfinite(rate) and rate > 0 else None
