"""NWB 1: the layouts of the Allen Cell Types Database and of MIES."""

import re
from collections.abc import Iterator

import h5py

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.hdf5_safety import own_item, own_items, text_of
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

_RESPONSES, _STIMULI = "acquisition/timeseries", "stimulus/presentation"
_KINDS = (
    "CurrentClampStimulusSeries",
    "VoltageClampStimulusSeries",
    "CurrentClampSeries",
    "VoltageClampSeries",
    "IZeroClampSeries",
)
_NAMES = ("aibs_stimulus_name", "stimulus_description", "aibs_stimulus_description")


def is_nwb1(file: h5py.File) -> bool:
    """Whether an HDF5 file has NWB 1's layout."""
    version = text_of(file.get("nwb_version")) if "nwb_version" in file else ""
    return version.upper().startswith(("NWB-1", "1.", "NWB-0")) or "acquisition/timeseries" in file


def read_nwb1(file: h5py.File, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read the current-clamp sweeps of an NWB 1 file.

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
        raise no_current_clamp(name, list(_series(file, _RESPONSES)))
    pairs = list(decided(_pairs(responses, stimuli, mapping), name, mapping))
    stem = name.rsplit(".", 1)[0]
    return read_cells(
        file,
        ((p.number, p.response, p.stimulus) for p in pairs),
        name,
        mapping,
        limits,
        lambda electrode, several: electrode if several else stem,
        "NWB 1",
        warnings_of(pairs),
    )


def nwb1_pairings(file: h5py.File) -> list[Pairing]:
    """Electrodes and places of an NWB 1 file that could hold potential and current."""
    responses, stimuli = _clamped(file)
    return pairings_of_nwb(responses, stimuli) if responses else pairings_of_clamped(_clamped(file, forced=True)[0])


def nwb1_series(file: h5py.File) -> tuple[list[tuple[int, Series]], list[Series]]:
    """Every response of an NWB 1 file, of any clamp mode, with its sweep number, and every stimulus."""
    responses = enumerate(_series(file, _RESPONSES))
    return [(k if s.sweep is None else s.sweep, s) for k, s in responses], list(_series(file, _STIMULI))


def _clamped(file: h5py.File, forced: bool = False) -> tuple[list[Series], list[Series]]:
    """Current-clamp responses and their stimuli; if forced and there are none, those declared as voltage clamp."""
    every, stimuli = list(_series(file, _RESPONSES)), list(_series(file, _STIMULI))
    responses = [s for s in every if s.kind in ("CurrentClampSeries", "IZeroClampSeries")]
    if forced and not responses:
        return [s for s in every if s.kind == "VoltageClampSeries"], stimuli
    return responses, [s for s in stimuli if s.kind != "VoltageClampStimulusSeries"]


def _pairs(responses: list[Series], stimuli: list[Series], mapping: ChannelMapping) -> Iterator[Pair]:
    kept, wanted = chosen_electrodes(responses, stimuli, mapping)
    for k, response in enumerate(kept):
        same = [s for s in stimuli if s.sweep == response.sweep]
        taken = [r.electrode for r in responses if r.sweep == response.sweep]
        yield paired(k if response.sweep is None else response.sweep, response, same, taken, wanted)


def _series(file: h5py.File, folder: str) -> Iterator[Series]:
    group = find_own(file, folder)
    if not isinstance(group, h5py.Group):
        return
    for key, item in own_items(group):
        if isinstance(item, h5py.Group) and "data" in item:
            source = text_of(item.attrs.get("source"))
            number = re.search(r"Sweep=(\d+)", source)
            electrode = re.search(r"ElectrodeName=([^;]+)", source) or re.search(r"ElectrodeNumber=([^;]+)", source)
            yield Series(
                item,
                _kind(item),
                int(number.group(1)) if number else trailing_number(key.split("_AD")[0].split("_DA")[0]),
                electrode.group(1).strip() if electrode else "",
                _stimulus_name(item),
            )


def _kind(group: h5py.Group) -> str:
    ancestry = group.attrs.get("ancestry")
    words = [text_of(w) for w in ancestry.reshape(-1)] if hasattr(ancestry, "reshape") else [text_of(ancestry)]
    words.append(text_of(group.attrs.get("neurodata_type")))
    return next((kind for kind in _KINDS if kind in words), "") or kind_by_unit(group)


def _stimulus_name(group: h5py.Group) -> str:
    for key in _NAMES:
        found = text_of(group.attrs.get(key)) or (text_of(own_item(group, key)) if key in group else "")
        if found:
            return found
    return ""
