"""Cohorts: load one, evaluate a classifier on it, allow for a laboratory."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.adaptation.laboratory import LaboratoryReport, make_batch
from neuroclass.adaptation.laboratory import adapt as adapt_batch
from neuroclass.api.verdicts import Source, Verdicts, classify
from neuroclass.cell_types import TASK_CLASSES
from neuroclass.classification.models import load_models
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort as load
from neuroclass.errors import SettingsError
from neuroclass.evaluation.evaluate import Evaluation, describe, test_trial
from neuroclass.evaluation.evaluate import evaluate as evaluate_system
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial, plan_protocol
from neuroclass.features import FEATURE_NAMES
from neuroclass.types.arrays import Floats
from neuroclass.types.models import LSPIN


def load_cohort(data: str | Path | None = None) -> Cohort:
    """Load the cells of the Allen Cell Types Database, or the simulated demo cells where there are none.

    Parameters
    ----------
    data : str or Path, optional
        Folder of published tables; by default the fetched ones, those in ``NEUROCLASS_DATA``, or the demo cells.

    Returns
    -------
    Cohort
        `Cohort.to_frame` has a row per cell; `Cohort.simulated` says whether the cells are simulated.

    Raises
    ------
    TableError
        If the folder does not exist or holds no table.

    Examples
    --------
    >>> import neuroclass as nc
    >>> cells = nc.load_cohort().to_frame()
    >>> {"species", "donor", "subclass", "threshold_i_long_square"} <= set(cells.columns)
    True
    """
    return load(None if data is None else Path(data))


@dataclass(frozen=True)
class _FittedEstimator:
    """A fitted scikit-learn classifier, as evaluation asks it."""

    estimator: Any
    classes: tuple[str, ...]
    columns: Sequence[int] = field(repr=False)

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """Probabilities of the classes in our order."""
        frame = pd.DataFrame(x, columns=list(FEATURE_NAMES))
        return np.asarray(self.estimator.predict_proba(frame))[:, list(self.columns)]


def evaluate(
    model: Any,
    cohort: Cohort | None = None,
    protocol: str = "donor-cv",
    *,
    task: str | None = None,
    repeats: int | None = None,
    jobs: int = 1,
) -> Evaluation:
    """Train and test a classifier on splits in which no donor is on both sides.

    Parameters
    ----------
    model : str or estimator
        A system of the registry, such as ``lspin`` or ``svc``; or a scikit-learn classifier that takes NaN, such as
        `LSPINClassifier` or a pipeline. It is cloned for every split, and told donors (``groups``) and species
        (``domains``) where its ``fit`` takes them.
    cohort : Cohort, optional
        From `load_cohort`; by default what that loads.
    protocol : str
        ``donor-cv``, ``paper-split``, ``leave-species-out``, ``masked`` or ``lab-shift``.
    task : str, optional
        ``subclass`` or ``broad``; by default the system's first, for an estimator ``subclass``.
    repeats : int, optional
        Repeats of the protocol; its own number by default.
    jobs : int
        Splits at once.

    Returns
    -------
    Evaluation
        ``result``: metrics with 95% intervals over donors; ``predictions``: a row a test cell and split.

    Raises
    ------
    SettingsError
        If there is no such protocol or system.

    Examples
    --------
    >>> import neuroclass as nc
    >>> result = nc.evaluate("lda", nc.load_cohort(), repeats=1).result
    >>> 0 < result["metrics"]["accuracy"]["mean"] <= 1
    True
    """
    cells = load_cohort() if cohort is None else cohort
    if protocol not in list(Protocol):
        raise SettingsError(f"There is no protocol {protocol!r}; expected one of {', '.join(Protocol)}.")
    asked = Protocol(protocol)
    if isinstance(model, str):
        return evaluate_system(model, asked, cells, task=task, repeats=repeats, jobs=jobs)
    task = task or LSPIN.task
    plan = plan_protocol(asked, cells, task, repeats)
    parts = [test_trial(_fitted(model, plan, trial, task), task, plan, trial) for trial in plan.trials]
    predictions = pd.concat(parts, ignore_index=True)
    return Evaluation(describe(type(model).__name__, task, asked, plan, predictions), predictions)


def _fitted(model: Any, plan: Plan, trial: Trial, task: str) -> _FittedEstimator:
    from sklearn.base import clone

    train = plan.cohort.take(trial.train).labelled(task)
    estimator = clone(model)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=trial.seed)
    known = {"groups": train.column("donor"), "domains": train.column("species")}
    taken = inspect.signature(estimator.fit).parameters
    extra = {name: values for name, values in known.items() if name in taken}
    estimator.fit(train.frame[list(FEATURE_NAMES)], train.column(task).astype(str), **extra)
    classes = TASK_CLASSES[task]
    return _FittedEstimator(estimator, classes, [list(estimator.classes_).index(name) for name in classes])


@dataclass(frozen=True)
class Adaptation:
    """What a laboratory's batch of cells says once the laboratory is allowed for; made by `adapt`.

    Attributes
    ----------
    report : LaboratoryReport
        How the laboratory differs, and the outcome of each task.
    verdicts : Verdicts
        Each cell by itself.

    Examples
    --------
    >>> import neuroclass as nc
    >>> cells = nc.load_cohort().of_species("mouse").to_frame()
    >>> one_class = nc.adapt(cells[cells["subclass"] == "Pvalb"].head(20), species="mouse")
    >>> one_class.adapted, bool(one_class.why_not)
    (False, True)
    """

    report: LaboratoryReport
    verdicts: Verdicts

    @property
    def adapted(self) -> bool:
        """Whether the laboratory was allowed for."""
        return any(outcome.adapted for outcome in self.report.outcomes.values())

    @property
    def why_not(self) -> str:
        """Why it was not; empty if it was."""
        return "" if self.adapted else next(iter(self.report.outcomes.values())).why_not

    def to_frame(self) -> pd.DataFrame:
        """One row per cell: label and its probability by itself and with the laboratory allowed for, by task."""
        columns: dict[str, Any] = {"cell": list(self.report.batch.names)}
        for outcome in self.report.outcomes.values():
            task = "broad" if outcome.classes == TASK_CLASSES["broad"] else "subclass"
            for when, p in (("before", outcome.before), ("after", outcome.after)):
                columns[f"{task}_{when}"] = [outcome.classes[k] for k in p.argmax(1)]
                columns[f"{task}_{when}_p"] = p.max(1)
        return pd.DataFrame(columns)


def adapt(
    cells: Source | Sequence[Source], *, species: str | None = None, labels: Mapping[str, str] | None = None
) -> Adaptation:
    """Allow for how one laboratory differs from the database, learned from a batch of its cells.

    Parameters
    ----------
    cells : path, DataFrame or several
        At least fifteen cells of one laboratory; see `classify`.
    species : str, optional
        ``mouse`` or ``human``, of cells that do not say.
    labels : mapping of cell name to class, optional
        Known classes, for comparison only.

    Returns
    -------
    Adaptation
        Left as it was, with the reason, where allowing for the laboratory does not hold up.

    Examples
    --------
    >>> import neuroclass as nc
    >>> batch = nc.load_cohort().of_species("mouse").to_frame().head(40)
    >>> len(nc.adapt(batch, species="mouse").to_frame())
    40
    """
    verdicts = classify(cells, species=species, reasons=False)
    rows = np.array([[one.answer.features.get(name, np.nan) for name in FEATURE_NAMES] for one in verdicts])
    answers = [one.answer for one in verdicts]
    batch = make_batch([one.cell for one in answers], rows, [one.species for one in answers], labels)
    models = load_models()
    return Adaptation(adapt_batch(batch, [models.dann.predictor, models.lspin.predictor], load_cohort()), verdicts)
