"""LSPIN: a gating network chooses, for each cell, the features that a prediction network may see.

α = gating(x), z = gate(α), ŷ = softmax(prediction(x ⊙ z)). Several prediction networks ("heads") may
share one gating network: they are an ensemble whose gates are exactly one per feature and cell.

References
----------
.. [1] Yang, Lindenbaum, Kluger, "Locally sparse neural networks for tabular biomedical data", ICML 2022.
.. [2] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, 2023, section 3.3.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from neuroclass.nets.members import member_stack
from neuroclass.nets.stochastic_gates import GATE_SD, gate_values


class LspinOutput(NamedTuple):
    """Logits (n_members · n_heads, n_cells, n_classes); gates and α (n_members, n_cells, n_features)."""

    logits: Tensor
    gates: Tensor
    alpha: Tensor


class Lspin(nn.Module):
    """An ensemble of locally sparse networks.

    Parameters
    ----------
    n_members, n_heads : int
        Gating networks, and prediction networks behind each.
    n_features, n_classes : int
        Inputs and outputs.
    gating, prediction : sequence of int
        Units of the hidden layers.
    normalise : bool
        Batch normalisation before each layer of the prediction network.
    dropout : float
        Share of hidden prediction units dropped in training.
    bounded : bool
        Whether tanh bounds the logits too (the paper's code).
    sd : float, optional
        Standard deviation of the initial weights.
    """

    def __init__(
        self,
        n_members: int,
        n_heads: int,
        n_features: int,
        n_classes: int,
        gating: Sequence[int],
        prediction: Sequence[int],
        *,
        normalise: bool = False,
        dropout: float = 0.0,
        bounded: bool = False,
        sd: float | None = None,
    ) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.gating = member_stack(n_members, (n_features, *gating, n_features), nn.Tanh, sd=sd)
        stack = member_stack(
            n_members * n_heads,
            (n_features, *prediction, n_classes),
            nn.Tanh,
            normalise=normalise,
            dropout=dropout,
            sd=sd,
        )
        self.prediction = stack if bounded else stack[:-1]

    def forward(self, x: Tensor, present: Tensor | None = None) -> LspinOutput:
        """Run all members.

        Parameters
        ----------
        x : Tensor, shape (n_members, n_cells, n_features)
            Standardised, imputed features.
        present : Tensor, same shape, optional
            1 where a feature was measured; the gates of the others are 0.

        Returns
        -------
        LspinOutput
        """
        alpha = self.gating(x)
        noise = torch.randn_like(alpha) if self.training else None
        gates = gate_values(alpha, noise, GATE_SD)
        if present is not None:
            gates = gates * present
        gated = x * gates
        if self.n_heads > 1:
            gated = gated.repeat_interleave(self.n_heads, 0)
        return LspinOutput(self.prediction(gated), gates, alpha)
