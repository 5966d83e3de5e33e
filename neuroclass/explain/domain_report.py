"""What the Domains page shows, from networks trained for it: pictures, numbers and cross-species matches."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.config import DannSettings
from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.explain.cross_species_matches import match_table
from neuroclass.explain.domain_measures import measures
from neuroclass.explain.domain_spaces import (
    RAW,
    FoldSpace,
    align,
    fold_space,
    reversals,
    space_name,
)
from neuroclass.explain.embedding import umap_of
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Floats
from neuroclass.types.progress import ProgressCallback, ignore_progress


def _measured(space: str, features: Floats, plan: Plan, trial: Trial) -> pd.DataFrame:
    """Measures of one fold."""
    species, classes = (plan.cohort.column(name).astype(str) for name in ("species", "broad"))
    a, b = trial.train, trial.test
    table = measures(features[a], features[b], species[a], species[b], classes[a], classes[b])
    return table.assign(space=space, fold=trial.fold, cells=len(b))


def domain_tables(
    plan: Plan,
    trials: Sequence[Trial],
    shipped_spaces: Sequence[FoldSpace],
    jobs: int,
    progress: ProgressCallback = ignore_progress,
) -> dict[str, pd.DataFrame]:
    """Embedding, features, numbers and cross-species matches of all cells.

    Parameters
    ----------
    plan : Plan
        All cells.
    trials : sequence of Trial
        The folds of one repeat.
    shipped_spaces : sequence of FoldSpace
        The shipped recipe's spaces in the order of `trials`.
    jobs : int
        Networks trained at once.
    progress : ProgressCallback
        Called after each network.

    Returns
    -------
    dict of str to DataFrame
        ``embedding``, ``domains``, ``domain-features`` and ``cross-species-matches``.
    """
    own = DannSettings().reversal
    others = [value for value in reversals() if value != own]
    calls = [delayed(fold_space)(plan, trial, value) for value, trial in product(others, trials)]
    found = in_parallel(calls, jobs, "domains", progress)
    by_reversal = {own: list(shipped_spaces)}
    by_reversal |= {value: [space for space in found if space.reversal == value] for value in others}

    meta = plan.cohort.frame[["id", "species"]].assign(truth=plan.cohort.frame["broad"])
    folds = np.zeros(len(meta), dtype=np.int64)
    for trial in trials:
        folds[trial.test] = trial.fold
    meta = meta.assign(fold=folds)
    aligned = {value: align(spaces, trials) for value, spaces in sorted(by_reversal.items())}
    raw = Preprocessor.fit(plan.cohort.matrix())(plan.cohort.matrix())[0]
    spaces = {RAW: raw, **{space_name(value): result.features for value, result in aligned.items()}}
    points = in_parallel([delayed(umap_of)(features) for features in spaces.values()], jobs, "planes", ignore_progress)
    pictures = [
        meta.assign(space=name, x=xy[:, 0].round(4), y=xy[:, 1].round(4))
        for name, xy in zip(spaces, points, strict=True)
    ]

    numbers = [_measured(RAW, raw, plan, trial) for trial in trials]
    for value, result in by_reversal.items():
        for space, trial in zip(result, trials, strict=True):
            part = _measured(space_name(value), space.features, plan, trial)
            numbers.append(part.assign(reversal=value, aligned=aligned[value].explained))

    columns = [f"feature {k + 1}" for k in range(aligned[own].features.shape[1])]
    features = pd.DataFrame(aligned[own].features.astype(np.float32).round(4), columns=columns)
    mouse, human = (meta.loc[meta["species"] == name, "id"].tolist() for name in ("mouse", "human"))
    distances = [space.distances for space in by_reversal[own] if space.distances is not None]
    return {
        "embedding": pd.concat(pictures, ignore_index=True),
        "domains": pd.concat(numbers, ignore_index=True),
        "domain-features": pd.concat([meta, features], axis=1),
        "cross-species-matches": match_table(mouse, human, distances),
    }
