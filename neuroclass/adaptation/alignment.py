"""Align a laboratory's unlabelled cells with the reference, allowing for different class proportions.

Model: z = μ_c + δ + e in the model's standardised features, with e ~ N(0, Σ) within classes, class proportions π
of the batch, and one shift δ for all cells of the laboratory. δ ~ N(0, D A D' + s² I): mostly along the ways in
which laboratories differ (offset of the potentials, temperature, resistance, rheobase step, spike height, bridge:
`neuroclass.training.augmentation`), a little in any. Expectation: the network's probabilities of the cells moved
back by δ, corrected for π. Maximisation, over the features present p of each cell:

    (Σ_i w_i P_i + K⁻¹) δ = Σ_i w_i P_i (z_i − Σ_c r_ic μ_c),   P_i = Σ_pp⁻¹, K = D A D' + s² I

with weights w_i that fall for outliers. Since the class proportions are estimated with δ, a batch with many
interneurons is not mistaken for a shifted one; a batch of one class is indistinguishable from a shift and is
rejected.

References
----------
.. [1] Saerens, Latinne, Decaestecker, "Adjusting the outputs of a classifier to new a priori
   probabilities", Neural Computation 14, 2002.
.. [2] Dempster, Laird, Rubin, "Maximum likelihood from incomplete data via the EM algorithm", JRSS B 39, 1977.
"""

from dataclasses import dataclass

import numpy as np

from neuroclass.adaptation.reference import Reference, unclipped
from neuroclass.config import AugmentSettings
from neuroclass.errors import CohortError
from neuroclass.predictors.label_shift import adapt_to_proportions
from neuroclass.predictors.predictor import Predictor
from neuroclass.predictors.preprocess import by_pattern
from neuroclass.training.augmentation import lab_shifts, shift_directions
from neuroclass.types.arrays import Floats, Mask

LEAST_CELLS = 20
ONE_CLASS = 0.95
ANY_DIRECTION_SD = 0.15
_ROUNDS = 25
_TOLERANCE = 1e-3
_OUTLIER = 3.0
_TITLES = {
    "voltage offset": "offset of all potentials",
    "temperature": "spikes broader, as by cooling,",
    "resistance": "input resistance",
    "rheobase step": "rheobase",
    "spike height": "loss of spike height",
    "bridge": "offset of spike potentials",
}


@dataclass(frozen=True)
class Component:
    """The part of the shift explained by one way in which laboratories differ.

    Attributes
    ----------
    name, unit : str
        What differs; unit ``ln`` for the natural logarithm of a factor.
    size : float
        Estimate, laboratory minus reference.
    """

    name: str
    unit: str
    size: float

    def in_words(self) -> str:
        """The estimate as display text."""
        title = _TITLES.get(self.name, self.name)
        return f"{title} × {np.exp(self.size):.2f}" if self.unit == "ln" else f"{title} {self.size:+.1f} {self.unit}"


@dataclass(frozen=True)
class Alignment:
    """A laboratory's cells before and after alignment.

    Attributes
    ----------
    classes : tuple of str
        In the order of the probabilities.
    delta : ndarray, shape (41,)
        The shift that was removed, standard deviations of the training cells.
    components : tuple of Component
        Its parts along the ways in which laboratories differ.
    proportions : ndarray, shape (n_classes,)
        Estimated class proportions of the batch.
    x : ndarray, shape (n_cells, 41)
        Aligned features, stored units, NaN where missing.
    before, after : ndarray, shape (n_cells, n_classes)
        Calibrated probabilities without and with the alignment.
    reference : str
        Description of the reference.
    """

    classes: tuple[str, ...]
    delta: Floats
    components: tuple[Component, ...]
    proportions: Floats
    x: Floats
    before: Floats
    after: Floats
    reference: str

    @property
    def changed(self) -> Mask:
        """Mask of cells whose likeliest class changed, shape (n_cells,)."""
        return np.asarray(self.before.argmax(1) != self.after.argmax(1))


def check_batch(before: Floats, classes: tuple[str, ...]) -> None:
    """Reject a batch that cannot be aligned.

    Parameters
    ----------
    before : ndarray, shape (n_cells, n_classes)
        Probabilities without adaptation.
    classes : tuple of str
        Their classes.

    Raises
    ------
    CohortError
        For fewer than 20 cells, or if one class has over 95% of the probability: the shift could then be
        the laboratory's or the class'.
    """
    if len(before) < LEAST_CELLS:
        raise CohortError(
            f"{len(before)} cells are too few to tell a laboratory's shift from chance; upload at least {LEAST_CELLS}."
        )
    share = before.mean(0)
    if share.max() > ONE_CLASS:
        raise CohortError(
            f"{share.max():.0%} of the batch is {classes[int(share.argmax())]}: with one class, a shift of the "
            "laboratory cannot be told from what is particular to these cells. Add cells of other classes recorded on "
            "the same rig."
        )


def align(model: Predictor, x: Floats, species: str, reference: Reference) -> Alignment:
    """Estimate the laboratory's shift, remove it and classify again.

    Parameters
    ----------
    model : Predictor
        DANN or LSPIN.
    x : ndarray, shape (n_cells, 41)
        Features of one laboratory's cells of one species, stored units, NaN where missing.
    species : str
        Species of the cells.
    reference : Reference
        Reference to align with.

    Returns
    -------
    Alignment

    Raises
    ------
    CohortError
        For a batch that `check_batch` rejects.
    """
    names = [species] * len(x)
    before = model.predict_proba(x, names)
    check_batch(before, model.classes)
    z = unclipped(model.preprocessor, x)
    directions, ranges = shift_directions(model.preprocessor, AugmentSettings())
    spread = ((ranges[:, 1] - ranges[:, 0]) / 4) ** 2
    prior = directions.T @ np.diag(spread) @ directions + ANY_DIRECTION_SD**2 * np.eye(z.shape[1])
    inverse = np.linalg.inv(prior)
    delta = np.zeros(z.shape[1])
    for _ in range(_ROUNDS):
        posterior, _ = adapt_to_proportions(_probabilities(model, z - delta, names), reference.prior)
        updated = _maximise(z, posterior, delta, reference, inverse)
        step = float(np.abs(updated - delta).max())
        delta = updated
        if step < _TOLERANCE:
            break
    after = _probabilities(model, z - delta, names)
    _, proportions = adapt_to_proportions(after, reference.prior)
    sizes = np.diag(spread) @ directions @ inverse @ delta
    components = tuple(
        Component(shift.name, shift.unit, float(size))
        for shift, size in zip(lab_shifts(AugmentSettings()), sizes, strict=True)
    )
    return Alignment(
        model.classes, delta, components, proportions, _stored(model, z - delta, x), before, after, reference.source
    )


def _stored(model: Predictor, z: Floats, x: Floats) -> Floats:
    return np.where(np.isfinite(x), model.preprocessor.stored_units(z), np.nan)


def _probabilities(model: Predictor, z: Floats, species: list[str]) -> Floats:
    return model.standardised_probabilities(np.clip(z, -5.0, 5.0), species)


def _maximise(z: Floats, posterior: Floats, delta: Floats, reference: Reference, inverse: Floats) -> Floats:
    """The best-fitting shift, given each cell's class probabilities."""
    expected = posterior @ reference.means
    left, right = inverse.copy(), np.zeros(z.shape[1])
    for pattern, rows in by_pattern(np.isfinite(z)):
        columns = np.flatnonzero(pattern)
        if not len(columns):
            continue
        precision = np.linalg.inv(reference.within[np.ix_(columns, columns)])
        residual = (z - expected)[np.ix_(rows, columns)]
        square = ((residual - delta[columns]) @ precision * (residual - delta[columns])).sum(1) / len(columns)
        weights = np.minimum(1.0, _OUTLIER / np.maximum(square, 1e-9))
        left[np.ix_(columns, columns)] += weights.sum() * precision
        right[columns] += precision @ (weights[:, None] * residual).sum(0)
    return np.linalg.solve(left, right)
