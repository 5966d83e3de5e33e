"""Sweeps that the user leaves out, such as those after a seal was lost; all is measured on the others."""

from collections.abc import Sequence, Set
from dataclasses import replace

from neuroclass.ephys.sweep import Recording
from neuroclass.ephys.sweep_words import numbers_text, sweeps_text
from neuroclass.errors import RecordingError, SettingsError


def leave_out(recordings: Sequence[Recording], numbers: Set[int]) -> tuple[Recording, ...]:
    """Recordings without some of their sweeps.

    Parameters
    ----------
    recordings : sequence of Recording
        The cells of one file. Each loses those of the sweeps that it has.
    numbers : set of int
        Numbers of the sweeps to leave out, as in the file. Sweeps that are left out already stay so.

    Returns
    -------
    tuple of Recording
        With the sweeps in `left_out` instead of `sweeps`, and a warning that names them.

    Raises
    ------
    RecordingError
        If no recording has a sweep of one of the numbers, or if no sweep of a recording would be left.
    """
    if not numbers:
        return tuple(recordings)
    known = {sweep.number for one in recordings for sweep in (*one.sweeps, *one.left_out)}
    if unknown := set(numbers) - known:
        there = numbers_text(known) if known else "none"
        raise RecordingError(
            f"{recordings[0].source if recordings else 'The file'} has no {sweeps_text(unknown)}, which "
            f"{'is' if len(unknown) == 1 else 'are'} to be left out. Its sweeps are {there}; name only those, or none.",
            advised=True,
        )
    return tuple(_without(one, numbers) for one in recordings)


def _without(recording: Recording, numbers: Set[int]) -> Recording:
    gone = tuple(sweep for sweep in recording.sweeps if sweep.number in numbers)
    if not gone:
        return recording
    if len(gone) == len(recording.sweeps):
        raise RecordingError(
            f"All {len(gone)} sweeps of {recording.source}, cell {recording.cell}, are to be left out, and nothing is "
            "left to measure. Keep at least one of them.",
            advised=True,
        )
    return replace(
        recording,
        sweeps=tuple(sweep for sweep in recording.sweeps if sweep.number not in numbers),
        left_out=tuple(sorted((*recording.left_out, *gone), key=lambda sweep: sweep.number)),
        warnings=(*recording.warnings, f"Left out by hand: {sweeps_text({sweep.number for sweep in gone})}."),
    )


def parse_numbers(texts: Sequence[str], said: str = "--without-sweeps") -> frozenset[int]:
    """Read numbers of sweeps such as ``3,7`` or ``9-12``.

    Parameters
    ----------
    texts : sequence of str
        Numbers and ranges, separated by commas.
    said : str
        What the user calls them, for the error.

    Returns
    -------
    frozenset of int

    Raises
    ------
    SettingsError
        If a text is something else.
    """
    found: set[int] = set()
    for text in texts:
        for part in filter(None, (word.strip() for word in text.split(","))):
            first, dash, last = part.partition("-")
            words = [first.strip(), *([last.strip()] if dash else [])]
            if not all(word.isdecimal() and len(word) < 7 for word in words) or int(words[0]) > int(words[-1]):
                raise SettingsError(f"{said} {text}: expected numbers of sweeps as in the file, such as 3,7 or 9-12.")
            found.update(range(int(words[0]), int(words[-1]) + 1))
    return frozenset(found)


def numbers_argument(numbers: Set[int]) -> str:
    """Format numbers for `parse_numbers`."""
    return ",".join(map(str, sorted(numbers)))
