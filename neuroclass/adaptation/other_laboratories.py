"""Test on cells of other laboratories: each cell alone, and as an unlabelled batch, beside baselines.

The baselines are fitted to the same features of the database's cells.

The models are those of the library: no cell of the tested tables took part in training or calibration. Under
``leave-one-laboratory-out`` the temperature and the set limit of a table's cells come from the *other* tables' labelled
cells instead of simulated laboratories; the table itself stays unseen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.adaptation.labelled_cells import LabelledCells, baselines
from neuroclass.adaptation.laboratory import Alone, adapt, make_batch
from neuroclass.adaptation.recalibration import calibrated_elsewhere
from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.outside import OUTSIDE_NAMES, load_outside
from neuroclass.errors import CohortError, SettingsError
from neuroclass.evaluation.evaluate import Evaluation
from neuroclass.evaluation.names import ALONE, BATCH, NETWORK, Protocol
from neuroclass.predictors.cell_predictor import CellPredictor
from neuroclass.training.library import FeatureSetLibrary
from neuroclass.types.arrays import Mask
from neuroclass.types.models import MODELS
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

_STRANGE = 0.01


@dataclass(frozen=True)
class Systems:
    """What is tested.

    Attributes
    ----------
    predictors : mapping of name to CellPredictor
        ``dann`` and ``lspin``.
    networks : mapping of name to Alone
        The networks trained on all features, which impute what is missing.
    """

    predictors: Mapping[str, CellPredictor]
    networks: Mapping[str, Alone]


def evaluate_outside(
    name: str,
    systems: Systems,
    cohort: Cohort,
    data: Path | None,
    protocol: Protocol = Protocol.OUTSIDE,
    progress: ProgressCallback = ignore_progress,
) -> Evaluation:
    """Evaluate DANN or LSPIN on every table of other laboratories that has the task's classes.

    Parameters
    ----------
    name : str
        ``dann`` or ``lspin``.
    systems : Systems
        The trained systems.
    cohort : Cohort
        The database's cells, on which the baselines are fitted.
    data : Path or None
        Folder that holds ``outside/``; None for the one named by ``NEUROCLASS_DATA``.
    protocol : Protocol
        ``outside`` or ``leave-one-laboratory-out``.
    progress : ProgressCallback
        Called after each table.

    Returns
    -------
    Evaluation
        Its result has ``laboratories``, a row per table and system; its predictions a row per cell and system of ours.

    Raises
    ------
    SettingsError
        If the system is not one of ours.
    """
    _check_name(name, protocol)
    task = MODELS[name].task
    loaded = {one: load_outside(data, one) for one in OUTSIDE_NAMES}
    tables = {one: cells for one, cells in loaded.items() if cells.frame[task].notna().all()}
    compare = protocol is Protocol.OUTSIDE
    found = evaluate_tables(name, systems, tables, cohort, compare=compare, progress=progress)
    if compare:
        return found
    rows = calibrated_elsewhere(found.predictions, TASK_CLASSES[task])
    return Evaluation({**found.result, "protocol": protocol.value, "laboratories": rows}, found.predictions)


def evaluate_tables(
    name: str,
    systems: Systems,
    tables: Mapping[str, Cohort],
    cohort: Cohort,
    *,
    compare: bool = True,
    progress: ProgressCallback = ignore_progress,
) -> Evaluation:
    """Evaluate DANN or LSPIN on any labelled cells.

    Parameters
    ----------
    name : str
        ``dann`` or ``lspin``.
    systems : Systems
        The trained systems.
    tables : mapping of laboratory to Cohort
        Cells of one species each, all with a label of the task and at least one feature.
    cohort : Cohort
        The database's cells. Where they are simulated, no baseline is fitted.
    compare : bool
        Whether to fit the baselines.
    progress : ProgressCallback
        Called after each table.

    Returns
    -------
    Evaluation
        Its result has ``laboratories``, a row per table and system: ``accuracy``, ``balanced_accuracy``, accuracy by
        class and ``stated`` probability (fractions); of ours, ``coverage`` and ``set_size`` of the 90% sets too; of
        cells alone, the ``promised`` accuracy; of a batch, whether it was ``adapted``. Its predictions have a row a
        cell and system of ours, without any feature.

    Raises
    ------
    SettingsError
        If the system is not one of ours.
    CohortError
        If there is no table, or one has unlabelled cells or two species.
    """
    _check_name(name, Protocol.OUTSIDE)
    task = MODELS[name].task
    if not tables:
        raise CohortError(f"No table has cells with a {task} label; give at least one.")
    rows: list[dict[str, Any]] = []
    frames = []
    for number, (table, cells) in enumerate(tables.items(), start=1):
        tested = LabelledCells(table, cells, task)
        found, frame = _ours(name, systems, tested, cohort)
        rows += found
        frames.append(frame)
        if compare and not cohort.simulated:
            rows += baselines(tested, cohort)
        progress(Progress("laboratory", number, len(tables)))
    predictions = pd.concat(frames, ignore_index=True)
    result = {
        "model": name,
        "task": task,
        "protocol": Protocol.OUTSIDE.value,
        "trained_on": systems.predictors[name].models.foundation.source,
        "n_cells": sum(map(len, tables.values())),
        "laboratories": rows,
    }
    return Evaluation(result, predictions)


def sets_to_fit(library: FeatureSetLibrary, tables: Mapping[str, Cohort]) -> int:
    """Number of sets of features whose models would be fitted first, as none is stored for them."""
    present = np.concatenate([np.isfinite(cells.matrix()) for cells in tables.values()])
    return sum(not library.is_ready(one) for one in np.unique(present, axis=0) if one.any())


def _check_name(name: str, protocol: Protocol) -> None:
    if name not in MODELS:
        raise SettingsError(
            f"{protocol.value} evaluates {' or '.join(MODELS)}, with the baselines beside them; found {name}."
        )


def _ours(
    name: str, systems: Systems, tested: LabelledCells, cohort: Cohort
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    model = systems.predictors[name]
    p = model.predict_proba(tested.x, tested.species)
    sets = _as_mask(model.prediction_set(tested.x, tested.species), tested.classes)
    home = model.probability_home(tested.x, tested.species)
    expected = pd.DataFrame(model.expected_each(tested.x, tested.species))
    strange = float((model.typicality_of(tested.x, tested.species) < _STRANGE).mean())
    rows = [
        tested.row(
            ALONE,
            p,
            sets,
            promised=float(expected["accuracy"].mean()),
            taken_as_home=float(home.mean()),
            strange=strange,
        )
    ]
    frames = [tested.frame(ALONE, p, sets, home)]
    ids = tested.cells.column("id").astype(str).tolist()
    report = adapt(make_batch(ids, tested.x, tested.species), list(systems.predictors.values()), cohort)
    outcome = report.outcomes.get(name)
    if outcome is not None:
        inside = sets if outcome.sets is None else outcome.sets
        rows.append(
            tested.row(
                BATCH,
                outcome.after,
                inside,
                adapted=outcome.adapted,
                why_not=outcome.why_not or None,
                stability=outcome.fit.stability,
                gain=outcome.fit.gain,
            )
        )
        frames.append(tested.frame(BATCH, outcome.after, inside, home))
    rows.append(tested.row(NETWORK, systems.networks[name].predict_proba(tested.x, tested.species)))
    return rows, pd.concat(frames, ignore_index=True)


def _as_mask(sets: Sequence[tuple[str, ...]], classes: tuple[str, ...]) -> Mask:
    return np.array([[one in chosen for one in classes] for chosen in sets])
