"""The reference a laboratory is compared with: class means and within-class covariance.

No cell of the real tables ships with the models. Class means come from the medians of
``models/feature_ranges.json``, the covariance from the model's preprocessor (all training cells, shrunk) less
the part that lies between the classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import CohortError
from neuroclass.predictors.predictor import Predictor
from neuroclass.predictors.preprocess import Preprocessor, transform
from neuroclass.reference.ranges import LEVELS, class_values
from neuroclass.types.arrays import Floats

_FLOOR = 0.02
_RIDGE = 0.1


@dataclass(frozen=True)
class Reference:
    """Classes of one species in a model's standardised features.

    Attributes
    ----------
    classes : tuple of str
        In the model's order.
    means : ndarray, shape (n_classes, 41)
        Class means.
    within : ndarray, shape (41, 41)
        Covariance within classes.
    prior : ndarray, shape (n_classes,)
        Proportions among the training cells of the species.
    source : str
        Description of where it comes from.
    """

    classes: tuple[str, ...]
    means: Floats
    within: Floats
    prior: Floats
    source: str

    def sample(self, proportions: Floats, n_cells: int, seed: int) -> Floats:
        """Sample surrogate cells, standardised, shape (n_cells, 41), normal around the class means."""
        rng = np.random.default_rng(seed)
        which = rng.choice(len(self.classes), n_cells, p=proportions / proportions.sum())
        return self.means[which] + rng.multivariate_normal(np.zeros(len(self.within)), self.within, n_cells)


def unclipped(preprocessor: Preprocessor, x: Floats) -> Floats:
    """Standardised features without clipping at ±5, shape (n_cells, 41), NaN where missing."""
    known = np.where(np.isfinite(x), x, np.nan)
    return np.asarray((transform(known) - preprocessor.mean) / preprocessor.scale)


def shipped_reference(model: Predictor, species: str) -> Reference:
    """Build the reference from the shipped quantiles.

    Parameters
    ----------
    model : Predictor
        DANN or LSPIN.
    species : str
        ``mouse`` or ``human``; an unknown species counts as mouse.

    Returns
    -------
    Reference

    Raises
    ------
    CohortError
        If the model's card does not describe its training cells.
    """
    species = species if species in set(Species) else Species.MOUSE.value
    counts: Mapping[str, int] = model.card.get("training_cells", {}).get("classes", {})
    groups = {tuple(name.split(" ", 1)): n for name, n in counts.items()}
    mine = np.array([groups.get((species, name), 0) for name in model.classes], dtype=np.float64)
    if not mine.sum():
        raise CohortError(f"The card of {model.name} tells of no {species} cells, so there is nothing to compare with.")
    middle = LEVELS.index(0.5)
    means = unclipped(model.preprocessor, np.stack([class_values(species, c)[middle] for c in model.classes]))
    others = {key: n for key, n in groups.items() if len(key) == 2 and key[1] in model.classes and n}
    centres = unclipped(model.preprocessor, np.stack([class_values(*key)[middle] for key in others]))
    weights = np.array(list(others.values()), dtype=np.float64)
    within = model.preprocessor.covariance - np.cov(centres.T, aweights=weights, ddof=0)
    return Reference(model.classes, means, _positive(within), mine / mine.sum(), "quantiles that ship with the models")


def cohort_reference(model: Predictor, cells: Cohort, species: str) -> Reference:
    """Build the reference from real cells.

    Parameters
    ----------
    model : Predictor
        Provides the standardisation.
    cells : Cohort
        Labelled cells.
    species : str
        Their species.

    Returns
    -------
    Reference

    Raises
    ------
    CohortError
        If a class has fewer than five cells.
    """
    mine = cells.of_species(species).labelled(model.task)
    z = model.preprocessor.standardise(mine.matrix())
    labels = mine.column(model.task)
    counts = np.array([(labels == name).sum() for name in model.classes], dtype=np.float64)
    if counts.min() < 5:
        least = model.classes[int(counts.argmin())]
        raise CohortError(f"Only {int(counts.min())} {species} cells of {least} are loaded; at least 5 are needed.")
    means = np.stack([np.nanmean(z[labels == name], axis=0) for name in model.classes])
    places = {name: k for k, name in enumerate(model.classes)}
    residuals = np.nan_to_num(z - means[[places[name] for name in labels]])
    within = residuals.T @ residuals / len(residuals)
    return Reference(
        model.classes, means, _positive(within), counts / counts.sum(), f"{len(mine)} cells of {cells.source}"
    )


def _positive(covariance: Floats) -> Floats:
    """The nearest positive-definite covariance, shrunk slightly to its diagonal."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    fixed = vectors @ np.diag(np.maximum(values, _FLOOR)) @ vectors.T
    return np.asarray((1 - _RIDGE) * fixed + _RIDGE * np.diag(np.diag(fixed)))
