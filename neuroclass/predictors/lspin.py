"""The trained LSPIN: five mouse subclasses, predicted from the few features with open gates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from neuroclass.nets.lspin import Lspin, LspinOutput
from neuroclass.predictors.predictor import NetworkPredictor, for_members
from neuroclass.types.arrays import Floats, Mask
from neuroclass.types.models import LSPIN, ModelSpec


@dataclass(frozen=True, kw_only=True)
class LspinPredictor(NetworkPredictor):
    """LSPIN at inference; adds the gates to `NetworkPredictor`."""

    spec: ClassVar[ModelSpec] = LSPIN

    @staticmethod
    def build(architecture: Mapping[str, Any]) -> nn.Module:
        """Build the untrained network."""
        return Lspin(**architecture)

    @torch.inference_mode()
    def _run(self, z: Floats, present: Mask, agree: bool = True) -> LspinOutput:
        n_members = self.architecture["n_members"]
        output: LspinOutput = self.net(for_members(z, n_members), for_members(present, n_members), agree)
        return output

    def member_probabilities(self, z: Floats, present: Mask) -> Floats:
        """Uncalibrated probabilities of each prediction network, shape (n_members, n_cells, 5)."""
        return np.asarray(self._run(z, present).logits.softmax(-1).numpy(), dtype=np.float64)

    def unseen_probabilities(self, z: Floats, present: Mask) -> Floats:
        """Probabilities of each prediction network with its own gates, shape (n_members, n_cells, 5).

        The consensus would mix in gates of members trained on a cell that another member held out.
        """
        return np.asarray(self._run(z, present, agree=False).logits.softmax(-1).numpy(), dtype=np.float64)

    def gates(self, x: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """The consensus gates, shape (n_cells, 41): 0 shut to 1 open, 0 for missing features."""
        z, present = self.preprocessor(x)
        return np.asarray(self._run(z, present).gates[0].numpy(), dtype=np.float64)
