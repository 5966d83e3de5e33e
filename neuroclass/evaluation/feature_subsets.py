"""Accuracy on held-out cells with only some of their features: whole stimuli, and random subsets.

Each fold's network sees its held-out cells with the same sets of features. One table holds both kinds of sets.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclass.features import FEATURES, Stimulus
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.foundation import digits_of
from neuroclass.types.arrays import Mask

if TYPE_CHECKING:
    import pandas as pd

    from neuroclass.cohort.cohort import Cohort
    from neuroclass.predictors.predictor import Predictor

N_SUBSETS = 400
LEAST = 3
ALL = "all"
COLUMNS = (
    "features",
    "stimuli",
    "species",
    "class",
    "n_cells",
    "accuracy",
    "low",
    "high",
    "sd",
    "macro_f1",
    "coverage",
    "error",
)
_SEED = 41
_STIMULI = np.array([spec.stimulus.value for spec in FEATURES])


def random_subsets(n: int = N_SUBSETS, seed: int = _SEED) -> Mask:
    """Distinct random feature subsets, drawn from some stimuli; shape (n, 41), at least 3 features each."""
    rng = np.random.default_rng(seed)
    subsets: dict[bytes, Mask] = {}
    while len(subsets) < n:
        kept = [s.value for s in Stimulus if rng.random() < 0.7]
        share = 1.0 if rng.random() < 0.2 else np.exp(rng.uniform(np.log(0.06), 0.0))
        subset = np.isin(_STIMULI, kept) & (rng.random(len(_STIMULI)) < share)
        if subset.sum() >= LEAST:
            subsets[subset.tobytes()] = subset
    return np.array(list(subsets.values()))


def subset_outcomes(model: "Predictor", test: "Cohort", task: str, subsets: Mask) -> "pd.DataFrame":
    """Held-out cells with only some features each time.

    Parameters
    ----------
    model : Predictor
        Trained without the cells.
    test : Cohort
        The cells.
    task : str
        ``broad`` or ``subclass``.
    subsets : ndarray of bool, shape (n_subsets, 41)
        The features known.

    Returns
    -------
    DataFrame
        For each subset (its number), species, class and donor: ``n`` cells, ``right`` ones and ``covered`` by the set.
    """
    import pandas as pd

    x, truth = test.matrix(), test.column(task)
    species = test.column("species")
    of_class = np.array([model.classes.index(name) for name in truth])
    keys = pd.DataFrame({"species": species, "class": truth, "donor": test.column("donor")})
    frames = []
    for number, subset in enumerate(subsets):
        seen = np.where(subset, x, np.nan)
        probabilities = model.predict_proba(seen, species.tolist())
        sets = model.prediction_set(seen, species.tolist(), COVERAGE)
        cells = keys.assign(
            n=1,
            right=(probabilities.argmax(1) == of_class).astype(int),
            covered=[int(name in chosen) for name, chosen in zip(truth, sets, strict=True)],
        )
        summed = cells.groupby(["species", "class", "donor"], as_index=False, sort=False)[["n", "right", "covered"]]
        frames.append(summed.sum().assign(subset=number))
    return pd.concat(frames, ignore_index=True)


def summarise_subsets(outcomes: "pd.DataFrame", subsets: Mask) -> "pd.DataFrame":
    """Accuracy with each subset by species and class, over all folds.

    Parameters
    ----------
    outcomes : DataFrame
        `subset_outcomes` of every fold.
    subsets : ndarray of bool, shape (n_subsets, 41)
        The features known.

    Returns
    -------
    DataFrame
        ``features`` (41 digits, 1 for known), ``species``, ``class`` (or ``all``), ``n_cells``, ``accuracy``,
        ``coverage`` (fractions) and ``error``, the accuracy's standard error over donors.
    """
    import pandas as pd

    keys = ["subset", "species", "class"]
    both = pd.concat([outcomes, outcomes.assign(**{"class": ALL})])
    donors = both.groupby([*keys, "donor"], as_index=False)[["n", "right", "covered"]].sum()
    sums = donors.groupby(keys)[["n", "right", "covered"]].sum()
    accuracy = sums["right"] / sums["n"]
    donors = donors.join(accuracy.rename("accuracy"), on=keys)
    donors["square"] = (donors["right"] - donors["accuracy"] * donors["n"]) ** 2
    error = donors.groupby(keys)["square"].sum() ** 0.5 / sums["n"]
    table = pd.DataFrame(
        {
            "n_cells": sums["n"],
            "accuracy": accuracy.round(5),
            "coverage": (sums["covered"] / sums["n"]).round(5),
            "error": error.round(5),
        }
    ).reset_index()
    digits = [digits_of(subset) for subset in subsets]
    table.insert(0, "features", [digits[number] for number in table.pop("subset")])
    return table


def stimulus_rows(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """Convert rows of the ``masked`` protocol: one row for all cells, then one per class.

    Parameters
    ----------
    rows : sequence of mapping
        ``laboratory`` (the recorded stimuli joined by +), ``species``, ``n_cells``, ``mean``, ``sd``, ``low``,
        ``high``, ``macro_f1`` and ``classes`` (accuracy by class; fractions of cells).

    Returns
    -------
    DataFrame
        `COLUMNS`, without ``n_cells`` of classes, ``coverage`` and ``error``.
    """
    import pandas as pd

    result = []
    for row in rows:
        stimuli = row["laboratory"]
        key = {
            "features": digits_of(np.isin(_STIMULI, stimuli.split("+"))),
            "stimuli": stimuli,
            "species": row["species"],
        }
        metrics = {name: row[name] for name in ("n_cells", "low", "high", "sd", "macro_f1")}
        result.append({**key, "class": ALL, "accuracy": row["mean"], **metrics})
        result += [{**key, "class": name, "accuracy": value} for name, value in row["classes"].items()]
    return pd.DataFrame(result, columns=list(COLUMNS))


def subset_table(stimuli: "pd.DataFrame", random: "pd.DataFrame") -> "pd.DataFrame":
    """The table of all sets of features.

    Parameters
    ----------
    stimuli : DataFrame
        From `stimulus_rows`.
    random : DataFrame
        From `summarise_subsets`, of the same cells.

    Returns
    -------
    DataFrame
        `COLUMNS`: ``features`` (41 digits, 1 for known), ``stimuli`` (joined by +; None for random sets),
        ``species``, ``class`` (or ``all``), ``n_cells``, ``accuracy``; for whole stimuli and all classes ``low`` and
        ``high`` (95% interval), ``sd`` (over folds) and ``macro_f1``; for random sets ``coverage`` of the 90% sets
        and ``error`` (the accuracy's standard error over donors). All fractions of held-out cells.
    """
    import pandas as pd

    n_cells = random.groupby(["species", "class"])["n_cells"].max()
    of_class = pd.MultiIndex.from_frame(stimuli[["species", "class"]]).map(n_cells)
    known = stimuli.assign(n_cells=stimuli["n_cells"].fillna(pd.Series(of_class, index=stimuli.index)))
    table = pd.concat([known, random.assign(stimuli=None)], ignore_index=True)
    return table[list(COLUMNS)].astype({"n_cells": "int64"})


def of_whole_stimuli(table: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of whole stimuli of all classes together, in the order of the protocol."""
    return table[table["stimuli"].notna() & (table["class"] == ALL)].reset_index(drop=True)
