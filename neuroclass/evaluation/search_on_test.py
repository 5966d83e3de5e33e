"""Choosing settings by the score on the test cells, as the paper's code does: proposals by Optuna, the best is kept.

References
----------
.. [1] Akiba et al., "Optuna: a next-generation hyperparameter optimization framework", KDD 2019.
.. [2] Cawley and Talbot, "On over-fitting in model selection and subsequent selection bias in performance
   evaluation", JMLR 11, 2010.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Generic, TypeVar

import numpy as np
from joblib import delayed

from neuroclass.errors import SettingsError
from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.evaluation.metrics import macro_f1
from neuroclass.types.arrays import Floats, Integers
from neuroclass.types.progress import ProgressCallback, ignore_progress

AT_ONCE = 8
"""Networks proposed before the score of any of them is known; a multiple of the processes."""

Settings = TypeVar("Settings")
Run = Mapping[str, Any]


@dataclass(frozen=True)
class Search(Generic[Settings]):
    """A search for settings.

    Attributes
    ----------
    propose : callable
        From an Optuna trial to settings.
    first : mapping
        Parameters of the first trial: the published ones.
    train : callable
        (cells, settings, seed) → outcome; a function of a module.
    score : callable
        Of an outcome, on the test cells; larger is better.
    stage : str
        What its progress is called.
    """

    propose: Callable[[Any], Settings]
    first: Mapping[str, Any]
    train: Callable[[Any, Settings, int], Run]
    score: Callable[[Run], float]
    stage: str

    def run(
        self, cells: Any, n_trials: int, seed: int, jobs: int, progress: ProgressCallback = ignore_progress
    ) -> list[tuple[Settings, Run]]:
        """Train with one proposal after the other.

        Parameters
        ----------
        cells : object
            What `train` takes.
        n_trials : int
            Networks to train.
        seed : int
            Of the proposals; trial k, from 0, is trained with seed + k.
        jobs : int
            Networks at once; the result does not depend on it.
        progress : ProgressCallback
            Called after each network.

        Returns
        -------
        list
            Settings and outcome of each trial, in order.

        Raises
        ------
        SettingsError
            If Optuna is not installed.
        """
        study = _study(seed)
        study.enqueue_trial(dict(self.first))
        found: list[tuple[Settings, Run]] = []
        while len(found) < n_trials:
            start = len(found)
            trials = [study.ask() for _ in range(min(AT_ONCE, n_trials - start))]
            settings = [self.propose(trial) for trial in trials]
            calls = [delayed(self.train)(cells, one, seed + start + k) for k, one in enumerate(settings)]
            runs = in_parallel(calls, jobs, self.stage, _shifted(progress, start, n_trials))
            for trial, run in zip(trials, runs, strict=True):
                study.tell(trial, self.score(run))
            found += list(zip(settings, runs, strict=True))
        return found


def _shifted(progress: ProgressCallback, start: int, total: int) -> ProgressCallback:
    return lambda one: progress(replace(one, done=start + one.done, total=total))


def _study(seed: int) -> Any:
    try:
        import optuna
    except ImportError as error:
        raise SettingsError(
            "The paper's search for settings needs Optuna, which is not installed: pip install 'neuroclass[train]'."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return optuna.create_study(direction="maximize", sampler=sampler)


def written(layers: Sequence[int]) -> str:
    """Units of layers as text, such as 50-50-50."""
    return "-".join(map(str, layers))


def layers_of(text: str) -> tuple[int, ...]:
    """Invert `written`."""
    return tuple(map(int, text.split("-")))


def one_of(trial: Any, name: str, offered: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Layers that a trial proposes."""
    return layers_of(trial.suggest_categorical(name, [written(one) for one in offered]))


def scores(truth: Integers, predicted: Integers, n_classes: int) -> dict[str, float]:
    """Accuracy and macro F1 of one set of predictions."""
    counts: Floats = np.zeros((n_classes, n_classes))
    np.add.at(counts, (truth, predicted), 1.0)
    return {"accuracy": float((truth == predicted).mean()), "macro_f1": float(macro_f1(counts))}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, standard deviation, smallest and largest of several runs."""
    found = np.asarray(values, dtype=np.float64)
    deviation = float(found.std(ddof=1)) if len(found) > 1 else 0.0
    return {"mean": float(found.mean()), "sd": deviation, "low": float(found.min()), "high": float(found.max())}


def expected_best(runs: Mapping[str, float], n_runs: int) -> float:
    """Accuracy to expect of the best of so many runs, if they spread normally and independently as some did.

    Parameters
    ----------
    runs : mapping
        ``mean`` and ``sd`` of the runs that were made; see `spread`.
    n_runs : int
        How many the best is taken of.

    Returns
    -------
    float
        Mean + sd · Φ⁻¹((n − 3/8) / (n + 1/4)), Blom's approximation; at most 1.
    """
    place = NormalDist().inv_cdf((n_runs - 0.375) / (n_runs + 0.25))
    return min(1.0, runs["mean"] + place * runs["sd"])
