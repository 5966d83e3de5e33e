"""Boosted trees, one ensemble for each combination of stimuli, as tensors.

Each tree has three levels: it asks three questions "is input j below t?" and adds a score to one class. Question k is
followed by question 2k + 1 if the answer is yes, by 2k + 2 if no. Trees that stop earlier are filled up with questions
whose answer is always yes.

References
----------
.. [1] Chen and Guestrin, "XGBoost: a scalable tree boosting system", KDD 2016.
"""

import torch
from torch import Tensor, nn

LEVELS = 3
QUESTIONS, LEAVES = 7, 8
_BLOCK = 1024


class TreeExperts(nn.Module):
    """Several experts, each an ensemble of boosted trees on a linear map of the features.

    Parameters
    ----------
    n_experts, n_members : int
        Experts, and members of each.
    n_features, n_inputs : int
        Features, and the most inputs of an expert.
    n_rounds, n_classes : int
        Rounds of boosting, each with a tree per class.
    """

    inputs: Tensor
    asked: Tensor
    below: Tensor
    score: Tensor

    def __init__(
        self, n_experts: int, n_members: int, n_features: int, n_inputs: int, n_rounds: int, n_classes: int
    ) -> None:
        super().__init__()
        trees = (n_experts, n_members, n_classes, n_rounds)
        self.register_buffer("inputs", torch.zeros(n_experts, n_features, n_inputs))
        self.register_buffer("asked", torch.zeros(*trees, QUESTIONS, dtype=torch.int16))
        self.register_buffer("below", torch.zeros(*trees, QUESTIONS))
        self.register_buffer("score", torch.zeros(*trees, LEAVES))

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
        n_members, n_classes = self.score.shape[1:3]
        result = x.new_zeros(n_members, len(x), n_classes)
        for expert, share in enumerate(shares.T):
            for cells in torch.split(torch.nonzero(share > 0)[:, 0], _BLOCK):
                scores = self._scores(expert, x[cells] @ self.inputs[expert])
                result[:, cells] += share[cells, None] * scores.log_softmax(-1)
        return result

    def _scores(self, expert: int, inputs: Tensor) -> Tensor:
        """Sums of the trees, shape (n_members, n_cells, n_classes), for inputs of shape (n_cells, n_inputs)."""
        shape = self.score.shape[1:4]
        asked = self.asked[expert].reshape(-1, QUESTIONS).long()
        below = self.below[expert].reshape(-1, QUESTIONS)
        by_input = inputs.T.contiguous()
        no = [by_input[asked[:, k]] >= below[:, k, None] for k in range(QUESTIONS)]
        first, second = no[0], torch.where(no[0], no[2], no[1])
        third = torch.where(first, torch.where(second, no[6], no[5]), torch.where(second, no[4], no[3]))
        leaf = 4 * first.int() + 2 * second.int() + third.int()
        found = self.score[expert].reshape(-1, LEAVES).gather(1, leaf.long())
        return found.reshape(*shape, len(inputs)).sum(2).transpose(1, 2)
