"""NWB 1: the layouts of the Allen Cell Types Database and of MIES."""

import re
from collections.abc import Iterator

import h5py

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.hdf5_safety import own_item, own_items, text_of
from neuroclass.io.nwb_series import Series, find_own, kind_by_unit, no_current_clamp, read_cells, trailing_number

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
    RecordingError
        No sweep can be read.
    """
    responses = list(_series(file, "acquisition/timeseries"))
    stimuli = list(_series(file, "stimulus/presentation"))
    current = [s for s in responses if s.kind in ("CurrentClampSeries", "IZeroClampSeries")]
    if not current:
        raise no_current_clamp(name, responses)
    pairs = ((k if r.sweep is None else r.sweep, r, _stimulus_of(r, stimuli)) for k, r in enumerate(current))
    stem = name.rsplit(".", 1)[0]
    return read_cells(
        file, pairs, name, mapping, limits, lambda electrode, several: electrode if several else stem, "NWB 1"
    )


def _stimulus_of(response: Series, stimuli: list[Series]) -> Series | None:
    """Stimulus of a response's sweep, matched by electrode if the sweep has several."""
    same = [s for s in stimuli if s.sweep == response.sweep and s.kind != "VoltageClampStimulusSeries"]
    if len(same) > 1:
        same = [s for s in same if s.electrode == response.electrode]
    return same[0] if len(same) == 1 else None


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
