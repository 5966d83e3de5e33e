"""DANN: one feature extractor, a head for the class and, behind a gradient reversal, one for the species.

With z = f(x), ŷ = softmax(g(z)) and d̂ = softmax(h(R_λ(z))), training minimises
CE(ŷ, y) + CE(d̂, d): h learns the species, f unlearns it (its gradient is −λ ∂CE/∂z).

References
----------
.. [1] Ganin et al., "Domain-adversarial training of neural networks", JMLR 17(59), 2016.
.. [2] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, 2023, section 3.2.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from neuroclass.nets.gradient_reversal import reverse_gradient
from neuroclass.nets.members import MemberLinear, member_stack


class DannOutput(NamedTuple):
    """Logits of both heads and the shared features; the first axis is the ensemble member."""

    label: Tensor
    domain: Tensor
    features: Tensor


class Dann(nn.Module):
    """An ensemble of domain-adversarial networks.

    Parameters
    ----------
    n_members : int
        Networks side by side.
    n_inputs : int
        Inputs of each.
    hidden : sequence of int
        Units of the extractor's layers (selu).
    n_classes, n_domains : int
        Outputs of the two heads.
    dropout : float
        Share of hidden units dropped in training.
    """

    def __init__(
        self,
        n_members: int,
        n_inputs: int,
        hidden: Sequence[int],
        n_classes: int,
        n_domains: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.extractor = member_stack(n_members, (n_inputs, *hidden), nn.SELU, dropout=dropout)
        self.label_head = MemberLinear(n_members, hidden[-1], n_classes)
        self.domain_head = nn.Sequential(
            member_stack(n_members, (hidden[-1], hidden[-1]), nn.SELU),
            MemberLinear(n_members, hidden[-1], n_domains),
        )

    def forward(self, x: Tensor, strength: float = 0.0) -> DannOutput:
        """Run all members.

        Parameters
        ----------
        x : Tensor, shape (n_members, n_cells, n_inputs)
            Standardised features.
        strength : float
            λ of the reversal.

        Returns
        -------
        DannOutput
            Shapes (n_members, n_cells, n_classes), (…, n_domains), (…, hidden[-1]).
        """
        features = self.extractor(x)
        return DannOutput(self.label_head(features), self.domain_head(reverse_gradient(features, strength)), features)
