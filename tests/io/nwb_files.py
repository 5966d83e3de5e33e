"""Writers of NWB files as laboratories' tools write them."""

from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep


def write_nwb2(
    path: Path,
    cells: dict[str, Recording],
    *,
    stored: str = "volts",
    offset: bool = False,
    table: bool = False,
    sweep_numbers: bool = True,
    compression: bool = False,
) -> Path:
    """NWB 2 by pynwb: values stored in volts, or as int16 or mV with a conversion."""
    from hdmf.backends.hdf5 import H5DataIO
    from pynwb import NWBHDF5IO, NWBFile
    from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries

    nwb = NWBFile("simulated", "id", datetime(2024, 1, 1, tzinfo=UTC))
    nwb.subject = _subject()
    device = nwb.create_device(name="rig")
    for name, recording in cells.items():
        electrode = nwb.create_icephys_electrode(name=name, description="patch", device=device)
        for sweep in recording.sweeps:
            v, v_how = _stored(sweep.v_mv * 1e-3, stored, 1e-3, offset)
            i, i_how = _stored(sweep.i_pa * 1e-12, stored, 1e-12, offset)
            if compression:
                v, i = H5DataIO(v, compression="gzip"), H5DataIO(i, compression="gzip")
            common = {
                "electrode": electrode,
                "gain": 1.0,
                "rate": sweep.rate_hz,
                "stimulus_description": sweep.stimulus_name,
                "sweep_number": np.uint64(sweep.number) if sweep_numbers else None,
            }
            response = CurrentClampSeries(name=f"{name}_response_{sweep.number:03d}", data=v, **v_how, **common)
            stimulus = CurrentClampStimulusSeries(name=f"{name}_stimulus_{sweep.number:03d}", data=i, **i_how, **common)
            if table:
                nwb.add_intracellular_recording(electrode=electrode, stimulus=stimulus, response=response)
            else:
                nwb.add_acquisition(response)
                nwb.add_stimulus(stimulus)
    with NWBHDF5IO(str(path), "w") as io:
        io.write(nwb)
    return path


def _subject() -> object:
    from pynwb.file import Subject

    return Subject(species="Mus musculus", subject_id="1", sex="M", age="P60D")


def _stored(values: np.ndarray, stored: str, unit: float, offset: bool) -> tuple[np.ndarray, dict[str, float]]:
    shift = 0.004 * unit / 1e-3 if offset else 0.0
    how = {"offset": shift} if offset else {}
    if stored == "volts":
        return values - shift, how
    if stored == "milli":
        return (values - shift) / unit, {"conversion": unit, **how}
    scale = float(np.abs(values - shift).max()) / 30_000 or 1.0
    return np.round((values - shift) / scale).astype(np.int16), {"conversion": scale, **how}


def write_nwb1(path: Path, recording: Recording, *, millivolts: bool = True) -> Path:
    """NWB 1 in the Allen Cell Types Database's layout, with its soft links from epochs to series."""
    with h5py.File(path, "w") as file:
        file["nwb_version"] = np.bytes_("NWB-1.0.5")
        file["identifier"] = np.bytes_("simulated")
        file.create_group("general/subject")["species"] = np.bytes_("Mus musculus")
        for sweep in recording.sweeps:
            _nwb1_sweep(file, sweep, millivolts)
    return path


def _nwb1_sweep(file: h5py.File, sweep: Sweep, millivolts: bool) -> None:
    name = f"Sweep_{sweep.number}"
    v = sweep.v_mv if millivolts else sweep.v_mv * 1e-3
    i = sweep.i_pa if millivolts else sweep.i_pa * 1e-12
    for folder, data, unit, conversion, kind in (
        ("acquisition/timeseries", v, b"Volts", 1e-3, b"CurrentClampSeries"),
        ("stimulus/presentation", i, b"Amps", 1e-12, b"CurrentClampStimulusSeries"),
    ):
        group = file.create_group(f"{folder}/{name}")
        group.attrs["ancestry"] = np.array([b"TimeSeries", b"PatchClampSeries", kind])
        group.attrs["neurodata_type"] = np.bytes_("TimeSeries")
        dataset = group.create_dataset("data", data=data.astype(np.float64))
        dataset.attrs["conversion"] = conversion if millivolts else 1.0
        dataset.attrs["unit"] = np.bytes_(unit)
        start = group.create_dataset("starting_time", data=sweep.began_s or 0.0)
        start.attrs["rate"] = sweep.rate_hz
        start.attrs["unit"] = np.bytes_("Seconds")
        group["aibs_stimulus_name"] = np.bytes_(sweep.stimulus_name)
        group["num_samples"] = data.size
    epoch = file.create_group(f"epochs/{name}")
    for part, folder in (("response", "acquisition/timeseries"), ("stimulus", "stimulus/presentation")):
        inner = epoch.create_group(part)
        inner["timeseries"] = h5py.SoftLink(f"/{folder}/{name}")
        inner["count"], inner["idx_start"] = sweep.n_times, 0
