"""What the uploaded cells are together: their composition against the priors, their place among reference cells."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.adaptation.batch_model import LEAST_CELLS as LEAST_FITTED
from neuroclass.adaptation.batch_model import Proportion
from neuroclass.cell_types import Species, label_of
from neuroclass.charts import batch as charts
from neuroclass.classification.models import Models, load_models
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.cohort import Cohort
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import Table
from neuroclass.types.models import MODEL_OF_TASK, title_of
from neuroclass.ui import cache, widgets
from neuroclass.ui.classify import adapt
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

if TYPE_CHECKING:
    from neuroclass.explain.placing import Map

LEAST_CELLS = 5


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


def composition(
    task: str, verdicts: Sequence[CellVerdict], prior: "pd.Series[float]", estimate: Mapping[str, Proportion] | None
) -> pd.DataFrame:
    """Class proportions of cells: of their labels, and as estimated with the laboratory allowed for.

    Parameters
    ----------
    task : str
        ``broad`` or ``subclass``.
    verdicts : sequence of CellVerdict
        The cells.
    prior : Series
        Proportions of the training cells by class.
    estimate : mapping of class to Proportion, or None
        None where the composition cannot be estimated.

    Returns
    -------
    DataFrame
        ``class``, ``prior``, ``labels``, ``estimated``, ``low``, ``high`` (fractions; NaN where withheld).
    """
    classes = list(prior.index)
    labels = pd.Series([getattr(verdict, task).label for verdict in verdicts]).value_counts(normalize=True)
    shares = [None if estimate is None else estimate.get(name) for name in classes]
    return pd.DataFrame(
        {
            "class": classes,
            "prior": prior.to_numpy(),
            "labels": [float(labels.get(name, 0.0)) for name in classes],
            "estimated": [np.nan if one is None else one.share for one in shares],
            "low": [np.nan if one is None else one.low for one in shares],
            "high": [np.nan if one is None else one.high for one in shares],
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
    report = adapt.quick(cells)
    outcomes = () if report is None else report.outcomes.values()
    outcome = next((one for one in outcomes if one.classes == classes), None)
    judge = title_of(outcome.model) if outcome is not None else title_of(model)
    table = composition(task, cells, prior, None if outcome is None else outcome.proportions)
    if outcome is None:
        told = f"Too few cells to estimate a composition (at least {LEAST_FITTED})."
    elif outcome.proportions is None:
        told = f"The composition cannot be estimated: {escaped(outcome.why_not, 500)}"
    else:
        told = "Estimated with the laboratory's offset allowed for."
    unsaid = sum(getattr(one, task).label is None for one in cells)
    silent = f" {unsaid} cells have no label." if unsaid else ""
    widgets.figure(
        charts.composition(table),
        f"composition-{task}",
        table,
        caption=f"{len(cells)} uploaded cells by {escaped(judge)} against its training cells. {told}{silent}",
    )


@st.cache_resource(max_entries=2, show_spinner="Drawing the map of the reference cells", hash_funcs=cache.HASHES)
def _map(models: Models, cohort: Cohort) -> "Map":
    from neuroclass.explain.placing import map_of
    from neuroclass.predictors.dann import DannPredictor

    model = models.dann.network
    assert isinstance(model, DannPredictor)
    return map_of(model, cohort)


def _place(verdicts: Sequence[CellVerdict]) -> None:
    cohort = cache.cohort()
    found = _map(load_models(), cohort)
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
