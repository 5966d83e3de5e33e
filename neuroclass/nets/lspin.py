"""LSPIN: for each cell, a gating network selects the features that a prediction network sees.

α = gating(x), z = gate(α), ŷ = softmax(prediction(x ⊙ z)).

In an ensemble of M such networks every prediction network would see a different handful of features, so
that together they use most of them. A consensus keeps the ensemble readable: with z̄ the mean of the
members' noiseless gates, every prediction network sees x ⊙ z̄ where z̄ exceeds a threshold, and 0 elsewhere.

References
----------
.. [1] Yang, Lindenbaum, Kluger, "Locally sparse neural networks for tabular biomedical data", ICML 2022.
.. [2] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, 2023, section 3.3.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from neuroclass.nets.members import member_stack
from neuroclass.nets.stochastic_gates import GATE_SD, gate_values

ACTIVATIONS: Mapping[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}


class LspinOutput(NamedTuple):
    """Logits (n_members, n_cells, n_classes); gates and α (n_members, n_cells, n_features)."""

    logits: Tensor
    gates: Tensor
    alpha: Tensor


class Lspin(nn.Module):
    """An ensemble of locally sparse networks.

    Parameters
    ----------
    n_members : int
        Pairs of a gating and a prediction network.
    n_features, n_classes : int
        Inputs and outputs.
    gating, prediction : sequence of int
        Units of the hidden layers.
    consensus : float
        Threshold on the mean gate, 0 to 1.
    normalise : bool
        Batch normalisation before each layer of the prediction networks.
    dropout : float
        Share of hidden prediction units dropped in training.
    activation : str
        ``tanh`` or ``relu``, between the layers of the prediction networks.
    bounded : bool
        Whether tanh bounds the logits too (the paper's code).
    sd : float, optional
        Standard deviation of the initial weights.
    """

    def __init__(
        self,
        n_members: int,
        n_features: int,
        n_classes: int,
        gating: Sequence[int],
        prediction: Sequence[int],
        *,
        consensus: float = 0.0,
        normalise: bool = False,
        dropout: float = 0.0,
        activation: str = "tanh",
        bounded: bool = False,
        sd: float | None = None,
    ) -> None:
        super().__init__()
        self.consensus = consensus
        self.gating = member_stack(n_members, (n_features, *gating, n_features), nn.Tanh, sd=sd)
        stack = member_stack(
            n_members,
            (n_features, *prediction, n_classes),
            ACTIVATIONS[activation],
            normalise=normalise,
            dropout=dropout,
            sd=sd,
        )
        self.prediction = stack if bounded else stack[:-1]

    def forward(self, x: Tensor, present: Tensor | None = None, agree: bool = True) -> LspinOutput:
        """Run all members.

        Parameters
        ----------
        x : Tensor, shape (n_members, n_cells, n_features)
            Standardised, imputed features.
        present : Tensor, shape (n_members, n_cells, n_features), optional
            1 where a feature was measured; the gates of the others are 0.
        agree : bool
            Whether the prediction networks see the consensus (no gradient reaches the gating networks)
            or each its own, in training noisy, gates.

        Returns
        -------
        LspinOutput
        """
        alpha = self.gating(x)
        if agree:
            mean = gate_values(alpha.detach()).mean(0, keepdim=True)
            gates = (mean * (mean > self.consensus)).expand_as(alpha)
        else:
            gates = gate_values(alpha, torch.randn_like(alpha) if self.training else None, GATE_SD)
        if present is not None:
            gates = gates * present
        return LspinOutput(self.prediction(x * gates), gates, alpha)
