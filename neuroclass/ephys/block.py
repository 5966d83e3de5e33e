"""Depolarisation block: a long square that stops firing because it depolarises too much.

Silence alone is no block: a neuron that accommodates also falls silent at a depolarised level. Block shows in
comparison with weaker squares, which evoke more spikes or keep the cell firing to their end [1]_.

References
----------
.. [1] Bianchi et al., "On the mechanisms underlying the depolarization block in the spiking dynamics of CA1 pyramidal
   neurons", J Comput Neurosci 33, 2012.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.ephys.measures import Response
from neuroclass.ephys.settings import QualitySettings
from neuroclass.ephys.subthreshold import mean_between
from neuroclass.types.arrays import Floats

SILENT_SHARE, SILENT_S, SILENT_INTERVALS = 0.25, 0.05, 3.0  # of the square, s, and of the longest interval
FALLEN_SHARE, FALLEN_SPIKES = 0.8, 2  # of the most spikes that a weaker square evoked
LASTING_SHARE, LASTING_SPIKES = 0.75, 3  # how far into its square a sustained train goes, and its spikes


@dataclass(frozen=True)
class Block:
    """One long square in depolarisation block.

    Attributes
    ----------
    place : tuple of int
        Sweep number and epoch index.
    stops_s : float
        Last threshold, s from the square's start.
    level_mv : float
        Mean potential of the silent stretch's second half, mV.
    n_spikes : int
        Spikes in the square.
    most : int
        Most spikes in a weaker square, scaled to the same duration.
    """

    place: tuple[int, int]
    stops_s: float
    level_mv: float
    n_spikes: int
    most: int


@dataclass(frozen=True)
class _Train:
    """The spikes of one square as the comparison needs them."""

    response: Response
    times_s: Floats
    last_threshold_mv: float
    rate_hz: float

    @property
    def lasts(self) -> bool:
        share = self.times_s[-1] / self.response.epoch.duration_s
        return bool(share >= LASTING_SHARE and self.times_s.size >= LASTING_SPIKES)


def find_blocks(responses: Sequence[Response], settings: QualitySettings = QualitySettings()) -> tuple[Block, ...]:
    """Find the long squares in depolarisation block.

    A square is in block if it falls silent well before its end, at a level above the limit, and either fires
    clearly fewer spikes than a weaker square; or sits above its own last threshold although a weaker square fired to
    its end; or a weaker square is in block already.

    Parameters
    ----------
    responses : sequence of Response
        The responses to long squares of one cell, in any order.
    settings : QualitySettings
        The limit of the potential.

    Returns
    -------
    tuple of Block
        In order of amplitude.
    """
    trains = [_train(r) for r in responses if r.n_spikes and r.epoch.amplitude_pa > 0]
    trains.sort(key=lambda train: train.response.epoch.amplitude_pa)
    blocks: list[Block] = []
    blocked_from = np.inf
    for train in trains:
        amplitude = train.response.epoch.amplitude_pa
        level = _silent_level(train)
        if not level > settings.block_mv:
            continue
        weaker = [w for w in trains if w.response.epoch.amplitude_pa < amplitude - 1.0]
        most = round(max((w.rate_hz for w in weaker), default=0.0) * train.response.epoch.duration_s)
        n_spikes = train.times_s.size
        fell = n_spikes <= FALLEN_SHARE * most and most - n_spikes >= FALLEN_SPIKES
        stopped = level >= train.last_threshold_mv and any(w.lasts for w in weaker)
        if fell or stopped or amplitude > blocked_from:
            blocked_from = min(blocked_from, amplitude)
            blocks.append(Block(train.response.place, float(train.times_s[-1]), level, n_spikes, most))
    return tuple(blocks)


def _train(response: Response) -> _Train:
    first, epoch = response.first_spike, response.epoch
    times = response.spikes.time_s("threshold")[first:] - epoch.start_s
    threshold = float(response.spikes.v_mv["threshold"][-1])
    return _Train(response, times, threshold, times.size / epoch.duration_s)


def _silent_level(train: _Train) -> float:
    """Mean potential, mV, of the second half of a train's silent end; NaN if it fires to the end."""
    epoch, sweep = train.response.epoch, train.response.sweep
    last = float(train.times_s[-1])
    silent = epoch.duration_s - last
    longest = float(np.diff(train.times_s).max()) if train.times_s.size > 1 else 0.0
    if silent < max(SILENT_SHARE * epoch.duration_s, SILENT_S, SILENT_INTERVALS * longest):
        return float("nan")
    return mean_between(sweep.v_mv, sweep.rate_hz, epoch.end_s - 0.5 * silent, epoch.end_s)
