"""Stochastic gates: a relaxed Bernoulli variable for each feature of each cell.

In training z = clip(α + ½ + ½ε', 0, 1) with ε' ~ N(0, 4σ²), that is z = clip(α + ½ + ε, 0, 1),
ε ~ N(0, σ²); at inference ε = 0. The expected number of open gates of a cell is
E‖z‖₀ = Σ_d P(z_d > 0) = Σ_d Φ((α_d + ½) / σ).

References
----------
.. [1] Yamada, Lindenbaum, Negahban, Kluger, "Feature selection using stochastic gates", ICML 2020.
.. [2] Yang, Lindenbaum, Kluger, "Locally sparse neural networks for tabular biomedical data", ICML 2022,
   eqs. 2–4.
"""

import torch
from torch import Tensor

GATE_SD = 0.5


def gate_values(alpha: Tensor, noise: Tensor | None = None, sd: float = GATE_SD) -> Tensor:
    """Gates from the gating network's output.

    Parameters
    ----------
    alpha : Tensor, shape (…, n_features)
        Output of the gating network.
    noise : Tensor, same shape, optional
        Standard normal; none at inference.
    sd : float
        σ.

    Returns
    -------
    Tensor
        clip(α + ½ + σ·noise, 0, 1).
    """
    centre = alpha + 0.5
    return (centre if noise is None else centre + sd * noise).clamp(0.0, 1.0)


def expected_open(alpha: Tensor, sd: float = GATE_SD) -> Tensor:
    """Probability that each gate is not shut, Φ((α + ½)/σ); same shape as `alpha`."""
    probability: Tensor = torch.special.ndtr((alpha + 0.5) / sd)
    return probability


def similarity_penalty(gates: Tensor, x: Tensor, bandwidth: float = 1.0) -> Tensor:
    """The λ₂ term: similar cells should have similar gates.

    Σ_ij K_ij ‖z_i − z_j‖² / n², K_ij = exp(−‖x_i − x_j‖² / (2 · bandwidth² · n_features)).

    Parameters
    ----------
    gates, x : Tensor, shape (n_members, n_cells, n_features)
        Gates and standardised features.
    bandwidth : float
        Kernel width, in standard deviations per feature.

    Returns
    -------
    Tensor, shape (n_members,)
    """
    kernel = torch.exp(-(torch.cdist(x, x) ** 2) / (2 * bandwidth**2 * x.shape[-1]))
    squares = (gates**2).sum(-1)
    distances = squares[:, :, None] + squares[:, None, :] - 2 * gates @ gates.transpose(1, 2)
    return (kernel * distances.clamp_min(0)).mean((1, 2))
