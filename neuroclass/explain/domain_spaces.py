"""Held-out features of every cell in DANN's hidden space, for several strengths of the adversary.

Five ensembles, one per fold, each embed the cells they did not see in a space of their own: the features of their
first member. To share one space, the features of folds 1 to 4 (of all members) are mapped linearly onto
those of fold 0's first member, by least squares on the cells that both trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclass.config import DannSettings
from neuroclass.evaluation.kept import keepable
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.predictor import for_members
from neuroclass.training.fit_dann import train_dann
from neuroclass.types.arrays import Floats

REVERSALS: tuple[float, ...] = (0.0, 0.1, 0.3, 1.0)
RAW = "raw"


def reversals() -> tuple[float, ...]:
    """Strengths of the adversary to compare, including the shipped recipe's."""
    return tuple(sorted({*REVERSALS, DannSettings().reversal}))


def space_name(reversal: float) -> str:
    """Name of a space in the tables: ``dann`` for the shipped recipe, else ``lambda`` and its strength."""
    return "dann" if reversal == DannSettings().reversal else f"lambda{reversal:g}"


@keepable
@dataclass(frozen=True)
class FoldSpace:
    """One fold's network and its embedding of every cell.

    Attributes
    ----------
    reversal : float
        λ.
    fold : int
        Number of the fold.
    features : ndarray, shape (n_cells, width)
        Features of all cells by the first member.
    members : ndarray, shape (n_cells, n_members · width)
        Features by all members side by side, float32.
    probabilities : ndarray, shape (n_cells, 2)
        Calibrated probabilities.
    distances : ndarray, shape (n_mouse, n_human), or None
        Distance of every mouse cell to every human cell over all members; for the shipped recipe only.
    """

    reversal: float
    fold: int
    features: Floats
    members: npt.NDArray[np.float32]
    probabilities: Floats
    distances: Floats | None = None


def fold_space(plan: Plan, trial: Trial, reversal: float, model: DannPredictor | None = None) -> FoldSpace:
    """Embed all cells of a plan with a network trained on a trial's training cells.

    Parameters
    ----------
    plan : Plan
        The cells.
    trial : Trial
        The fold.
    reversal : float
        λ.
    model : DannPredictor, optional
        The network, if already trained.

    Returns
    -------
    FoldSpace
    """
    import torch

    torch.set_num_threads(1)
    if model is None:
        settings = replace(DannSettings(), reversal=reversal, seed=trial.seed)
        model = train_dann(plan.cohort.take(trial.train), settings)
    x, species = plan.cohort.matrix(), plan.cohort.column("species")
    shipped = reversal == DannSettings().reversal
    return FoldSpace(
        reversal,
        trial.fold,
        model.embed(x),
        side_by_side(model, x),
        model.predict_proba(x, species.tolist()),
        pair_distances(model, x[species == "mouse"], x[species == "human"]) if shipped else None,
    )


def side_by_side(model: DannPredictor, x: Floats) -> npt.NDArray[np.float32]:
    """Features of all members concatenated, shape (n_cells, n_members · width)."""
    features = member_features(model, x, scaled=False)
    return np.concatenate(list(features), axis=1).astype(np.float32)


def member_features(model: DannPredictor, x: Floats, scaled: bool = True) -> Floats:
    """Features of every member, shape (n_members, n_cells, width); if scaled, with standard deviation 1."""
    import torch

    z, _ = model.preprocessor(x)
    with torch.inference_mode():
        features = model.net(for_members(z, model.architecture["n_members"])).features.numpy().astype(np.float64)
    return np.asarray(features / np.maximum(features.std(axis=1, keepdims=True), 1e-9)) if scaled else features


def pair_distances(model: DannPredictor, x: Floats, others: Floats) -> Floats:
    """Root mean square distance over members between two sets of cells, shape (n_cells, n_others).

    Parameters
    ----------
    model : DannPredictor
        The model.
    x, others : ndarray, shape (n, 41)
        Features in stored units.

    Returns
    -------
    ndarray
        In standard deviations of a member's features.
    """
    features = member_features(model, np.concatenate([x, others]))
    total = np.zeros((len(x), len(others)))
    for member in features:
        a, b = member[: len(x)], member[len(x) :]
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
        total += np.maximum(squares, 0) / member.shape[1]
    return np.sqrt(total / len(features))


@dataclass(frozen=True)
class Aligned:
    """Held-out features of all cells in one space.

    Attributes
    ----------
    features : ndarray, shape (n_cells, width)
        Each cell's features from the network that did not see it.
    explained : float
        Mean R² of the other folds' linear maps on the cells they were fitted on.
    """

    features: Floats
    explained: float


def linear_map(source: npt.NDArray[np.floating[Any]], target: Floats) -> tuple[Floats, float]:
    """Least-squares map with intercept, shape (n_source + 1, width), and its R²."""
    design = np.c_[source.astype(np.float64), np.ones(len(source))]
    solution = np.linalg.lstsq(design, target, rcond=None)[0]
    rest = ((target - design @ solution) ** 2).sum()
    return np.asarray(solution), 1.0 - float(rest / ((target - target.mean(0)) ** 2).sum())


def apply_map(solution: Floats, features: npt.NDArray[np.floating[Any]]) -> Floats:
    """Features in the target's space."""
    return np.asarray(np.c_[features.astype(np.float64), np.ones(len(features))] @ solution)


def align(spaces: Sequence[FoldSpace], trials: Sequence[Trial]) -> Aligned:
    """Map each cell's held-out features to the space of the first fold.

    Parameters
    ----------
    spaces : sequence of FoldSpace
        One per fold, all with the same λ, in the order of `trials`.
    trials : sequence of Trial
        The folds.

    Returns
    -------
    Aligned
    """
    reference = spaces[0].features
    result = np.full_like(reference, np.nan)
    result[trials[0].test] = reference[trials[0].test]
    shares = []
    for space, trial in zip(spaces[1:], trials[1:], strict=True):
        both = np.intersect1d(trial.train, trials[0].train)
        solution, share = linear_map(space.members[both], reference[both])
        result[trial.test] = apply_map(solution, space.members[trial.test])
        shares.append(share)
    return Aligned(result, float(np.mean(shares)) if shares else 1.0)
