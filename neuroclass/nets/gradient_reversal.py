"""Gradient reversal: identity in the forward pass, −λ times the gradient in the backward pass.

R_λ(x) = x,  ∂R_λ/∂x = −λ I, for x of any shape.

References
----------
.. [1] Ganin et al., "Domain-adversarial training of neural networks", JMLR 17(59), 2016, eqs. 10, 14.
"""

import math
from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(x: Tensor, strength: float) -> Tensor:
    """Return `x`, whose gradient is multiplied by −`strength`.

    Parameters
    ----------
    x : Tensor
        Any shape.
    strength : float
        λ ≥ 0.

    Returns
    -------
    Tensor
        `x`.
    """
    result: Tensor = _Reversal.apply(x, strength)  # type: ignore[no-untyped-call]
    return result


def reversal_schedule(progress: float, limit: float, steepness: float = 10.0) -> float:
    """λ at a point of training: limit · (2 / (1 + exp(−steepness · progress)) − 1).

    Parameters
    ----------
    progress : float
        Fraction of training done, 0 to 1.
    limit : float
        λ at the end.
    steepness : float
        How fast λ approaches the limit.

    Returns
    -------
    float
        0 at the start, near `limit` at the end.
    """
    return limit * (2.0 / (1.0 + math.exp(-steepness * progress)) - 1.0)
