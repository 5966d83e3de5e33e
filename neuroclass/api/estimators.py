"""LSPIN and DANN as scikit-learn classifiers, for the 41 features or any others."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from neuroclass.api.network_classifier import FEW_CELLS, NetworkClassifier
from neuroclass.config import DannSettings, LspinSettings
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.training.fit_dann import fit_dann
from neuroclass.training.fit_lspin import fit_lspin
from neuroclass.types.arrays import Floats


class LSPINClassifier(NetworkClassifier):
    """Locally sparse network: a gating network opens, per cell, the few features that a prediction network may see.

    Some of the 41 features, as columns of a DataFrame, are transformed, augmented and completed as for the shipped
    model; any other features are standardised only.

    Parameters
    ----------
    n_members : int
        Networks in the ensemble.
    gate_penalty : float
        Weight of the number of open gates, λ1.
    similarity : float
        Weight of the gates' differences between alike cells, λ2.
    steps : int
        Training steps.
    learning_rate : float
        Highest rate.
    random_state : int
        Seed.

    Attributes
    ----------
    classes_ : ndarray
        Classes in the order of the probabilities.
    predictor_ : LspinPredictor
        The trained networks.

    References
    ----------
    .. [1] Yang, Lindenbaum and Kluger, "Locally sparse neural networks for tabular biomedical data", ICML 2022.

    Examples
    --------
    >>> import neuroclass as nc
    >>> cells = nc.load_cohort().labelled("subclass").to_frame()
    >>> x, y = cells[["tau", "width", "f_i_curve_slope", "ri"]], cells["subclass"]
    >>> model = nc.LSPINClassifier(n_members=3, steps=60).fit(x, y, groups=cells["donor"])
    >>> model.gates(x).shape == x.shape
    True
    """

    def __init__(
        self,
        n_members: int = 10,
        gate_penalty: float = LspinSettings().gate_penalty,
        similarity: float = LspinSettings().similarity,
        steps: int = LspinSettings().optimiser.steps,
        learning_rate: float = LspinSettings().optimiser.learning_rate,
        random_state: int = 0,
    ) -> None:
        self.n_members = n_members
        self.gate_penalty = gate_penalty
        self.similarity = similarity
        self.steps = steps
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _settings(self) -> LspinSettings:
        return replace(self._common(LspinSettings()), gate_penalty=self.gate_penalty, similarity=self.similarity)

    def fit(self, X: Any, y: Any, groups: npt.ArrayLike | None = None) -> Self:
        """Train.

        Parameters
        ----------
        X : array-like, shape (n_cells, n_features)
            Features, NaN where missing.
        y : array-like, shape (n_cells,)
            Classes.
        groups : array-like, shape (n_cells,), optional
            Donor of each cell, so that no donor is on both sides of calibration; by default each cell its own.

        Returns
        -------
        LSPINClassifier

        Raises
        ------
        ValueError
            If there is one class only, or the shapes differ.
        """
        cells = self._cells(X, y, groups, None)
        preprocessor = self._kind().fit(cells.x)
        self.predictor_ = fit_lspin(cells, preprocessor, self._settings(), biased=len(cells.x) >= FEW_CELLS)
        return self

    def gates(self, X: Any) -> Floats:
        """Gates of each cell, shape (n_cells, n_features): 0 shut to 1 open, 0 for missing features."""
        x = self._checked(X)
        gates = self.predictor_.gates(x)
        if self._published:
            gates = gates[:, [FEATURE_NAMES.index(name) for name in self.feature_names_in_]]
        return np.asarray(gates)

    @classmethod
    def _predictor(cls) -> type[LspinPredictor]:
        return LspinPredictor


class DANNClassifier(NetworkClassifier):
    """Domain-adversarial network: classes are learned from features in which the domain cannot be found out.

    Cells whose label is None or NaN take part in the adversary only, such as those of an unlabelled species.

    Parameters
    ----------
    n_members : int
        Networks in the ensemble.
    reversal : float
        Highest weight of the reversed gradient, λ; 0 for no adversary.
    steps : int
        Training steps.
    learning_rate : float
        Highest rate.
    random_state : int
        Seed.

    Attributes
    ----------
    classes_ : ndarray
        Classes in the order of the probabilities.
    predictor_ : DannPredictor
        The trained networks.

    References
    ----------
    .. [1] Ganin et al., "Domain-adversarial training of neural networks", JMLR 17, 2016.

    Examples
    --------
    >>> import neuroclass as nc
    >>> cells = nc.load_cohort().to_frame()
    >>> x = cells[["tau", "width", "f_i_curve_slope", "ri"]]
    >>> model = nc.DANNClassifier(n_members=3, steps=60)
    >>> model = model.fit(x, cells["broad"], domains=cells["species"], groups=cells["donor"])
    >>> len(model.embed(x)) == len(x)
    True
    """

    def __init__(
        self,
        n_members: int = 10,
        reversal: float = DannSettings().reversal,
        steps: int = DannSettings().optimiser.steps,
        learning_rate: float = DannSettings().optimiser.learning_rate,
        random_state: int = 0,
    ) -> None:
        self.n_members = n_members
        self.reversal = reversal
        self.steps = steps
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _settings(self) -> DannSettings:
        return replace(self._common(DannSettings()), reversal=self.reversal)

    def fit(
        self,
        X: Any,
        y: Any,
        domains: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : array-like, shape (n_cells, n_features)
            Features, NaN where missing.
        y : array-like, shape (n_cells,)
            Classes; None or NaN where unknown.
        domains : array-like, shape (n_cells,), optional
            Domain of each cell, such as its species or laboratory; by default all one.
        groups : array-like, shape (n_cells,), optional
            Donor of each cell; by default each cell its own.

        Returns
        -------
        DANNClassifier

        Raises
        ------
        ValueError
            If there is one class only, or the shapes differ.
        """
        cells = self._cells(X, y, groups, domains)
        preprocessor = self._kind().fit(cells.x)
        self.predictor_ = fit_dann(cells, preprocessor, self._settings(), biased=len(cells.x) >= FEW_CELLS)
        return self

    def embed(self, X: Any) -> Floats:
        """Domain-invariant features of each cell, shape (n_cells, width)."""
        x = self._checked(X)
        return np.asarray(self.predictor_.embed(x))

    @classmethod
    def _predictor(cls) -> type[DannPredictor]:
        return DannPredictor
