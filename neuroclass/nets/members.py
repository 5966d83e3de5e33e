"""Layers for several networks at once: one batched matrix product trains a whole ensemble.

The first axis of every tensor is the ensemble member: activations have shape
(n_members, n_cells, n_units). Members share no weight.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class MemberLinear(nn.Module):
    """A dense layer for each member: y_m = x_m W_m + b_m.

    Parameters
    ----------
    n_members, n_in, n_out : int
        W has shape (n_members, n_in, n_out), b has shape (n_members, 1, n_out).
    sd : float, optional
        Standard deviation of the truncated normal initialisation; by default 1/√n_in (LeCun).
    """

    def __init__(self, n_members: int, n_in: int, n_out: int, sd: float | None = None) -> None:
        super().__init__()
        sd = n_in**-0.5 if sd is None else sd
        self.weight = nn.Parameter(torch.empty(n_members, n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_members, 1, n_out))
        nn.init.trunc_normal_(self.weight, std=sd, a=-2 * sd, b=2 * sd)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n_members, n_cells, n_in) to (n_members, n_cells, n_out)."""
        return torch.baddbmm(self.bias, x, self.weight)


class MemberNorm(nn.Module):
    """Batch normalisation for each member.

    Parameters
    ----------
    n_members, n_units : int
        Statistics, scale and shift have shape (n_members, 1, n_units).
    eps, momentum : float
        Added to the variance; weight of a new batch in the running statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, n_members: int, n_units: int, eps: float = 1e-3, momentum: float = 0.01) -> None:
        super().__init__()
        shape = (n_members, 1, n_units)
        self.eps, self.momentum = eps, momentum
        self.scale = nn.Parameter(torch.ones(shape))
        self.shift = nn.Parameter(torch.zeros(shape))
        self.register_buffer("running_mean", torch.zeros(shape))
        self.register_buffer("running_var", torch.ones(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (n_members, n_cells, n_units) over the cells."""
        if self.training:
            mean, var = x.mean(1, keepdim=True), x.var(1, unbiased=False, keepdim=True)
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(var.detach(), self.momentum)
        else:
            mean, var = self.running_mean, self.running_var
        return (x - mean) * torch.rsqrt(var + self.eps) * self.scale + self.shift


def member_stack(
    n_members: int,
    widths: Sequence[int],
    activation: type[nn.Module],
    *,
    normalise: bool = False,
    dropout: float = 0.0,
    sd: float | None = None,
) -> nn.Sequential:
    """Dense layers, each followed by an activation, for each member.

    Parameters
    ----------
    n_members : int
        Networks side by side.
    widths : sequence of int
        Units of the input and of each layer.
    activation : type of Module
        Activation after each layer.
    normalise : bool
        Whether to batch-normalise before each layer.
    dropout : float
        Share of units dropped before each layer but the first.
    sd : float, optional
        See `MemberLinear`.

    Returns
    -------
    Sequential
        (n_members, n_cells, widths[0]) → (n_members, n_cells, widths[-1]).
    """
    layers: list[nn.Module] = []
    for number, (n_in, n_out) in enumerate(pairwise(widths)):
        if normalise:
            layers.append(MemberNorm(n_members, n_in))
        if dropout and number:
            layers.append(nn.Dropout(dropout))
        layers += [MemberLinear(n_members, n_in, n_out, sd), activation()]
    return nn.Sequential(*layers)
