"""Each head's gradient reaches the extractor with the right sign."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from neuroclass.nets.dann import Dann


def extractor_gradient(net: Dann, x: torch.Tensor, domains: torch.Tensor, strength: float) -> torch.Tensor:
    net.zero_grad()
    cross_entropy(net(x, strength).domain.flatten(0, 1), domains).backward()
    return net.extractor[0].weight.grad.clone()


def test_domain_head_learns_and_extractor_unlearns():
    torch.manual_seed(0)
    net = Dann(2, 6, (8, 4), 2)
    x, domains = torch.randn(2, 30, 6), torch.randint(2, (60,))
    output = net(x)
    plain = torch.autograd.grad(cross_entropy(net.domain_head(output.features).flatten(0, 1), domains), output.features)
    through = net.extractor(x)
    through.retain_grad()
    from neuroclass.nets.gradient_reversal import reverse_gradient

    cross_entropy(net.domain_head(reverse_gradient(through, 0.7)).flatten(0, 1), domains).backward()
    assert plain[0].abs().max() > 1e-4
    assert torch.allclose(through.grad, -0.7 * plain[0], atol=1e-7)
    head = net.domain_head[1].weight.grad
    assert head.abs().max() > 1e-4


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_gradient_of_extractor_scales_with_strength(strength):
    torch.manual_seed(1)
    net = Dann(1, 5, (6,), 2)
    x, domains = torch.randn(1, 40, 5), torch.randint(2, (40,))
    unit = extractor_gradient(net, x, domains, 1.0)
    assert unit.abs().max() > 1e-5
    assert torch.allclose(extractor_gradient(net, x, domains, strength), strength * unit, atol=1e-7)
    assert torch.equal(extractor_gradient(net, x, domains, 0.0), torch.zeros_like(unit))


def test_members_do_not_mix():
    torch.manual_seed(2)
    net = Dann(3, 5, (6,), 2)
    x = torch.randn(3, 10, 5, requires_grad=True)
    net(x).label[1].sum().backward()
    assert x.grad[1].abs().sum() > 0
    assert x.grad[[0, 2]].abs().sum() == 0
