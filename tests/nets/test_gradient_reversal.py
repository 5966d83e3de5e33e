"""The reversal multiplies the gradient by −λ, and λ grows to its limit."""

import pytest
import torch

from neuroclass.nets.gradient_reversal import reversal_schedule, reverse_gradient


@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_forward_is_identity_and_backward_is_reversed(strength):
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    weights = torch.tensor([0.5, 1.0, -4.0])
    y = reverse_gradient(x, strength)
    assert torch.equal(y, x)
    (y * weights).sum().backward()
    assert torch.allclose(x.grad, -strength * weights)


def test_schedule_starts_at_zero_and_ends_at_the_limit():
    assert reversal_schedule(0.0, 0.8) == 0.0
    assert reversal_schedule(1.0, 0.8) == pytest.approx(0.8, rel=1e-3)
    assert reversal_schedule(0.2, 0.8) < reversal_schedule(0.4, 0.8)
