"""What differs between two verdicts' features: those that appeared, those that are gone, and how far the rest moved."""

from dataclasses import dataclass

import numpy as np

from neuroclass.classification.result import CellVerdict
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.preprocess import Preprocessor

_SAME_SD = 1e-6


@dataclass(frozen=True)
class Moved:
    """A feature that two verdicts both have, with different values.

    Attributes
    ----------
    feature : str
        Name of the feature.
    first, second : float
        Its values, stored unit.
    sd : float
        Second less first, in standard deviations of the training cells.
    """

    feature: str
    first: float
    second: float
    sd: float


@dataclass(frozen=True)
class Differences:
    """Features of a second verdict against those of a first.

    Attributes
    ----------
    appeared, gone : tuple of str
        Features that only the second, or only the first has.
    moved : tuple of Moved
        The others whose value differs, largest difference first.
    """

    appeared: tuple[str, ...]
    gone: tuple[str, ...]
    moved: tuple[Moved, ...]

    def __bool__(self) -> bool:
        return bool(self.appeared or self.gone or self.moved)


def differences(first: CellVerdict, second: CellVerdict, preprocessor: Preprocessor) -> Differences:
    """Compare the features of two verdicts.

    Parameters
    ----------
    first, second : CellVerdict
        Of two cells, or of one cell measured twice.
    preprocessor : Preprocessor
        Of the model whose training cells give the standard deviations.

    Returns
    -------
    Differences
    """
    rows = np.array([[one.features.get(name, np.nan) for name in FEATURE_NAMES] for one in (first, second)])
    before, after = preprocessor.standardise(rows)
    sd = after - before
    both = [k for k, name in enumerate(FEATURE_NAMES) if name in first.features and name in second.features]
    far = sorted((k for k in both if abs(sd[k]) > _SAME_SD), key=lambda k: -abs(sd[k]))
    return Differences(
        tuple(name for name in FEATURE_NAMES if name in second.features and name not in first.features),
        tuple(name for name in FEATURE_NAMES if name in first.features and name not in second.features),
        tuple(Moved(FEATURE_NAMES[k], float(rows[0, k]), float(rows[1, k]), float(sd[k])) for k in far),
    )
