"""Write recordings as NWB 2 files."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from neuroclass.ephys.sweep import SIMULATED_KEYWORD, Recording


def write_nwb(
    path: Path, recordings: Sequence[Recording], species: str = "", about: Mapping[str, str] | None = None
) -> Path:
    """Write current-clamp recordings to one file, an electrode a cell.

    Parameters
    ----------
    path : Path
        The file, which is replaced.
    recordings : sequence of Recording
        Sweeps in mV and pA; stored in V and A as 32-bit floats, compressed.
    species : str
        The subject's, such as ``Mus musculus``; empty for none.
    about : mapping of str to str, optional
        Where the recordings come from: ``notes``, and the subject's ``subject_id``, ``age``, ``sex``. Their cells then
        keep their names, and a current that is not known is not written.

    Returns
    -------
    Path
        The file. Simulated recordings carry the keyword ``simulated``, by which they are known when read.
    """
    from pynwb import NWBHDF5IO, H5DataIO, NWBFile
    from pynwb.file import Subject
    from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries

    simulated = any(recording.simulated for recording in recordings)
    known = dict(about or {})
    notes = known.pop("notes", None)
    known.setdefault("subject_id", path.stem)
    nwb = NWBFile(
        session_description="simulated" if simulated else "current clamp",
        identifier=path.stem,
        session_start_time=datetime(2024, 1, 1, tzinfo=UTC),
        keywords=[SIMULATED_KEYWORD] if simulated else None,
        subject=Subject(species=species or None, **known) if species or about else None,
        notes=notes,
    )
    device = nwb.create_device(name="amplifier")
    for recording in recordings:
        label = _label(recording.cell, nwb.icephys_electrodes) if about else recording.cell
        electrode = nwb.create_icephys_electrode(
            name=label, description="patch electrode", device=device, cell_id=recording.cell if about else None
        )
        for sweep in recording.sweeps:
            common = {
                "electrode": electrode,
                "gain": 1.0,
                "rate": sweep.rate_hz,
                "stimulus_description": sweep.stimulus_name or "unknown",
                "sweep_number": np.uint64(sweep.number),
            }
            name = f"{label} sweep {sweep.number:03d}"
            volts, amperes = (
                H5DataIO((values * factor).astype(np.float32), compression="gzip", compression_opts=4)
                for values, factor in ((sweep.v_mv, 1e-3), (sweep.i_pa, 1e-12))
            )
            nwb.add_acquisition(CurrentClampSeries(name=f"{name} response", data=volts, **common))
            if sweep.current_known or not about:
                nwb.add_stimulus(CurrentClampStimulusSeries(name=f"{name} stimulus", data=amperes, **common))
    with NWBHDF5IO(str(path), "w") as file:
        file.write(nwb)
    return path


def _label(cell: str, taken: Collection[str]) -> str:
    """A cell's name as that of an electrode, which may hold no slash or colon and must be the only one."""
    plain = re.sub(r"[/:\x00-\x1f]", "_", cell)[:100].strip(" .") or "cell"
    return plain if plain not in taken else f"{plain} {len(taken)}"
