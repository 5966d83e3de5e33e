"""Can the species be predicted from a cell's features? Measured on held-out cells."""

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from neuroclass.types.arrays import Floats, Mask


def domain_right(
    train: Floats, train_species: npt.NDArray[np.object_], test: Floats, test_species: npt.NDArray[np.object_]
) -> Mask:
    """Whether a logistic regression predicts each held-out cell's species correctly, shape (n_test,).

    Parameters
    ----------
    train, test : ndarray, shape (n_cells, n_features)
        Features of training and of held-out cells.
    train_species, test_species : ndarray of str
        Their species.

    Returns
    -------
    ndarray of bool, shape (n_test,)
        Its mean is the domain accuracy; chance is the share of the commoner species.
    """
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    classifier.fit(train, train_species.astype(str))
    return np.asarray(classifier.predict(test) == test_species.astype(str))
