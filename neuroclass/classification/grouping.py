"""Several files of one cell: join their sweeps under one numbering, and suggest which files belong together."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from neuroclass.ephys.sweep import Recording
from neuroclass.errors import RecordingError

_PARTS = re.compile(r"[_\-. ]+")
_KINDS = frozenset(
    {"ramp", "ramps", "step", "steps", "square", "squares", "long", "short", "noise", "ic", "cc", "iclamp", "sag"}
)


def merge(recordings: Sequence[Recording], cell: str) -> Recording:
    """Join the sweeps of several files into one cell's.

    Parameters
    ----------
    recordings : sequence of Recording
        One cell of each file, in the order in which their sweeps are to be numbered.
    cell : str
        What to call the cell.

    Returns
    -------
    Recording
        The first file's sweeps keep their numbers; each later file's follow after the highest so far. Every
        sweep names the file it came from and its number there.

    Raises
    ------
    RecordingError
        If the files name different species.
    """
    species = {r.metadata["species"].strip().lower() for r in recordings if r.metadata.get("species", "").strip()}
    if len(species) > 1:
        raise RecordingError(
            f"The files of cell {cell} name different species ({', '.join(sorted(species))}); they are not one cell."
        )
    sweeps = []
    offset = 0
    for recording in recordings:
        for sweep in recording.sweeps:
            origin = f"{recording.source}, sweep {sweep.number}"
            sweeps.append(replace(sweep, number=sweep.number + offset, source=origin, began_s=None))
        offset = max((sweep.number for sweep in sweeps), default=-1) + 1
    return Recording(
        " + ".join(recording.source for recording in recordings),
        cell,
        tuple(sweeps),
        tuple(f"{r.source}: {warning}" for r in recordings for warning in r.warnings),
        {k: v for recording in reversed(recordings) for k, v in recording.metadata.items()},
        " + ".join(dict.fromkeys(recording.format for recording in recordings)),
    )


def suggested_cells(names: Sequence[str]) -> list[str]:
    """Suggest a cell name for each file: files whose names differ only in the stimulus share one.

    Parameters
    ----------
    names : sequence of str
        Names of files.

    Returns
    -------
    list of str
        The part that such files share, such as ``c7`` of ``c7_ramp.abf`` and ``c7_steps.abf``; the name without its
        ending for a file that shares none. Only a suggestion: names say nothing certain.
    """
    plain = [PurePath(name).stem or name for name in names]
    cores = [_core(name) for name in plain]
    return [core if core and cores.count(core) > 1 else name for core, name in zip(cores, plain, strict=True)]


def _core(stem: str) -> str:
    """A file name without words for stimuli; empty if nothing else is left or there was no such word."""
    words = [word for word in _PARTS.split(stem) if word]
    kept = [word for word in words if re.sub(r"\d+$", "", word).lower() not in _KINDS or word.isdigit()]
    return "_".join(kept) if len(kept) < len(words) else ""
