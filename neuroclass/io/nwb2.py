"""NWB 2: intracellular series of pynwb and other writers, read with h5py alone."""

from collections.abc import Iterator

import h5py
import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.hdf5_safety import number_of, own_item, own_items, text_of
from neuroclass.io.nwb_series import (
    Series,
    find_own,
    kind_by_unit,
    no_current_clamp,
    read_cells,
    trailing_number,
)

_RESPONSES = ("CurrentClampSeries", "IZeroClampSeries", "VoltageClampSeries")
_STIMULI = ("CurrentClampStimulusSeries", "VoltageClampStimulusSeries")
_ICEPHYS = "general/intracellular_ephys"
_PAIR_TABLE = f"{_ICEPHYS}/intracellular_recordings"


def is_nwb2(file: h5py.File) -> bool:
    """Whether an HDF5 file declares itself NWB 2."""
    return "nwb_version" in file.attrs or text_of(file.attrs.get("neurodata_type")) == "NWBFile"


def read_nwb2(file: h5py.File, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read the current-clamp sweeps of an NWB 2 file.

    Responses and stimuli are paired by the table of intracellular recordings, else by sweep number and
    electrode, else by the trailing numbers of their names, else by their order.

    Parameters
    ----------
    file : h5py.File
        The open file.
    name : str
        Display name.
    mapping : ChannelMapping
        Units that override the file's.
    limits : ReadLimits
        Limits on what may be read.

    Returns
    -------
    tuple of Recording
        One for each electrode.

    Raises
    ------
    ClampModeError
        The file holds voltage-clamp sweeps only.
    RecordingError
        No sweep can be read.
    """
    responses = [s for folder in ("acquisition", "processing") for s in _series(file, folder, _RESPONSES)]
    stimuli = [s for s in _series(file, "stimulus/presentation", _STIMULI) if s.kind == _STIMULI[0]]
    current = [s for s in responses if s.kind != "VoltageClampSeries"]
    if not current:
        raise no_current_clamp(name, responses)
    pairs = _pairs(file, current, stimuli)
    return read_cells(
        file,
        pairs,
        name,
        mapping,
        limits,
        lambda electrode, several: _cell_name(file, electrode, name, several),
        "NWB 2",
    )


def _series(file: h5py.File, folder: str, kinds: tuple[str, ...], depth: int = 0) -> Iterator[Series]:
    group = find_own(file, folder)
    if not isinstance(group, h5py.Group) or depth > 3:
        return
    for key, item in own_items(group):
        if not isinstance(item, h5py.Group):
            continue
        kind = text_of(item.attrs.get("neurodata_type"))
        if kind in ("PatchClampSeries", "TimeSeries"):
            kind = kind_by_unit(item) if "data" in item and kinds is _RESPONSES else kind
        if kind in kinds:
            sweep = number_of(item.attrs.get("sweep_number"))
            yield Series(
                item,
                kind,
                int(sweep) if np.isfinite(sweep) and 0 <= sweep < 2**31 else None,
                _electrode(item),
                text_of(item.attrs.get("stimulus_description")),
            )
        elif "data" not in item:
            yield from _series(file, f"{folder}/{key}", kinds, depth + 1)


def _electrode(group: h5py.Group) -> str:
    """Name of a series' electrode, from the link's own text; the link is not followed."""
    link = group.get("electrode", getlink=True)
    if isinstance(link, h5py.SoftLink):
        return str(link.path).rstrip("/").rsplit("/", 1)[-1]
    item = own_item(group, "electrode") if isinstance(link, h5py.HardLink) else None
    if item is None:
        return ""
    icephys = find_own(group.file, _ICEPHYS)
    if isinstance(icephys, h5py.Group):
        for key, electrode in own_items(icephys):
            if electrode == item:
                return key
    return ""


def _pairs(
    file: h5py.File, responses: list[Series], stimuli: list[Series]
) -> Iterator[tuple[int, Series, Series | None]]:
    numbers = _numbers(responses)
    table = _table_pairs(file)
    by_path = {str(s.group.name): s for s in stimuli}
    by_sweep = {(s.sweep, s.electrode): s for s in stimuli if s.sweep is not None}
    by_number = {(trailing_number(s.name), s.electrode): s for s in stimuli}
    in_order = len(stimuli) == len(responses) and len(by_number) != len(stimuli)
    for k, response in enumerate(responses):
        path = str(response.group.name)
        if path in table:
            stimulus = by_path.get(table[path])
        elif response.sweep is not None and by_sweep:
            stimulus = by_sweep.get((response.sweep, response.electrode))
        elif in_order:
            stimulus = stimuli[k]
        else:
            stimulus = by_number.get((trailing_number(response.name), response.electrode))
        yield numbers[k], response, stimulus


def _numbers(responses: list[Series]) -> list[int]:
    """Each response's sweep number: the first unambiguous of the file's number, the name's, the position."""
    for numbers in ([s.sweep for s in responses], [trailing_number(s.name) for s in responses]):
        keys = {(n, s.electrode) for n, s in zip(numbers, responses, strict=True)}
        if None not in numbers and len(keys) == len(responses):
            return [int(n) for n in numbers if n is not None]
    return list(range(len(responses)))


def _table_pairs(file: h5py.File) -> dict[str, str]:
    """Paths of responses and their stimuli, from the table of intracellular recordings."""
    columns = []
    for column in ("responses/response", "stimuli/stimulus"):
        data = find_own(file, f"{_PAIR_TABLE}/{column}")
        if not isinstance(data, h5py.Dataset) or not data.size or data.size > 100_000:
            return {}
        rows = data[()]
        fields = data.dtype.names or ()
        if "timeseries" not in fields:
            return {}
        counts = rows["count"] if "count" in fields else np.ones(len(rows), dtype=int)
        columns.append([_path(file, row["timeseries"]) if n > 0 else "" for row, n in zip(rows, counts, strict=True)])
    return {response: stimulus for response, stimulus in zip(*columns, strict=False) if response}


def _path(file: h5py.File, reference: h5py.Reference) -> str:
    return str(file[reference].name) if isinstance(reference, h5py.Reference) and reference else ""


def _cell_name(file: h5py.File, electrode: str, name: str, several: bool) -> str:
    """The cell's name in the file, else its electrode if there are several, else the file's name."""
    given = text_of(find_own(file, f"{_ICEPHYS}/{electrode}/cell_id")) if electrode else ""
    return given or (electrode if several and electrode else name.rsplit(".", 1)[0])
