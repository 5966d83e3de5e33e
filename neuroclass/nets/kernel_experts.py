"""Kernel logistic regressions on random Fourier features, one for each combination of stimuli.

With waves w₁ … w_N drawn from a normal distribution, φ(x) = (cos xw₁ … cos xw_N, sin xw₁ … sin xw_N) / √N has
φ(x)·φ(y) ≈ exp(−‖x − y‖² / 2ℓ²), so a linear classifier on φ is a kernel machine that keeps no training cell.

References
----------
.. [1] Rahimi and Recht, "Random features for large-scale kernel machines", NeurIPS 2007.
.. [2] Yu et al., "Orthogonal random features", NeurIPS 2016.
"""

import torch
from torch import Tensor, nn


class KernelExperts(nn.Module):
    """Several experts, each an ensemble of kernel logistic regressions.

    Parameters
    ----------
    n_experts, n_members : int
        Experts, and members of each.
    n_features, n_waves, n_classes : int
        Inputs, random waves (each gives a cosine and a sine), and outputs.
    """

    waves: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, n_experts: int, n_members: int, n_features: int, n_waves: int, n_classes: int) -> None:
        super().__init__()
        self.register_buffer("waves", torch.zeros(n_experts, n_members, n_features, n_waves))
        self.register_buffer("weight", torch.zeros(n_experts, n_members, 2 * n_waves, n_classes))
        self.register_buffer("bias", torch.zeros(n_experts, n_members, 1, n_classes))

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """Mean logarithm of the experts' probabilities, for each member.

        Parameters
        ----------
        x : Tensor, shape (n_cells, n_features)
            Standardised, imputed features.
        shares : Tensor, shape (n_cells, n_experts)
            Weight of each expert for each cell; 0 where it is not heard.

        Returns
        -------
        Tensor, shape (n_members, n_cells, n_classes)
        """
        result = x.new_zeros(self.waves.shape[1], len(x), self.bias.shape[-1])
        for expert, share in enumerate(shares.T):
            heard = share > 0
            if heard.any():
                phi = random_features(x[heard], self.waves[expert])
                scores = torch.baddbmm(self.bias[expert], phi, self.weight[expert])
                result[:, heard] += share[heard, None] * scores.log_softmax(-1)
        return result


def random_features(x: Tensor, waves: Tensor) -> Tensor:
    """φ(x), shape (n_members, n_cells, 2 n_waves), of cells, shape (n_cells, n_features), for each member's waves."""
    phase = x @ waves
    return torch.cat([phase.cos(), phase.sin()], dim=-1) / waves.shape[-1] ** 0.5
