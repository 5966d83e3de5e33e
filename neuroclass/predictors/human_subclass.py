"""The trained human subclass model: five subclasses of human cells from the features present.

An expert for each combination of stimuli is fitted to cells with these stimuli only, so that nothing of a stimulus
that was not recorded is imputed for it. A cell is judged by the experts of the stimuli it has, and by LSPIN, whose
gates of missing features are shut. An expert is a kernel logistic regression and an ensemble of boosted trees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from neuroclass.cell_types import Species
from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus
from neuroclass.nets.human_subclass import HumanSubclassNet, HumanSubclassOutput
from neuroclass.predictors.predictor import NetworkPredictor
from neuroclass.types.arrays import Floats, Mask
from neuroclass.types.models import HUMAN_SUBCLASS, ModelSpec

STIMULI: tuple[Stimulus, ...] = (Stimulus.LONG_SQUARE, Stimulus.RAMP, Stimulus.SHORT_SQUARE)
COMBINATIONS: tuple[tuple[Stimulus, ...], ...] = tuple(
    chain.from_iterable(combinations(STIMULI, size) for size in range(1, len(STIMULI) + 1))
)
"""Stimuli of each expert."""

RECORDED_SHARE = 0.5
_HAS = np.array([[stimulus in chosen for stimulus in STIMULI] for chosen in COMBINATIONS])


def recorded(present: Mask, used: Mask) -> Mask:
    """Which of `STIMULI` count as recorded: at least half of their used features are there.

    Parameters
    ----------
    present : ndarray of bool, shape (n_cells, 41)
        Features measured.
    used : ndarray of bool, shape (41,)
        Features that the model uses.

    Returns
    -------
    ndarray of bool, shape (n_cells, 3)
        If none reaches half, those with any feature; all of them for a cell without features.
    """
    belongs = np.array([[spec.stimulus is stimulus for spec in FEATURES] for stimulus in STIMULI]) & used
    shares = (present[:, None, :] & belongs).sum(2) / np.maximum(belongs.sum(1), 1)
    some = shares > 0
    fallback = np.where(some.any(1, keepdims=True), some, True)
    enough = shares >= RECORDED_SHARE
    return np.where(enough.any(1, keepdims=True), enough, fallback)


def expert_shares(present: Mask, used: Mask) -> Floats:
    """Weight of each expert for each cell, shape (n_cells, 7).

    The experts of all combinations of the recorded stimuli weigh alike, but only those with long squares where these
    were recorded: they carry most of the information.
    """
    has = recorded(present, used)
    within = ~(_HAS[None] & ~has[:, None, :]).any(2)
    long = _HAS[:, STIMULI.index(Stimulus.LONG_SQUARE)]
    heard = within & (long[None] | ~has[:, [STIMULI.index(Stimulus.LONG_SQUARE)]])
    return np.asarray(heard / heard.sum(1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class HumanSubclassPredictor(NetworkPredictor):
    """The human subclass model at inference.

    Features that it does not use have no mean in its preprocessor, so that they are missing once standardised.
    """

    spec: ClassVar[ModelSpec] = HUMAN_SUBCLASS

    @staticmethod
    def build(architecture: Mapping[str, Any]) -> nn.Module:
        """Build the untrained network."""
        return HumanSubclassNet(**architecture)

    @property
    def used(self) -> Mask:
        """The features it uses, shape (41,)."""
        return np.isfinite(self.preprocessor.mean)

    @property
    def used_names(self) -> tuple[str, ...]:
        """Names of the features it uses."""
        return tuple(name for name, used in zip(FEATURE_NAMES, self.used, strict=True) if used)

    def hidden_share(self, present: Mask) -> Floats:
        """Fraction of the features it uses that a cell lacks, shape (n_cells,)."""
        return np.asarray(1.0 - present[:, self.used].mean(axis=1))

    @torch.inference_mode()
    def _run(self, z: Floats, present: Mask, agree: bool = True) -> HumanSubclassOutput:
        shares = expert_shares(present, self.used)
        inputs = (torch.as_tensor(values, dtype=torch.float32) for values in (z, present, shares))
        output: HumanSubclassOutput = self.net(*inputs, agree)
        return output

    def member_probabilities(self, z: Floats, present: Mask) -> Floats:
        """Uncalibrated probabilities of each member, shape (n_members, n_cells, 5)."""
        return np.asarray(self._run(z, present).probabilities.numpy(), dtype=np.float64)

    def unseen_probabilities(self, z: Floats, present: Mask) -> Floats:
        """Probabilities of each member with its own gates, shape (n_members, n_cells, 5)."""
        return np.asarray(self._run(z, present, agree=False).probabilities.numpy(), dtype=np.float64)

    def gates(self, x: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """LSPIN's consensus gates, shape (n_cells, 41): 0 shut to 1 open, 0 for missing and unused features."""
        z, present = self.preprocessor(x)
        return np.asarray(self._run(z, present).gates[0].numpy(), dtype=np.float64)

    def expected_accuracy(self, x: Floats) -> list[dict[str, Any]]:
        """What held-out cells recorded with the same stimuli reached.

        Parameters
        ----------
        x : ndarray, shape (n_cells, 41)
            Features in stored units, NaN where missing.

        Returns
        -------
        list of dict
            For each cell ``stimuli`` (joined by +), ``accuracy``, ``low``, ``high`` (95% interval over donors),
            ``by_class``, ``coverage`` of the 90% sets (fractions of held-out GABAergic cells) and ``n_cells``;
            empty where the card does not say.
        """
        table: Mapping[str, dict[str, Any]] = self.card.get("expected_accuracy", {})
        result = []
        for has in recorded(np.isfinite(x), self.used):
            name = "+".join(stimulus.value for stimulus, there in zip(STIMULI, has, strict=True) if there)
            found = table.get(name)
            result.append({} if found is None else {"stimuli": name, "species": Species.HUMAN.value, **found})
        return result
