"""The human subclass net: kernel experts, boosted trees and a gated network, whose log probabilities are averaged."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from neuroclass.nets.kernel_experts import KernelExperts
from neuroclass.nets.lspin import Lspin
from neuroclass.nets.tree_experts import TreeExperts


class HumanSubclassOutput(NamedTuple):
    """Probabilities (n_members, n_cells, n_classes) and LSPIN's gates (n_members, n_cells, n_features)."""

    probabilities: Tensor
    gates: Tensor


class HumanSubclassNet(nn.Module):
    """Kernel experts and boosted trees beside LSPIN, member by member.

    Parameters
    ----------
    columns : sequence of int
        The features that the experts see.
    experts, trees, lspin : mapping
        Arguments of `KernelExperts`, `TreeExperts` and `Lspin`; all have the same members and classes.
    """

    def __init__(
        self, columns: Sequence[int], experts: Mapping[str, Any], trees: Mapping[str, Any], lspin: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.columns = list(columns)
        self.experts = KernelExperts(**experts)
        self.trees = TreeExperts(**trees)
        self.lspin = Lspin(**lspin)

    def forward(self, x: Tensor, present: Tensor, shares: Tensor, agree: bool = True) -> HumanSubclassOutput:
        """Run all three.

        Parameters
        ----------
        x, present : Tensor, shape (n_cells, n_features)
            Standardised, imputed features; 1 where one was measured.
        shares : Tensor, shape (n_cells, n_experts)
            Weight of each expert for each cell; rows sum to 1.
        agree : bool
            Whether LSPIN's members share their gates; see `Lspin`.

        Returns
        -------
        HumanSubclassOutput
            log p = (log p_experts + log p_lspin + 2 log p_trees) / 4 + constant.
        """
        members = self.experts.waves.shape[1]
        gated = self.lspin(x.expand(members, -1, -1), present.expand(members, -1, -1), agree)
        chosen = x[:, self.columns]
        smooth = (self.experts(chosen, shares) + gated.logits.log_softmax(-1)) / 2
        return HumanSubclassOutput(((smooth + self.trees(chosen, shares)) / 2).softmax(-1), gated.gates)
