"""NWB 2: intracellular series of pynwb and other writers, read with h5py alone."""

from collections.abc import Callable, Iterator

import h5py
import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.hdf5_safety import number_of, own_item, own_items, text_of
from neuroclass.io.nwb_pairs import (
    Pair,
    chosen_electrodes,
    decided,
    paired,
    pairings_of_clamped,
    pairings_of_nwb,
    warnings_of,
)
from neuroclass.io.nwb_series import (
    ACQUIRED,
    Series,
    find_own,
    kind_by_unit,
    no_current_clamp,
    read_cells,
    trailing_number,
)
from neuroclass.io.pairings import Pairing

_RESPONSES = ("CurrentClampSeries", "IZeroClampSeries", "VoltageClampSeries")
_STIMULI = ("CurrentClampStimulusSeries", "VoltageClampStimulusSeries")
_BY_UNIT = {
    _RESPONSES: {kind: kind for kind in _RESPONSES},
    _STIMULI: {"CurrentClampSeries": _STIMULI[1], "VoltageClampSeries": _STIMULI[0]},
}
_ICEPHYS = "general/intracellular_ephys"
_PAIR_TABLE = f"{_ICEPHYS}/intracellular_recordings"


def is_nwb2(file: h5py.File) -> bool:
    """Whether an HDF5 file declares itself NWB 2."""
    return "nwb_version" in file.attrs or text_of(file.attrs.get("neurodata_type")) == "NWBFile"


def read_nwb2(file: h5py.File, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read the current-clamp sweeps of an NWB 2 file.

    Responses and stimuli are paired by the table of intracellular recordings, else by sweep number and
    electrode, else by the trailing numbers of their names, else by their order; see also `paired`.

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
    UnitsError
        Several currents fit, or the mapping names no electrode of the file.
    RecordingError
        No sweep can be read.
    """
    responses, stimuli = _clamped(file, forced=mapping.response == ACQUIRED)
    if not responses:
        raise no_current_clamp(name, list(_responses(file)))
    pairs = list(decided(_pairs(file, responses, stimuli, mapping), name, mapping))
    return read_cells(
        file,
        ((p.number, p.response, p.stimulus) for p in pairs),
        name,
        mapping,
        limits,
        lambda electrode, several: _cell_name(file, electrode, name, several),
        "NWB 2",
        warnings_of(pairs),
    )


def nwb2_pairings(file: h5py.File) -> list[Pairing]:
    """Electrodes and places of an NWB 2 file that could hold potential and current."""
    responses, stimuli = _clamped(file)
    return pairings_of_nwb(responses, stimuli) if responses else pairings_of_clamped(_clamped(file, forced=True)[0])


def nwb2_series(file: h5py.File) -> tuple[list[tuple[int, Series]], list[Series]]:
    """Every response of an NWB 2 file, of any clamp mode, with its sweep number, and every stimulus."""
    responses = list(_responses(file))
    numbered = list(zip(_numbers(responses), responses, strict=True))
    return numbered, list(_series(file, "stimulus/presentation", _STIMULI))


def _responses(file: h5py.File) -> Iterator[Series]:
    for folder in ("acquisition", "processing"):
        yield from _series(file, folder, _RESPONSES)


def _clamped(file: h5py.File, forced: bool = False) -> tuple[list[Series], list[Series]]:
    """Current-clamp responses and their stimuli; if forced and there are none, those declared as voltage clamp."""
    every, stimuli = list(_responses(file)), list(_series(file, "stimulus/presentation", _STIMULI))
    responses = [s for s in every if s.kind != "VoltageClampSeries"]
    if forced and not responses:
        return every, stimuli
    return responses, [s for s in stimuli if s.kind == _STIMULI[0]]


def _series(file: h5py.File, folder: str, kinds: tuple[str, ...], depth: int = 0) -> Iterator[Series]:
    group = find_own(file, folder)
    if not isinstance(group, h5py.Group) or depth > 3:
        return
    for key, item in own_items(group):
        if not isinstance(item, h5py.Group):
            continue
        kind = text_of(item.attrs.get("neurodata_type"))
        if kind in ("PatchClampSeries", "TimeSeries") and "data" in item:
            kind = _BY_UNIT[kinds].get(kind_by_unit(item), kind)
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


def _pairs(file: h5py.File, responses: list[Series], stimuli: list[Series], mapping: ChannelMapping) -> Iterator[Pair]:
    kept, wanted = chosen_electrodes(responses, stimuli, mapping)
    numbers = dict(zip(_paths(responses), _numbers(responses), strict=True))
    table = {} if wanted else _table_pairs(file)
    by_path = dict(zip(_paths(stimuli), stimuli, strict=True))
    alike = {key: (_by(key, stimuli), _by(key, responses)) for key in (_sweep, _name_number)}
    numbered = any(s.sweep is not None for s in stimuli)
    unclear = len({(_name_number(s), s.electrode) for s in stimuli}) != len(stimuli)
    in_order = dict(zip(_paths(responses), stimuli, strict=False)) if len(stimuli) == len(responses) else {}
    for response in kept:
        path = str(response.group.name)
        by_sweep = numbered and response.sweep is not None
        if path in table:
            yield Pair(numbers[path], response, by_path.get(table[path]))
        elif unclear and in_order and not by_sweep and wanted is None:
            yield Pair(numbers[path], response, in_order[path])
        else:
            key = _sweep if by_sweep else _name_number
            candidates, own = (found.get(key(response), []) for found in alike[key])
            yield paired(numbers[path], response, candidates, [r.electrode for r in own], wanted)


def _paths(series: list[Series]) -> list[str]:
    return [str(s.group.name) for s in series]


def _sweep(series: Series) -> int | None:
    return series.sweep


def _name_number(series: Series) -> int | None:
    return trailing_number(series.name)


def _by(key: Callable[[Series], int | None], series: list[Series]) -> dict[int | None, list[Series]]:
    found: dict[int | None, list[Series]] = {}
    for one in series:
        found.setdefault(key(one), []).append(one)
    return found


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
