"""SHAP values in probability, relative to the model's prototypes of training cells.

Each prototype is turned into the cell one feature at a time, in its own random orders and their reverses.
A feature's value is the mean change of the probability when it is revealed (the estimator of shap's
``PermutationExplainer``, with an order for each prototype instead of one for all, and no compilation at
the first call). Base plus values equals the model's probability by construction; the gap is checked at every call.
A missing feature is missing in the prototypes too, so its value is 0 and its information is credited to the
features it is imputed from.

Redundant features (one quantity under four stimuli) share their credit. Revealed jointly, as one player, they
get joint credit: the Shapley value of the quotient game, to which a group's Owen values sum.

References
----------
.. [1] Lundberg and Lee, "A unified approach to interpreting model predictions", NeurIPS 2017.
.. [2] Mitchell et al., "Sampling permutations for Shapley value estimation", JMLR 23, 2022.
.. [3] Owen, "Values of games with a priori unions", in Mathematical Economics and Game Theory, 1977.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from neuroclass.errors import ExplanationError
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Floats, Integers

Groups = Sequence[Sequence[str]]

PAIRS = 2
TOLERANCE = 1e-3


class Explainable(Protocol):
    """Interface that an explanation needs; every `Predictor` has it."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the probabilities."""
        ...

    @property
    def preprocessor(self) -> Preprocessor:
        """Scaler and imputer."""
        ...

    @property
    def background(self) -> Floats:
        """Prototypes of training cells, standardised, shape (n_prototypes, 41)."""
        ...

    def standardised_probabilities(self, z: Floats, species: Sequence[str] | None = None) -> Floats:
        """Probabilities, shape (n_cells, n_classes), of standardised features, NaN where missing."""
        ...


@dataclass(frozen=True)
class ShapValues:
    """Contribution of each feature, or feature group, to each class' probability.

    Attributes
    ----------
    values : ndarray, shape (n_cells, n_players, n_classes)
        A player is a feature, in table order, or a group; 0 if none of it was measured.
    base : ndarray, shape (n_cells, n_classes)
        Mean probability of the prototypes with the same features and species.
    error : ndarray, shape (n_cells,)
        Largest gap between base plus values and the model's probabilities; at most `TOLERANCE`.
    """

    values: Floats
    base: Floats
    error: Floats


def shap_values(
    model: Explainable,
    x: Floats,
    species: Sequence[str] | None = None,
    pairs: int = PAIRS,
    seed: int = 0,
    groups: Groups | None = None,
) -> ShapValues:
    """Compute SHAP values.

    Parameters
    ----------
    model : Explainable
        The model.
    x : ndarray, shape (n_cells, 41)
        Features in stored units, NaN where missing.
    species : sequence of str, optional
        Of each cell.
    pairs : int
        Random orders per prototype, each also used in reverse.
    seed : int
        Seed of the orders.
    groups : sequence of sequences of str, optional
        Features to reveal jointly, each feature in one group; by default each alone.

    Returns
    -------
    ShapValues

    Raises
    ------
    ExplanationError
        If base plus values misses the model's probability by more than `TOLERANCE`.
    """
    z = model.preprocessor.standardise(x)
    present = ~np.isnan(z)
    names = np.array(["any"] * len(z) if species is None else [str(name) for name in species], dtype=object)
    player = _players(groups)
    values = np.zeros((len(z), player.max() + 1, len(model.classes)))
    base = np.empty((len(z), len(model.classes)))
    keys = [(names[row], present[row].tobytes()) for row in range(len(z))]
    for key in dict.fromkeys(keys):
        rows = np.flatnonzero([other == key for other in keys])
        columns = np.flatnonzero(present[rows[0]])
        game = _Game(model, columns, player[columns], str(key[0]), pairs, seed)
        base[rows] = game.base
        for row in rows:
            values[row, game.players] = game.values(z[row, columns])
    gap = np.abs(base + values.sum(1) - model.standardised_probabilities(z, names.tolist())).max(1)
    if len(gap) and not gap.max() <= TOLERANCE:
        raise ExplanationError(
            f"SHAP values of {model.name} miss its output by {gap.max():.1e} (probability); at most {TOLERANCE:.0e} is "
            "expected. Do not use them; restore the built-in model and report this."
        )
    return ShapValues(values, base, gap)


def _players(groups: Groups | None) -> Integers:
    """Player index of each of the 41 features."""
    if groups is None:
        return np.arange(len(FEATURE_NAMES))
    number = {name: k for k, group in enumerate(groups) for name in group}
    return np.array([number[name] for name in FEATURE_NAMES])


class _Game:
    """The game for cells with the same features present.

    Attributes
    ----------
    players : ndarray of int, shape (n_players,)
        Indexes of the players with a feature present.
    base : ndarray, shape (n_classes,)
        Mean probability of the prototypes.
    """

    def __init__(
        self, model: Explainable, columns: Integers, player: Integers, species: str, pairs: int, seed: int
    ) -> None:
        self._model, self._columns, self._species = model, columns, species
        self.players, member = np.unique(player, return_inverse=True)
        background = model.background[:, columns]
        self.base = self._probabilities(background).mean(0)
        places = _places(len(self.players), pairs * len(background), seed)
        self._places = places[:, :, None]
        self._revealed = places[:, None, member] < np.arange(len(self.players) + 1)[None, :, None]
        self._start = np.repeat(np.tile(background, (pairs, 1)), 2, axis=0)[:, None, :]

    def _probabilities(self, rows: Floats) -> Floats:
        whole = np.full((len(rows), self._model.background.shape[1]), np.nan)
        whole[:, self._columns] = rows
        return self._model.standardised_probabilities(whole, [self._species] * len(rows))

    def values(self, cell: Floats) -> Floats:
        """Values of one cell's players, shape (n_players, n_classes), from its features, shape (n_columns,)."""
        if not len(self.players):
            return np.zeros((0, len(self._model.classes)))
        steps = np.where(self._revealed, cell, self._start)
        p = self._probabilities(steps.reshape(-1, len(cell))).reshape(*steps.shape[:2], -1)
        return np.asarray(np.take_along_axis(np.diff(p, axis=1), self._places, axis=1).mean(0))


def _places(n_players: int, n_pairs: int, seed: int) -> Integers:
    """Position of each player in random orders, each followed by its reverse; shape (2 n_pairs, n_players)."""
    random = np.random.default_rng(seed)
    orders = np.stack([random.permutation(n_players) for _ in range(n_pairs)])
    return np.stack([orders, n_players - 1 - orders], axis=1).reshape(2 * n_pairs, n_players)
