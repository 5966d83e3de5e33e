"""Search for settings with scores from inner folds, several studies side by side: one an outer fold, one on all cells.

A study is given the training cells of its outer fold and nothing else. Fits are pure calls, so that they may run in
any process; the studies themselves stay with whoever asks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import Fold, donor_folds
from neuroclass.config import DannSettings, LspinSettings, SearchSettings
from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.training.search_space import search_space
from neuroclass.training.settings import Values, with_values
from neuroclass.training.studies import SettingsStudy
from neuroclass.training.train import TRAINERS
from neuroclass.types.models import MODELS
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

TRIAL = "trial"
"""The stage of searching; its total is that of all studies."""


@dataclass(frozen=True)
class InnerFit:
    """A fit on part of a study's cells, scored on the others.

    Attributes
    ----------
    system, task : str
        What is trained, and the labels.
    settings : DannSettings or LspinSettings
        As tried, with the smaller ensemble.
    cells : Cohort
        The study's cells.
    fold : Fold
        Which train and which are scored.
    """

    system: str
    task: str
    settings: DannSettings | LspinSettings
    cells: Cohort
    fold: Fold


def score(predictions: pd.DataFrame) -> float:
    """Balanced accuracy: mean over the classes of each species of the share of cells that are right.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``species``, ``truth`` and ``predicted``.

    Returns
    -------
    float
        Fraction.
    """
    right = predictions["truth"] == predictions["predicted"]
    return float(right.groupby([predictions["species"], predictions["truth"]]).mean().mean())


def inner_score(fit: InnerFit) -> float:
    """Train and score one fit; 0 for networks that have diverged."""
    import torch

    torch.set_num_threads(1)
    model = TRAINERS[fit.system](fit.cells.take(fit.fold.train), fit.settings)
    test = fit.cells.take(fit.fold.test)
    probabilities = model.predict_proba(test.matrix(), test.column("species").tolist())
    if not np.isfinite(probabilities).all():
        return 0.0
    predicted = np.array(model.classes, dtype=object)[probabilities.argmax(1)]
    return score(pd.DataFrame({"species": test.column("species"), "truth": test.column(fit.task)}).assign(
        predicted=predicted
    ))  # fmt: skip


@dataclass
class Search:
    """One study and the cells that it may use.

    Attributes
    ----------
    system : str
        ``dann`` or ``lspin``.
    cells : Cohort
        All that it sees.
    fixed : mapping
        Values that every trial has.
    settings : SearchSettings
        How much is tried.
    study : SettingsStudy
        Its trials.
    """

    system: str
    cells: Cohort
    fixed: Values
    settings: SearchSettings
    study: SettingsStudy

    def __post_init__(self) -> None:
        task = MODELS[self.system].task
        self._folds = donor_folds(self.cells, task, self.settings.inner_folds, seed=self.settings.seed)

    @property
    def is_over(self) -> bool:
        """Whether all trials have ended."""
        return self.study.n_done >= self.settings.trials

    def next_fit(self) -> InnerFit:
        """The fit that the trial under way needs next."""
        values = {**self.fixed, **self.study.setting(), "n_members": self.settings.members}
        settings = replace(with_values(self.system, values), seed=self.settings.seed)
        fold = self._folds[self.study.fold]
        return InnerFit(self.system, MODELS[self.system].task, settings, self.cells, fold)

    def chosen(self) -> dict[str, Any]:
        """The values of the best trial, with those that were fixed."""
        return {**self.fixed, **self.study.best().settings}


def open_search(path: Path, system: str, cells: Cohort, fixed: Values, settings: SearchSettings, number: int) -> Search:
    """Begin a search on some cells, or continue the one in a file.

    Parameters
    ----------
    path : Path
        The study's file.
    system : str
        ``dann`` or ``lspin``.
    cells : Cohort
        All that it may see, each labelled.
    fixed : mapping
        Values that every trial has.
    settings : SearchSettings
        How much is tried.
    number : int
        Of the study, so that each tries other settings.

    Returns
    -------
    Search

    Raises
    ------
    SettingsError
        See `search_space`.
    CohortError
        If some class has fewer donors than there are inner folds.
    """
    space = search_space(system, fixed)
    seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0])
    return Search(
        system, cells, fixed, settings, SettingsStudy(path, system, space, settings.inner_folds, seed)
    )  # fmt: skip


def run_searches(
    searches: Mapping[str, Search],
    jobs: int,
    progress: ProgressCallback = ignore_progress,
    keep: Callable[[], None] = lambda: None,
) -> None:
    """Run all trials of several searches, a fit of each at a time; what they try does not depend on `jobs`.

    Parameters
    ----------
    searches : mapping of str to Search
        By name.
    jobs : int
        Fits at once.
    progress : ProgressCallback
        Called after each round with the trials that ended; it may raise to pause.
    keep : callable
        Called whenever a trial has ended.
    """
    total = sum(one.settings.trials for one in searches.values())
    for done in _rounds(searches, jobs):
        keep()
        best = max((t.score for one in searches.values() for t in one.study.trials()), default=0.0)
        progress(Progress(TRIAL, done, total, {"best": best}))


def _rounds(searches: Mapping[str, Search], jobs: int) -> Iterator[int]:
    """Fit by fit; yields the number of trials that ended, whenever it has grown."""
    done = sum(one.study.n_done for one in searches.values())
    while active := [one for one in searches.values() if not one.is_over]:
        calls = [delayed(inner_score)(one.next_fit()) for one in active]
        for search, value in zip(active, in_parallel(calls, jobs, TRIAL, ignore_progress), strict=True):
            search.study.note(value)
        before, done = done, sum(one.study.n_done for one in searches.values())
        if done > before:
            yield done
