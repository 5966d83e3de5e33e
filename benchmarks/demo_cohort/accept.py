"""Acceptance: record the candidates in full, measure them as any recording, keep those like their class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.demo_cohort.search import Archive, Goal, match_costs
from benchmarks.demo_cohort.space import decode
from benchmarks.demo_cohort.summaries import NAMES, ClassSummary, Discriminant, transformed
from neuroclass.ephys.cell_features import extract_features
from neuroclass.simulation.cells import SimulatedCell, choose_stimuli, simulate_recording
from neuroclass.types.arrays import Floats

MOST_OUTSIDE = 1
TRIES_PER_TARGET = 4
LEAST_POSTERIOR = 0.7


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
    hopeful: int = 0
    recorded: int = 0
    accepted: int = 0


@dataclass(frozen=True)
class Classes:
    """Summaries of all classes, and the discriminant of each species."""

    summaries: Mapping[str, ClassSummary]
    discriminants: Mapping[str, Discriminant]

    def posterior(self, kind: str, z: Floats) -> Floats:
        """Posterior probability of a class by its species' discriminant, shape (n_cells,)."""
        return self.discriminants[kind.partition("/")[0]].posterior(kind, z)

    def goal(self, kind: str) -> Goal:
        """What the search of a class steers towards."""
        return Goal(self.summaries[kind], partial(self.posterior, kind))


def like_class(kind: str, classes: Classes, z: Floats) -> bool:
    """Whether a cell lies within its class, and nearer to it than to its species' other classes.

    Parameters
    ----------
    kind : str
        The class, such as ``mouse/Pvalb``.
    classes : Classes
        All classes.
    z : ndarray, shape (39,)
        Transformed features.
    """
    own = classes.summaries[kind]
    if not np.isfinite(z).all() or own.distance(z) > own.limit or own.n_outside(z) > MOST_OUTSIDE:
        return False
    species = kind.partition("/")[0] + "/"
    surprises = {name: summary.surprise(z) for name, summary in classes.summaries.items() if name.startswith(species)}
    if min(surprises, key=surprises.__getitem__) != kind:
        return False
    return bool(classes.posterior(kind, z[None])[0] >= LEAST_POSTERIOR)


def accepted_cells(
    kind: str,
    classes: Classes,
    archive: Archive,
    targets: Floats,
    first_seed: int,
    tally: Tally,
) -> Iterator[AcceptedCell]:
    """Cells near the pseudo-observations, at most one for each, that pass `like_class` on their full recordings.

    Only candidates whose quick features pass it are recorded at all.
    """
    hopeful = np.array([like_class(kind, classes, z) for z in archive.features])
    costs = np.where(hopeful, match_costs(classes.goal(kind), archive, targets), np.inf)
    tally.hopeful = int(hopeful.sum())
    used: set[int] = set()
    for number, row in enumerate(costs):
        nearest = [k for k in map(int, np.argsort(row)) if np.isfinite(row[k]) and k not in used][:TRIES_PER_TARGET]
        for k in nearest:
            used.add(k)
            tally.recorded += 1
            cell = recorded(kind, classes, archive.shares[k], first_seed + number)
            if cell is not None:
                tally.accepted += 1
                yield cell
                break


def recorded(kind: str, classes: Classes, shares: Floats, seed: int) -> AcceptedCell | None:
    """The candidate, recorded and measured in full; None unless it passes `like_class`."""
    neuron, gain = decode(shares)
    chosen = choose_stimuli(neuron, round(gain, 3))
    if chosen is None:
        return None
    cell = SimulatedCell(neuron, chosen)
    values = extract_features(simulate_recording(cell, seed)).values
    features = {name: float(values[name]) for name in NAMES if name in values}
    return AcceptedCell(cell, seed, features) if like_class(kind, classes, transformed(features)) else None
