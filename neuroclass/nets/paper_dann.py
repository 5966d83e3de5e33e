"""DANN as the paper's code builds it: batch normalisation before each layer, and one linear layer a head.

References
----------
.. [1] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, 2023, section 3.2, and its public code.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from neuroclass.nets.dann import DannOutput
from neuroclass.nets.gradient_reversal import reverse_gradient
from neuroclass.nets.members import MemberLinear, member_stack


class PaperDann(nn.Module):
    """One network of the paper's architecture.

    Parameters
    ----------
    n_inputs : int
        Features.
    hidden : sequence of int
        Units of the extractor's layers (selu).
    n_classes, n_domains : int
        Outputs of the two heads.
    """

    def __init__(self, n_inputs: int, hidden: Sequence[int], n_classes: int = 2, n_domains: int = 2) -> None:
        super().__init__()
        self.extractor = member_stack(1, (n_inputs, *hidden), nn.SELU, normalise=True)
        self.label_head = MemberLinear(1, hidden[-1], n_classes)
        self.domain_head = MemberLinear(1, hidden[-1], n_domains)

    def forward(self, x: Tensor, strength: float = 0.0) -> DannOutput:
        """Run the network.

        Parameters
        ----------
        x : Tensor, shape (1, n_cells, n_inputs)
            Standardised features.
        strength : float
            λ of the reversal.

        Returns
        -------
        DannOutput
            Shapes (1, n_cells, n_classes), (1, n_cells, n_domains), (1, n_cells, hidden[-1]).
        """
        features = self.extractor(x)
        return DannOutput(self.label_head(features), self.domain_head(reverse_gradient(features, strength)), features)

    def penalty(self) -> Tensor:
        """Sum of the squares of the extractor's weights and biases, as Keras' L2 counts them."""
        layers = [layer for layer in self.extractor if isinstance(layer, MemberLinear)]
        return sum((layer.weight.square().sum() + layer.bias.square().sum() for layer in layers), self._zero())

    def _zero(self) -> Tensor:
        return self.label_head.bias.new_zeros(())
