"""What the uploaded cells are together: their composition against the priors, their place among reference cells."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.cell_types import Species, label_of
from neuroclass.charts import batch as charts
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.config import data_folder
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import Table
from neuroclass.types.models import MODEL_OF_TASK
from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded

if TYPE_CHECKING:
    from neuroclass.explain.placing import Map

LEAST_CELLS = 5
FEW_CELLS = 20


@st.fragment
def show(verdicts: Sequence[CellVerdict]) -> None:
    """Composition and place of the cells; nothing for fewer than two."""
    if len(verdicts) < 2:
        return
    with st.expander(f"The {len(verdicts)} cells together: composition, and place among the reference cells"):
        left, right = st.columns(2)
        for column, task in zip((left, right), MODEL_OF_TASK, strict=True):
            with column, guarded(stop=False):
                _composition(task, verdicts)
        if st.toggle("Show their place among the reference cells (slow at first: a UMAP is fitted)", key="place"):
            with guarded(stop=False):
                _place(verdicts)


def composition(task: str, verdicts: Sequence[CellVerdict], prior: "pd.Series[float]") -> pd.DataFrame:
    """Class proportions of cells: of their labels, and estimated from their probabilities.

    The estimate corrects the probabilities for the proportions themselves (expectation–maximisation), so it does
    not inherit the training cells' proportions as counted labels do.

    Parameters
    ----------
    task : str
        ``broad`` or ``subclass``.
    verdicts : sequence of CellVerdict
        The cells.
    prior : Series
        Proportions of the training cells by class.

    Returns
    -------
    DataFrame
        ``class``, ``prior``, ``labels``, ``estimated`` (fractions).
    """
    from neuroclass.predictors.label_shift import adapt_to_proportions

    classes = list(prior.index)
    tasks: list[Prediction] = [getattr(verdict, task) for verdict in verdicts]
    known = [one.plain or one.probabilities for one in tasks]
    probabilities = np.array([[p[name] for name in classes] for p in known])
    estimated = adapt_to_proportions(probabilities, prior.to_numpy(dtype=float))[1]
    labels = pd.Series([one.label for one in tasks]).value_counts(normalize=True)
    return pd.DataFrame(
        {
            "class": classes,
            "prior": prior.to_numpy(),
            "labels": [float(labels.get(name, 0.0)) for name in classes],
            "estimated": estimated,
        }
    )


def _composition(task: str, verdicts: Sequence[CellVerdict]) -> None:
    model, classes = MODEL_OF_TASK[task].name, MODEL_OF_TASK[task].classes
    cells = [one for one in verdicts if task == "broad" or one.species != Species.HUMAN]
    if len(cells) < LEAST_CELLS:
        st.caption(f"{task.capitalize()}: {len(cells)} cells; a composition needs at least {LEAST_CELLS}.")
        return
    predictions = cache.table(model, Table.PREDICTIONS)
    truth = predictions[predictions["repeat"] == 0]["truth"].value_counts(normalize=True)
    prior = pd.Series([float(truth.get(name, 0.0)) for name in classes], index=list(classes))
    table = composition(task, cells, prior)
    few = f" {len(cells)} cells are few: the estimate may be far off." if len(cells) < FEW_CELLS else ""
    unsaid = sum(getattr(one, task).label is None for one in cells)
    silent = f" {unsaid} cells without a label count in the estimate only." if unsaid else ""
    widgets.figure(
        charts.composition(table),
        f"composition-{task}",
        table,
        caption=f"{len(cells)} uploaded cells by {model.upper()} against its training cells.{silent}{few}",
    )


@st.cache_resource(max_entries=2, show_spinner="Drawing the map of the reference cells")
def _map(folder: Path | None) -> "Map":  # noqa: ARG001 (the key of the cache)
    from neuroclass.classification.classify import load_models
    from neuroclass.explain.placing import map_of
    from neuroclass.predictors.dann import DannPredictor

    model = load_models().dann.network
    assert isinstance(model, DannPredictor)
    return map_of(model, cache.cohort())


def _place(verdicts: Sequence[CellVerdict]) -> None:
    cohort = cache.cohort()
    found = _map(data_folder())
    x = np.array([[one.features.get(name, np.nan) for name in FEATURE_NAMES] for one in verdicts])
    points = found.place(x)
    labels = [label_of(one.broad.label) if one.broad.label else "cannot say" for one in verdicts]
    table = pd.DataFrame(
        {"cell": [one.cell for one in verdicts], "label": labels, "x": points[:, 0], "y": points[:, 1]}
    )
    kind = "simulated" if cohort.simulated else "recorded"
    widgets.figure(
        charts.among(found.points, table, cohort.simulated),
        "place",
        table,
        caption=f"UMAP fitted to {len(found.points):,} {kind} reference cells in DANN's features (missing features "
        "filled in); uploaded cells are put in afterwards. Near means alike; axes have no meaning.",
        simulated=cohort.simulated,
    )
