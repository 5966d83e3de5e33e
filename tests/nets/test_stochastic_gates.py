"""Gates, their penalty and the λ₂ term against values worked out by hand."""

import pytest
import torch

from neuroclass.nets.lspin import Lspin
from neuroclass.nets.stochastic_gates import expected_open, gate_values, similarity_penalty


def test_gates_are_clipped_and_noiseless_at_inference():
    alpha = torch.tensor([-1.0, -0.25, 0.0, 0.25, 1.0])
    assert torch.equal(gate_values(alpha), torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))
    noise = torch.tensor([3.0, 1.0, 0.0, -1.0, -9.0])
    assert torch.allclose(gate_values(alpha, noise), torch.tensor([1.0, 0.75, 0.5, 0.25, 0.0]))


def test_expected_open_is_the_share_of_open_draws():
    torch.manual_seed(0)
    for value in (-0.8, -0.3, 0.2):
        alpha = torch.full((200_000,), value)
        drawn = (gate_values(alpha, torch.randn_like(alpha)) > 0).float().mean()
        assert float(expected_open(alpha)[0]) == pytest.approx(float(drawn), abs=0.005)


def test_similarity_penalty_of_two_cells():
    x = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    gates = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    kernel = torch.exp(torch.tensor(-4.0 / 4.0))
    assert torch.allclose(similarity_penalty(gates, x), 2 * kernel / 4)
    assert float(similarity_penalty(torch.ones_like(gates), x)) == 0.0


def test_gates_of_hidden_features_are_zero_and_their_values_unseen():
    torch.manual_seed(0)
    net = Lspin(2, 4, 3, (5,), (6,)).eval()
    x, present = torch.randn(2, 7, 4), torch.ones(2, 7, 4)
    present[:, :, 1] = 0
    output = net(x, present)
    assert torch.equal(output.gates[:, :, 1], torch.zeros(2, 7))
    assert (output.gates[:, :, 0] > 0).any()


def test_consensus_is_shared_and_thresholded():
    torch.manual_seed(0)
    net = Lspin(3, 6, 2, (5,), (4,), consensus=0.4).eval()
    x = torch.randn(1, 50, 6).expand(3, -1, -1)
    own, agreed = net(x, agree=False).gates, net(x).gates
    mean = own.mean(0)
    assert torch.equal(agreed[0], agreed[2])
    assert torch.allclose(agreed[0], mean * (mean > 0.4))
