"""A trained model at inference: features in stored units in, calibrated predictions out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from neuroclass.predictors.calibration import COVERAGE, Calibration, ranked_sets
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.predictors.priors import reweight
from neuroclass.predictors.typicality import Typicality
from neuroclass.types.arrays import Floats, Mask
from neuroclass.types.models import ModelSpec

Arrays = dict[str, npt.NDArray[np.generic]]

_NET = "net."
_BACKGROUND = "background"


@dataclass(frozen=True, kw_only=True)
class Predictor(ABC):
    """A model with its preprocessing, calibration and typicality.

    Attributes
    ----------
    name : str
        ``dann``, ``lspin`` or another system's name.
    classes : tuple of str
        In the order of every array of probabilities.
    preprocessor, calibration, typicality_scale
        Fitted on training cells.
    background : ndarray, shape (n_prototypes, 41)
        Standardised prototypes of the training cells, the background of SHAP values.
    card : mapping
        Model card: description and checksums.
    """

    name: str
    classes: tuple[str, ...]
    preprocessor: Preprocessor
    calibration: Calibration
    typicality_scale: Typicality
    background: Floats
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    @abstractmethod
    def task(self) -> str:
        """What the model tells, ``broad`` or ``subclass``; also the cohort's column with the labels."""

    @abstractmethod
    def member_probabilities(self, z: Floats, present: Mask) -> Floats:
        """Uncalibrated probabilities of each member, shape (n_members, n_cells, n_classes)."""

    def unseen_probabilities(self, z: Floats, present: Mask) -> Floats:
        """As `member_probabilities`, without information shared between members."""
        return self.member_probabilities(z, present)

    def ensemble_probabilities(self, z: Floats, present: Mask) -> Floats:
        """Mean of `member_probabilities`, shape (n_cells, n_classes)."""
        return np.asarray(self.member_probabilities(z, present).mean(0))

    def hidden_share(self, present: Mask) -> Floats:
        """Fraction of the features that a cell lacks, shape (n_cells,), from a mask of shape (n_cells, 41)."""
        return np.asarray(1.0 - present.mean(axis=1))

    def standardised_probabilities(self, z: Floats, species: Sequence[str] | None = None) -> Floats:
        """`predict_proba` from standardised features."""
        completed, present = self.preprocessor.complete(z)
        return self.calibration(self.ensemble_probabilities(completed, present), self.hidden_share(present), species)

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Calibrated probabilities.

        Parameters
        ----------
        x : ndarray, shape (n_cells, 41)
            Features in stored units, NaN where missing.
        species : sequence of str, shape (n_cells,), optional
            ``mouse`` or ``human``; an unknown one uses the calibration of all cells.

        Returns
        -------
        ndarray, shape (n_cells, n_classes)
        """
        return self.standardised_probabilities(self.preprocessor.standardise(x), species)

    def prediction_set(
        self,
        x: Floats,
        species: Sequence[str] | None = None,
        coverage: float = COVERAGE,
        weights: Floats | None = None,
        *,
        allow_empty: bool = False,
    ) -> list[tuple[str, ...]]:
        """Prediction set of each cell, likeliest class first, at the nominal `coverage`.

        With `weights` of the classes (see `priors`), posteriors are corrected first and classes of weight 0 left
        out; the thresholds stay those of the training proportions. With `allow_empty` the share is just `coverage`,
        and a set may be empty; see `Calibration.sets`.
        """
        probabilities = self.predict_proba(x, species)
        if weights is not None:
            probabilities = reweight(probabilities, weights)
        hidden = self.hidden_share(np.isfinite(x))
        inside = self.calibration.sets(probabilities, hidden, species, coverage, allow_empty=allow_empty)
        inside &= True if weights is None else weights > 0
        return ranked_sets(probabilities, inside, self.classes)

    def typicality_of(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Fraction of training cells at least as unusual on the features present, shape (n_cells,)."""
        return self.standardised_typicality(self.preprocessor.standardise(x), species)

    def standardised_typicality(self, z: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """`typicality_of` from standardised features."""
        return self.typicality_scale(z, self.preprocessor)

    def arrays(self) -> Arrays:
        """All arrays to save."""
        parts = (self.preprocessor.arrays(), self.calibration.arrays(), self.typicality_scale.arrays())
        return {**{k: v for part in parts for k, v in part.items()}, _BACKGROUND: self.background}


@dataclass(frozen=True, kw_only=True)
class NetworkPredictor(Predictor):
    """An ensemble of networks.

    Attributes
    ----------
    spec : ModelSpec
        What is declared of the model: its task above all.
    net : Module
        All members, in evaluation mode.
    architecture : mapping
        Arguments that rebuild `net`.
    """

    spec: ClassVar[ModelSpec]

    net: nn.Module
    architecture: Mapping[str, Any]

    @property
    def task(self) -> str:
        """What the model tells, ``broad`` or ``subclass``; also the cohort's column with the labels."""
        return self.spec.task

    @staticmethod
    @abstractmethod
    def build(architecture: Mapping[str, Any]) -> nn.Module:
        """Make the untrained net."""

    def arrays(self) -> Arrays:
        """All arrays to save."""
        return {**{_NET + name: value.numpy() for name, value in self.net.state_dict().items()}, **super().arrays()}

    @classmethod
    def from_arrays(cls, arrays: Arrays, card: Mapping[str, Any]) -> Self:
        """Rebuild from the output of `arrays`.

        Raises
        ------
        KeyError, RuntimeError
            If an array is missing or has another shape than the architecture's.
        """
        net = cls.build(card["architecture"])
        weights = {k.removeprefix(_NET): torch.as_tensor(v) for k, v in arrays.items() if k.startswith(_NET)}
        net.load_state_dict(weights)
        net.eval()
        return cls(net=net, architecture=card["architecture"], **shared_parts(arrays, card))


def shared_parts(arrays: Arrays, card: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of every predictor, rebuilt from its arrays and card; KeyError if one is missing."""
    preprocessor = Preprocessor.from_arrays(arrays)
    return {
        "name": card["model"],
        "classes": tuple(card["classes"]),
        "preprocessor": preprocessor,
        "calibration": Calibration.from_arrays(arrays),
        "typicality_scale": Typicality.from_arrays(arrays),
        "background": np.asarray(arrays[_BACKGROUND], dtype=np.float64).reshape(-1, preprocessor.mean.size),
        "card": card,
    }


def for_members(values: npt.NDArray[np.generic], n_members: int) -> Tensor:
    """Repeat cells for each member: (n_cells, n) → (n_members, n_cells, n), float32."""
    return torch.as_tensor(values, dtype=torch.float32).expand(n_members, -1, -1)
