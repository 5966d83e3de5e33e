"""One line per sweep: which stimuli were recognised in it, why, and what the cell did."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from neuroclass.ephys.activity import Activity
from neuroclass.ephys.protocols import TEST_PULSE, Epoch
from neuroclass.ephys.sweep import Sweep

NO_REST = "it does not start from rest"
CUT_SHORT = "the sweep ends within it"


def recognition_line(sweep: Sweep, epochs: Sequence[Epoch], activity: Activity) -> str:
    """Say what was recognised in a sweep and why.

    Parameters
    ----------
    sweep : Sweep
        The sweep.
    epochs : sequence of Epoch
        Its stimuli, in order of time.
    activity : Activity
        Its spikes.

    Returns
    -------
    str
        Such as "long square +120 pA, 1 s (a square of 1000 ms); 5 spikes".
    """
    return f"{'; '.join(_stimuli(sweep, epochs))}; {spike_words(epochs, activity)}"


def spike_words(epochs: Sequence[Epoch], activity: Activity) -> str:
    """How many spikes a sweep holds, and how many of them outside its stimuli and at rest."""
    total, resting = len(activity.spikes), int(activity.at_rest.sum())
    inside = np.zeros(total, dtype=bool)
    for epoch in epochs:
        inside |= activity.within(epoch)
    outside = total - int(inside.sum())
    spikes = f"{total or 'no'} spike{'' if total == 1 else 's'}"
    if not outside:
        return spikes
    if outside == resting:
        return f"{spikes}, {'all' if resting == total > 1 else resting} at rest"
    return f"{spikes}, {outside} outside the stimulus{f' ({resting} at rest)' if resting else ''}"


def _stimuli(sweep: Sweep, epochs: Sequence[Epoch]) -> list[str]:
    if epochs:
        return [_together(list(group)) for _, group in groupby(epochs, _look)]
    if not sweep.current_known:
        return ["not recognised: the file does not tell the injected current"]
    return ["no stimulus: the current stays at its holding level"]


def _look(epoch: Epoch) -> tuple[object, ...]:
    return epoch.stimulus, round(epoch.amplitude_pa), round(epoch.duration_s, 4), _unused(epoch), epoch.note


def _together(alike: Sequence[Epoch]) -> str:
    line = epoch_line(alike[0])
    return f"{len(alike)} × {line}" if len(alike) > 1 else line


def epoch_line(epoch: Epoch) -> str:
    """What an epoch was recognised as, and why; or why it was not."""
    amplitude = epoch.amplitude_pa
    shape = f"{amplitude:+.3g} pA" if abs(amplitude) < 100 else f"{amplitude:+.0f} pA"
    lasting = f"{shape}, {_duration(epoch.duration_s)}"
    if epoch.stimulus is None:
        name = TEST_PULSE if epoch.note == TEST_PULSE else "not recognised"
        why = "" if epoch.note == TEST_PULSE else f": {epoch.note}"
        return f"{name} ({lasting}){why}"
    unused = _unused(epoch)
    return f"{epoch.stimulus.label} {lasting} ({epoch.note}){f', left out: {unused}' if unused else ''}"


def _unused(epoch: Epoch) -> str:
    """Why features are not measured on a recognised epoch; empty if they are."""
    if epoch.truncated:
        return CUT_SHORT
    return "" if epoch.usable else NO_REST


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 0.9995 else f"{seconds * 1e3:.3g} ms"
