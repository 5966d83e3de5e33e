"""What stands for a class in a picture."""

import numpy as np
import pandas as pd

from neuroclass.cohort.class_shape import typical_cell
from neuroclass.features import FEATURE_NAMES


def test_the_typical_cell_is_the_one_nearest_to_the_medians_whatever_its_outliers_and_its_place() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(9, len(FEATURE_NAMES))), columns=list(FEATURE_NAMES))
    frame.insert(0, "id", [f"cell {k}" for k in range(9)])
    frame.loc[5, list(FEATURE_NAMES)] = frame[list(FEATURE_NAMES)].median()
    frame.loc[5, "tau"] = 1e6
    frame.loc[3, list(FEATURE_NAMES)[:20]] = np.nan
    assert typical_cell(frame) == "cell 5"
    assert typical_cell(frame.iloc[::-1]) == "cell 5"
