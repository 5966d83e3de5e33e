"""What the uploaded cells are together: their composition against the priors, their place among reference cells."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.adaptation.batch_model import LEAST_CELLS as LEAST_FITTED
from neuroclass.adaptation.batch_model import Proportion
from neuroclass.cell_types import Species, label_of
from neuroclass.charts import batch as charts
from neuroclass.classification.models import load_models
from neuroclass.classification.result import CellVerdict
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import Table
from neuroclass.types.models import MODEL_OF_TASK, title_of
from neuroclass.ui import cache, widgets
from neuroclass.ui.classify import adapt
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

LEAST_CELLS = 5


@st.fragment
def show(verdicts: Sequence[CellVerdict]) -> None:
    """Composition and place of the cells; nothing for fewer than two."""
    if len(verdicts) < 2:
        return
    title = f"The {len(verdicts)} cells together: composition, and place among the reference cells"
    together = st.expander(title, icon=":material/bubble_chart:", key="together", on_change="rerun")
    if not together.open:
        return
    with together:
        left, right = st.columns(2)
        for column, task in zip((left, right), MODEL_OF_TASK, strict=True):
            with column, guarded(stop=False):
                _composition(task, verdicts)
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
        said = f"Too few cells to estimate a composition (at least {LEAST_FITTED})."
    elif outcome.proportions is None:
        said = f"The composition cannot be estimated: {escaped(outcome.why_not, 500)}"
    else:
        said = "Estimated, the laboratory's offset allowed for."
    unlabelled = sum(getattr(one, task).label is None for one in cells)
    silent = f" {unlabelled} without a label." if unlabelled else ""
    widgets.figure(
        charts.composition(table),
        f"composition-{task}",
        table,
        caption=f"{len(cells)} uploaded cells by {escaped(judge)} against its training cells. {said}{silent}",
    )


def _place(verdicts: Sequence[CellVerdict]) -> None:
    from neuroclass.explain.placing import load_map
    from neuroclass.io.artifacts import weights_of
    from neuroclass.predictors.dann import DannPredictor

    found, model = load_map(), load_models().dann.network
    if not isinstance(model, DannPredictor) or weights_of(model) != found.dann:
        st.info(
            "The built-in map was made with another DANN network than the one loaded here, so that cells cannot be "
            "placed in it. Restore the built-in models.",
            icon=":material/info:",
        )
        return
    points = found.place(
        model, np.array([[one.features.get(name, np.nan) for name in FEATURE_NAMES] for one in verdicts])
    )
    table = pd.DataFrame(
        {
            "cell": [one.cell for one in verdicts],
            "class": [one.broad.label or "cannot say" for one in verdicts],
            "label": [label_of(one.broad.label) if one.broad.label else "cannot say" for one in verdicts],
            "x": points[:, 0],
            "y": points[:, 1],
        }
    )
    widgets.figure(
        charts.among(found.points, table),
        "place",
        table.drop(columns="class"),
        caption=f"UMAP of {len(found.points):,} recorded cells of the database in DANN's features (missing features "
        "filled in); uploaded cells, in their verdict's colour, are placed by a network that has learned the map: on "
        f"cells that it had not seen its median error is {found.error:.1%} of the map's width. Near means alike; axes "
        "have no unit.",
    )
