"""A shipped model's predictions for the simulated cells, stored so that pages need not compute them."""

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.predictors.predictor import Predictor


def demo_predictions(model: Predictor, cells: Cohort | None = None) -> pd.DataFrame:
    """Probabilities of every demo cell with a class that the model predicts.

    Parameters
    ----------
    model : Predictor
        A trained model; it has seen no simulated cell.
    cells : Cohort, optional
        Simulated cells; by default the demo cohort.

    Returns
    -------
    DataFrame
        Columns id, species, truth, predicted and ``p_<class>`` (fractions of 1), one row per cell.
    """
    known = (cells or load_demo()).labelled(model.task)
    species = [str(one) for one in known.column("species")]
    probabilities = np.asarray(model.predict_proba(known.matrix(), species), dtype=np.float32).round(5)
    classes = list(model.classes)
    table = known.frame[["id", "species"]].assign(
        truth=known.frame[model.task], predicted=np.array(classes)[probabilities.argmax(axis=1)]
    )
    return table.join(pd.DataFrame(probabilities, columns=[f"p_{name}" for name in classes]))
