"""Batches for an ensemble: each member draws from its own training cells, augmented anew each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from neuroclass.config import AugmentSettings
from neuroclass.predictors.preprocess import CLIP, Preprocessor
from neuroclass.training.augmentation import random_masks, shift_directions

N_MASKS = 256
ROWS_PER_MASK = 8


class Batch(NamedTuple):
    """Cells of one step, members first.

    Attributes
    ----------
    x, present : Tensor, shape (n_members, n_cells, 41)
        Completed standardised features; 1 where measured.
    targets : Tensor, shape (n_members, n_cells, n_classes)
        Class probabilities.
    domains : Tensor, shape (n_members, n_cells)
        Domain of each cell, 0 …
    label_weights, domain_weights : Tensor, shape (n_members, n_cells)
        Weights of the cells in the two losses.
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
    member_rows : sequence of ndarray
        The rows each member may see.
    preprocessor : Preprocessor
        Fitted on the training cells.
    augment : AugmentSettings
        How far cells are moved.
    mixup : float
        Parameter of the beta distribution for mix-up; 0 for none.
    seed : int
        Of everything drawn.
    """

    def __init__(
        self,
        cells: TrainingCells,
        member_rows: Sequence[npt.NDArray[np.int64]],
        preprocessor: Preprocessor,
        augment: AugmentSettings,
        mixup: float,
        seed: int,
    ) -> None:
        rng = np.random.default_rng(seed)
        masks = random_masks(N_MASKS, augment, rng)
        directions, ranges = shift_directions(preprocessor, augment)
        longest = max(map(len, member_rows))
        self.rows = torch.as_tensor(np.stack([np.resize(rows, longest) for rows in member_rows]))
        self.sizes = torch.as_tensor([len(rows) for rows in member_rows])
        self.cells, self.augment, self.mixup, self.rng = cells, augment, mixup, rng
        self.masks = as_tensor(masks)
        self.maps = as_tensor(np.stack([preprocessor.imputation_map(mask) for mask in masks]))
        self.directions, self.ranges = as_tensor(directions), as_tensor(ranges)

    def draw(self, n_cells: int) -> Batch:
        """Draw `n_cells` cells for each member, with replacement."""
        places = (torch.rand(len(self.rows), n_cells) * self.sizes[:, None]).long()
        return self._augmented(self.rows.gather(1, places))

    def _augmented(self, rows: Tensor) -> Batch:
        cells = self.cells
        x, present, targets = cells.x[rows], cells.present[rows], cells.targets[rows]
        if self.mixup:
            share = float(np.float32(self.rng.beta(self.mixup, self.mixup)))
            share = max(share, 1 - share)
            x = share * x + (1 - share) * x.flip(1)
            targets = share * targets + (1 - share) * targets.flip(1)
        x, present = self._masked(self._shifted(x), present)
        return Batch(
            x, present, targets, cells.domains[rows], cells.label_weights[rows], cells.domain_weights[rows]
        )

    def _shifted(self, x: Tensor) -> Tensor:
        n_shifted = round(self.augment.shifted_share * x.shape[1])
        if not n_shifted:
            return x
        shape = (x.shape[0], n_shifted, len(self.directions))
        low, high = self.ranges[:, 0], self.ranges[:, 1]
        sizes = (low + (high - low) * torch.rand(shape)) * (torch.rand(shape) < 0.5)
        moved = (x[:, -n_shifted:] + sizes @ self.directions).clamp(-CLIP, CLIP)
        return torch.cat([x[:, :-n_shifted], moved], 1)

    def _masked(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        n_chunks = round(self.augment.masked_share * x.shape[1] / ROWS_PER_MASK)
        if not n_chunks:
            return x, present
        n_members, _, n_features = x.shape
        rows = torch.as_tensor(self.rng.permutation(x.shape[1])[: n_chunks * ROWS_PER_MASK])
        which = torch.as_tensor(self.rng.integers(len(self.masks), size=n_members * n_chunks))
        hidden = x[:, rows].reshape(-1, ROWS_PER_MASK, n_features) @ self.maps[which]
        kept = self.masks[which][:, None].expand(-1, ROWS_PER_MASK, -1).reshape(n_members, -1, n_features)
        x, present = x.clone(), present.clone()
        x[:, rows] = hidden.reshape(n_members, -1, n_features).clamp(-CLIP, CLIP)
        present[:, rows] = present[:, rows] * kept
        return x, present
