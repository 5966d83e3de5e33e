"""Write recordings as NWB 2 files."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from neuroclass.ephys.sweep import SIMULATED_KEYWORD, Recording


def write_nwb(path: Path, recordings: Sequence[Recording], species: str = "") -> Path:
    """Write current-clamp recordings to one file, an electrode a cell.

    Parameters
    ----------
    path : Path
        The file, which is replaced.
    recordings : sequence of Recording
        Sweeps in mV and pA; stored in V and A as 32-bit floats, compressed.
    species : str
        The subject's, such as ``Mus musculus``; empty for none.

    Returns
    -------
    Path
        The file. Simulated recordings carry the keyword ``simulated``, by which they are known when read.
    """
    from pynwb import NWBHDF5IO, H5DataIO, NWBFile
    from pynwb.file import Subject
    from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries

    simulated = any(recording.simulated for recording in recordings)
    nwb = NWBFile(
        session_description="simulated" if simulated else "current clamp",
        identifier=path.stem,
        session_start_time=datetime(2024, 1, 1, tzinfo=UTC),
        keywords=[SIMULATED_KEYWORD] if simulated else None,
        subject=Subject(subject_id=path.stem, species=species) if species else None,
    )
    device = nwb.create_device(name="amplifier")
    for recording in recordings:
        electrode = nwb.create_icephys_electrode(name=recording.cell, description="patch electrode", device=device)
        for sweep in recording.sweeps:
            common = {
                "electrode": electrode,
                "gain": 1.0,
                "rate": sweep.rate_hz,
                "stimulus_description": sweep.stimulus_name or "unknown",
                "sweep_number": np.uint64(sweep.number),
            }
            name = f"{recording.cell} sweep {sweep.number:03d}"
            volts, amperes = (
                H5DataIO((values * factor).astype(np.float32), compression="gzip", compression_opts=4)
                for values, factor in ((sweep.v_mv, 1e-3), (sweep.i_pa, 1e-12))
            )
            nwb.add_acquisition(CurrentClampSeries(name=f"{name} response", data=volts, **common))
            nwb.add_stimulus(CurrentClampStimulusSeries(name=f"{name} stimulus", data=amperes, **common))
    with NWBHDF5IO(str(path), "w") as file:
        file.write(nwb)
    return path
