"""The search: first for the region of parameters where a class lives, then for cells all over it.

References
----------
.. [1] Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, 2016.
.. [2] Beaumont et al., "Adaptive approximate Bayesian computation", Biometrika 96, 2009.
.. [3] Ter Braak, "A Markov chain Monte Carlo version of the genetic algorithm differential
   evolution", Stat Comput 16, 2006 (differences of members as proposals).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.demo_cohort.quick import quick_features
from benchmarks.demo_cohort.summaries import ClassSummary
from neuroclass.types.arrays import Floats

FAILED = 1e6
OUTSIDE_COST = 4.0
DOUBT_COST = 5.0
STEPS = (0.3, 0.6, 1.0)
JITTERS = (0.01, 0.05)


@dataclass
class Archive:
    """Candidates that spike, their transformed features, and how many were tried."""

    shares: list[Floats] = field(default_factory=list)
    features: list[Floats] = field(default_factory=list)
    n_tried: int = 0

    def look(self, shares: Floats) -> Floats | None:
        """Features of a candidate, which joins the archive if it spikes."""
        self.n_tried += 1
        z = quick_features(shares)
        if z is not None:
            self.shares.append(shares)
            self.features.append(z)
        return z


@dataclass(frozen=True)
class Goal:
    """What the search of one class steers towards.

    Attributes
    ----------
    summary : ClassSummary
        The class.
    posterior : callable
        Its posterior probability among its species' classes, shape (n_cells,), for features of
        shape (n_cells, 39).
    """

    summary: ClassSummary
    posterior: Callable[[Floats], Floats]

    def doubt(self, z: Floats) -> Floats:
        """Charge for looking like another class, shape (n_cells,)."""
        return -DOUBT_COST * np.log(np.maximum(self.posterior(z), 1e-9))

    def cost(self, z: Floats) -> float:
        """Squared distance from the class, and charges for features outside its range and for doubt."""
        outside = OUTSIDE_COST * self.summary.n_outside(z)
        return self.summary.distance(z) + outside + float(self.doubt(z[None])[0])


def find_region(goal: Goal, start: Floats, archive: Archive, generator: np.random.Generator, n_rounds: int) -> None:
    """Fill the archive around the class' centre by a rank-μ covariance matrix adaptation (ref. 1)."""
    n, size = start.size, 26
    n_best = size // 2
    weights = np.log(n_best + 0.5) - np.log(np.arange(1, n_best + 1))
    weights /= weights.sum()
    mass = 1 / (weights**2).sum()
    rate = min(1.0, 2 * (mass - 2 + 1 / mass) / ((n + 2) ** 2 + mass))
    path_rate = (mass + 2) / (n + mass + 5)
    length = np.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))
    centre, covariance, path, sigma = start.copy(), np.eye(n), np.zeros(n), 0.08
    for _ in range(n_rounds):
        scale, axes = np.linalg.eigh(covariance)
        scale = np.sqrt(np.maximum(scale, 1e-12))
        steps = (generator.standard_normal((size, n)) * scale) @ axes.T
        costs = []
        for step in steps:
            inside = np.clip(centre + sigma * step, 0, 1)
            z = archive.look(inside)
            strayed = 200 * float(((centre + sigma * step - inside) ** 2).sum())
            costs.append(FAILED if z is None else goal.cost(z) + strayed)
        best = steps[np.argsort(costs)[:n_best]]
        move = weights @ best
        centre = centre + sigma * move
        path = (1 - path_rate) * path + np.sqrt(path_rate * (2 - path_rate) * mass) * (axes @ ((axes.T @ move) / scale))
        covariance = (1 - rate) * covariance + rate * (best.T * weights) @ best
        sigma = min(0.3, sigma * np.exp(path_rate / (1 + path_rate) * (np.linalg.norm(path) / length - 1)))


def match_costs(goal: Goal, archive: Archive, targets: Floats) -> Floats:
    """How far each archived candidate is from each pseudo-observation, shape (n_targets, n_candidates).

    Squared distance of the scores, and a charge for what would keep the candidate from being accepted.
    """
    z = np.array(archive.features)
    summary = goal.summary
    excess = np.array([max(0.0, summary.distance(row) - summary.limit) + 2 * summary.n_outside(row) for row in z])
    scores = summary.scores(z)
    return np.asarray(((targets[:, None, :] - scores[None]) ** 2).sum(axis=2) + excess + goal.doubt(z))


def spread_out(goal: Goal, archive: Archive, targets: Floats, generator: np.random.Generator, n_rounds: int) -> None:
    """Move candidates towards pseudo-observations drawn from the class' summary (refs. 2, 3).

    Parameters
    ----------
    goal : Goal
        The class.
    archive : Archive
        Candidates so far; grows.
    targets : ndarray, shape (n_targets, 39)
        Pseudo-observations, as scores.
    generator : Generator
        Source of the proposals.
    n_rounds : int
        Proposals a target.
    """
    for _ in range(n_rounds):
        nearest = np.array(archive.shares)[match_costs(goal, archive, targets).argmin(axis=1)]
        for own in nearest:
            one, other = nearest[generator.choice(len(nearest), 2, replace=False)]
            jitter = generator.choice(JITTERS) * generator.standard_normal(own.size)
            archive.look(np.clip(own + generator.choice(STEPS) * (one - other) + jitter, 0, 1))
