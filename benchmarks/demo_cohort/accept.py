"""Acceptance: record the candidates in full, measure them as any recording, keep those like their class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.demo_cohort.search import Archive, match_costs
from benchmarks.demo_cohort.space import Vector, decode
from benchmarks.demo_cohort.summaries import NAMES, ClassSummary, transformed
from neuroclass.ephys.cell_features import extract_features
from neuroclass.simulation.cells import SimulatedCell, choose_stimuli, simulate_recording

MOST_OUTSIDE = 1
TRIES_PER_TARGET = 4


@dataclass(frozen=True)
class AcceptedCell:
    """A simulated cell that looks like its class."""

    cell: SimulatedCell
    seed: int
    features: dict[str, float]


@dataclass
class Tally:
    """How many candidates came how far."""

    tried: int = 0
    spiking: int = 0
    recorded: int = 0
    accepted: int = 0


def like_class(kind: str, summaries: Mapping[str, ClassSummary], z: Vector) -> bool:
    """Whether a cell lies within its class, and nearer to it than to its species' other classes.

    Parameters
    ----------
    kind : str
        The class, such as ``mouse/Pvalb``.
    summaries : mapping of str to ClassSummary
        All classes.
    z : ndarray, shape (39,)
        Transformed features.
    """
    own = summaries[kind]
    if not np.isfinite(z).all() or own.distance(z) > own.limit or own.n_outside(z) > MOST_OUTSIDE:
        return False
    species = kind.partition("/")[0] + "/"
    surprises = {name: summary.surprise(z) for name, summary in summaries.items() if name.startswith(species)}
    return min(surprises, key=surprises.__getitem__) == kind


def accepted_cells(
    kind: str,
    summaries: Mapping[str, ClassSummary],
    archive: Archive,
    targets: Vector,
    first_seed: int,
    tally: Tally,
) -> Iterator[AcceptedCell]:
    """Cells near the pseudo-observations, one for each, that pass `like_class` on their full recordings."""
    costs = match_costs(summaries[kind], archive, targets)
    used: set[int] = set()
    for number, row in enumerate(costs):
        nearest = [int(k) for k in np.argsort(row)[: 20 * TRIES_PER_TARGET] if int(k) not in used][:TRIES_PER_TARGET]
        for k in nearest:
            used.add(k)
            tally.recorded += 1
            cell = _record(kind, summaries, archive.shares[k], first_seed + number)
            if cell is not None:
                tally.accepted += 1
                yield cell
                break


def _record(kind: str, summaries: Mapping[str, ClassSummary], shares: Vector, seed: int) -> AcceptedCell | None:
    neuron, gain = decode(shares)
    chosen = choose_stimuli(neuron, round(gain, 3))
    if chosen is None:
        return None
    cell = SimulatedCell(neuron, chosen)
    values = extract_features(simulate_recording(cell, seed)).values
    features = {name: float(values[name]) for name in NAMES if name in values}
    return AcceptedCell(cell, seed, features) if like_class(kind, summaries, transformed(features)) else None
