"""The trained DANN: excitatory or inhibitory, in mouse and human."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from neuroclass.nets.dann import Dann, DannOutput
from neuroclass.predictors.predictor import NetworkPredictor, for_members
from neuroclass.types.arrays import Floats, Mask
from neuroclass.types.models import DANN, ModelSpec


@dataclass(frozen=True, kw_only=True)
class DannPredictor(NetworkPredictor):
    """DANN at inference; adds the domain-invariant features to `NetworkPredictor`."""

    spec: ClassVar[ModelSpec] = DANN

    @staticmethod
    def build(architecture: Mapping[str, Any]) -> nn.Module:
        """Build the untrained network."""
        return Dann(**architecture)

    @torch.inference_mode()
    def _run(self, z: Floats) -> DannOutput:
        output: DannOutput = self.net(for_members(z, self.architecture["n_members"]))
        return output

    def member_probabilities(self, z: Floats, present: Mask) -> Floats:  # noqa: ARG002
        """Uncalibrated probabilities of each member, shape (n_members, n_cells, 2)."""
        return np.asarray(self._run(z).label.softmax(-1).numpy(), dtype=np.float64)

    def embed(self, x: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """Domain-invariant features of the first member, shape (n_cells, width).

        Each member's adversary sees that member's features only. Several members' features
        side by side would reveal the species again.
        """
        z, _ = self.preprocessor(x)
        return np.asarray(self._run(z).features[0].numpy(), dtype=np.float64)
