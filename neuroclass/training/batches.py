"""Batches of training cells with fresh augmentation."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from neuroclass.config import AugmentSettings
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.preprocess import CLIP, Preprocessor
from neuroclass.training.augmentation import random_masks, shift_directions
from neuroclass.types.arrays import Mask

N_MASKS = 256
ROWS_PER_MASK = 4


class Batch(NamedTuple):
    """Cells of one step, the same for all members; only their weights differ.

    Attributes
    ----------
    x, present : Tensor, shape (n_cells, 41)
        Completed standardised features; 1 where measured.
    targets : Tensor, shape (n_cells, n_classes)
        Class probabilities.
    domains : Tensor, shape (n_cells,)
        Domain of each cell, 0 …
    label_weights, domain_weights : Tensor, shape (n_members, n_cells)
        Weights of the cells in the two losses; 0 where a member may not see a cell.
    """

    x: Tensor
    present: Tensor
    targets: Tensor
    domains: Tensor
    label_weights: Tensor
    domain_weights: Tensor


@dataclass(frozen=True)
class TrainingCells:
    """Training cells as tensors.

    Attributes
    ----------
    x, present : Tensor, shape (n_cells, 41)
        Completed standardised features; 1 where measured.
    targets : Tensor, shape (n_cells, n_classes)
        Class probabilities; rows of zeros where the class is unknown.
    domains : Tensor, shape (n_cells,)
        Domain of each cell.
    label_weights, domain_weights : Tensor, shape (n_cells,)
        Weights of the cells in the two losses.
    """

    x: Tensor
    present: Tensor
    targets: Tensor
    domains: Tensor
    label_weights: Tensor
    domain_weights: Tensor


def as_tensor(values: npt.ArrayLike) -> Tensor:
    """Float32 tensor of an array."""
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)


class BatchMaker:
    """Draws augmented batches.

    Parameters
    ----------
    cells : TrainingCells
        All training cells.
    seen_by : ndarray of bool, shape (n_members, n_cells)
        Which member may see which cell.
    preprocessor : Preprocessor
        Fitted on the training cells.
    augment : AugmentSettings
        How far cells are moved; without effect on features other than the 41.
    mixup : float
        Parameter of the beta distribution for mix-up; 0 for none.
    seed : int
        Of everything drawn.
    """

    def __init__(
        self,
        cells: TrainingCells,
        seen_by: Mask,
        preprocessor: Preprocessor,
        augment: AugmentSettings,
        mixup: float,
        seed: int,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.cells, self.augment, self.mixup = cells, augment, mixup
        self.seen_by = as_tensor(seen_by)
        n_features = cells.x.shape[1]
        if n_features == len(FEATURE_NAMES):
            masks = random_masks(N_MASKS, augment, self.rng)
            directions, ranges = shift_directions(preprocessor, augment)
        else:
            masks, directions, ranges = np.ones((1, n_features), bool), np.zeros((0, n_features)), np.zeros((0, 2))
        self.masks = as_tensor(masks)
        self.maps = as_tensor(np.stack([preprocessor.imputation_map(mask) for mask in masks]))
        self.directions, self.ranges = as_tensor(directions), as_tensor(ranges)

    def draw(self, n_cells: int) -> Batch:
        """Draw `n_cells` cells, each at most once as long as there are enough."""
        order = [self.rng.permutation(len(self.cells.x)) for _ in range(-(-n_cells // len(self.cells.x)))]
        return self._augmented(torch.as_tensor(np.concatenate(order)[:n_cells]))

    def _augmented(self, rows: Tensor) -> Batch:
        cells, seen = self.cells, self.seen_by[:, rows]
        x, present, targets = cells.x[rows], cells.present[rows], cells.targets[rows]
        label_weights = seen * cells.label_weights[rows]
        if self.mixup:
            share = float(self.rng.beta(self.mixup, self.mixup))
            share = max(share, 1 - share)
            x = share * x + (1 - share) * x.flip(0)
            targets = share * targets + (1 - share) * targets.flip(0)
            label_weights = label_weights * label_weights.flip(1)
        x, present = self._masked(self._shifted(x), present)
        return Batch(x, present, targets, cells.domains[rows], label_weights, seen * cells.domain_weights[rows])

    def _shifted(self, x: Tensor) -> Tensor:
        shape = (len(x), len(self.directions))
        low, high = self.ranges[:, 0], self.ranges[:, 1]
        chosen = (torch.rand(len(x), 1) < self.augment.shifted_share) & (torch.rand(shape) < 0.5)
        sizes = (low + (high - low) * torch.rand(shape)) * chosen
        return (x + sizes @ self.directions).clamp(-CLIP, CLIP)

    def _masked(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        n_chunks = round(self.augment.masked_share * len(x) / ROWS_PER_MASK)
        if not n_chunks:
            return x, present
        rows = torch.as_tensor(self.rng.permutation(len(x))[: n_chunks * ROWS_PER_MASK])
        which = torch.as_tensor(self.rng.integers(len(self.masks), size=n_chunks))
        completed = x[rows].reshape(n_chunks, ROWS_PER_MASK, -1) @ self.maps[which]
        kept = self.masks[which].repeat_interleave(ROWS_PER_MASK, 0)
        x, present = x.clone(), present.clone()
        x[rows] = completed.reshape(len(rows), -1).clamp(-CLIP, CLIP)
        present[rows] *= kept
        return x, present
