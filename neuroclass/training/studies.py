"""One search for settings as an Optuna study in a file: asked for the next setting, told its scores, killed, continued.

Each trial's sampler is seeded by how many trials came before it, so that a study that was cut off and continued tries
what it would have tried: a trial that its process left unfinished is given up, not counted, and asked for again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclass.errors import SettingsError
from neuroclass.io.atomic import write_atomically
from neuroclass.training.search_space import Choice, Dimension, Space, as_tried, as_value

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

COMPLETE, PRUNED = "complete", "pruned"
RANDOM_TRIALS = 8
"""Before the sampler models which settings are good (tree-structured Parzen estimator)."""
UNPRUNED_TRIALS = 4
"""Completed before others are measured by their median."""
LEAST_FOR_IMPORTANCE = 4
"""Completed trials; fewer say nothing of a setting's importance."""


@dataclass(frozen=True)
class TrialRecord:
    """A finished trial.

    Attributes
    ----------
    number : int
        0, 1, …; the recipe is the first.
    state : str
        ``complete``, or ``pruned`` before its last inner fold.
    settings : mapping
        Values by name.
    inner : tuple of float
        Score of each inner fold that it reached.
    score : float
        Their mean.
    """

    number: int
    state: str
    settings: Mapping[str, Any]
    inner: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean over the inner folds that it reached."""
        return float(np.mean(self.inner))


class SettingsStudy:
    """A study in a file. Only one process may have it at a time.

    Parameters
    ----------
    path : Path
        The study's file; it is made where absent, else continued.
    system : str
        ``dann`` or ``lspin``.
    space : mapping
        What is searched.
    n_folds : int
        Inner folds, after which a trial is complete.
    seed : int
        Of the trials.

    Raises
    ------
    SettingsError
        If Optuna is not installed.
    """

    def __init__(self, path: Path, system: str, space: Space, n_folds: int, seed: int) -> None:
        self._optuna = _optuna()
        self.system, self.space, self.n_folds, self.seed = system, space, n_folds, seed
        self._study = self._opened(path)
        self._trial: optuna.Trial | None = None
        self._scores: list[float] = []

    def _opened(self, path: Path) -> "optuna.Study":
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
        from optuna.trial import TrialState

        _mend(path)
        storage = JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path))))
        study = self._optuna.create_study(
            storage=storage,
            study_name=self.system,
            direction="maximize",
            load_if_exists=True,
            pruner=self._optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS),
        )
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
        return study

    def _finished(self) -> "list[FrozenTrial]":
        from optuna.trial import TrialState

        return self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))

    def trials(self) -> list[TrialRecord]:
        """The trials that ended, in order."""
        return [
            TrialRecord(
                number,
                trial.state.name.lower(),
                self._values(trial.params),
                tuple(trial.intermediate_values[step] for step in sorted(trial.intermediate_values)),
            )
            for number, trial in enumerate(self._finished())
        ]

    def _values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: as_value(self.system, name, one, params[name]) for name, one in self.space.items()}

    @property
    def n_done(self) -> int:
        """Trials that ended."""
        return len(self._finished())

    @property
    def fold(self) -> int:
        """The inner fold that the trial under way needs next."""
        return len(self._scores)

    def setting(self) -> dict[str, Any]:
        """The setting of the trial under way, or of the next one, which begins."""
        if self._trial is None:
            self._trial, self._scores = self._next(), []
        return self._values(self._trial.params)

    def _next(self) -> "optuna.Trial":
        from optuna.trial import TrialState

        n_done = self.n_done
        seed = int(np.random.SeedSequence([self.seed, n_done]).generate_state(1)[0])
        self._study.sampler = self._optuna.samplers.TPESampler(n_startup_trials=RANDOM_TRIALS, seed=seed)
        if not n_done and not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self._study.enqueue_trial(as_tried(self.system, self.space))
        return self._study.ask({name: _distribution(one) for name, one in self.space.items()})

    def note(self, score: float) -> None:
        """Take the score of the trial under way on its next inner fold; a poor trial is pruned."""
        from optuna.trial import TrialState

        assert self._trial is not None, "setting() begins a trial"
        self._trial.report(score, self.fold)
        self._scores.append(score)
        if self.fold == self.n_folds:
            self._study.tell(self._trial, float(np.mean(self._scores)))
        elif self._trial.should_prune():
            self._study.tell(self._trial, state=TrialState.PRUNED)
        else:
            return
        self._trial, self._scores = None, []

    def best(self) -> TrialRecord:
        """The complete trial with the highest score; the first of equals."""
        return max((one for one in self.trials() if one.state == COMPLETE), key=lambda one: one.score)

    def importance(self) -> dict[str, float]:
        """Share of each setting in how the scores of complete trials vary (fANOVA [1]_); empty for too few trials.

        References
        ----------
        .. [1] Hutter, Hoos and Leyton-Brown, "An efficient approach for assessing hyperparameter importance", ICML
           2014.
        """
        scores = [one.score for one in self.trials() if one.state == COMPLETE]
        if len(scores) < LEAST_FOR_IMPORTANCE or len(set(scores)) < 2:
            return {}
        evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=self.seed)
        found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {name: round(float(share), 4) for name, share in found.items()}


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise SettingsError(
            "A search for settings needs Optuna, which is not installed. Install it with: pip install "
            "'neuroclass[train]'."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distribution(dimension: Dimension) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.options)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _mend(path: Path) -> None:
    """Take off what a process that was killed has left: half a line at the file's end, and its lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    content = path.read_bytes() if path.is_file() else b""
    if content and not content.endswith(b"\n"):
        write_atomically(path, content[: content.rfind(b"\n") + 1])
