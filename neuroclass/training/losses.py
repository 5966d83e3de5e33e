"""Losses, as named terms."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import log_softmax


@dataclass(frozen=True)
class LossTerms:
    """Loss of one step, mean over the members; `total` is what is differentiated.

    Attributes
    ----------
    total : Tensor
        DANN: label + domain, whose gradient the features receive reversed and times λ. LSPIN: label +
        r λ₁ gate_penalty + a agreement + λ₂ similarity, where r rises to 1 over `LspinSettings.penalty_ramp`.
    label, domain : Tensor
        Cross-entropy of the class and of the domain, nats.
    gate_penalty : Tensor
        Expected number of open gates per cell.
    agreement : Tensor
        Variance of the noiseless gates between members, summed over the features a cell has.
    similarity : Tensor
        How far gates of similar cells differ.
    """

    total: Tensor
    label: Tensor
    domain: Tensor | None = None
    gate_penalty: Tensor | None = None
    agreement: Tensor | None = None
    similarity: Tensor | None = None

    def floats(self) -> dict[str, float]:
        """The terms that are there, as numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: float(value.detach()) for name, value in values.items() if value is not None}


def cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy with soft targets.

    Parameters
    ----------
    logits : Tensor, shape (n_members, n_cells, n_classes)
        Of each member.
    targets : Tensor, shape (n_cells, n_classes)
        Class probabilities.
    weights : Tensor, shape (n_members, n_cells), optional
        Of the cells.

    Returns
    -------
    Tensor, shape (n_members,)
        Weighted mean over the cells, nats.
    """
    losses = -(targets * log_softmax(logits, dim=-1)).sum(-1)
    if weights is None:
        return losses.mean(1)
    return (losses * weights).sum(1) / weights.sum(1).clamp_min(torch.finfo(losses.dtype).tiny)
