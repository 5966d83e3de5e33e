"""Counterfactual on a page: the smallest change of a few features that flips the class."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from neuroclass.cell_types import broad_of, label_of
from neuroclass.charts import evidence as charts
from neuroclass.classification.models import Models
from neuroclass.classification.result import Prediction
from neuroclass.cohort.cohort import Cohort
from neuroclass.explain.counterfactual import Counterfactual, counterfactual
from neuroclass.features import FEATURE_NAMES
from neuroclass.reference.cells import distances
from neuroclass.reference.ranges import class_values
from neuroclass.report.tables import changes_table
from neuroclass.types.models import HUMAN_SUBCLASS, title_of
from neuroclass.ui import cache, widgets
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

NEAREST = 40
_QUANTILES, _CELLS = "5% to 95% of the class", "nearest recorded cells"


def show(case: Case, prediction: Prediction) -> None:
    """Find the smallest change that flips the class, and draw it."""
    classes = sorted(prediction.probabilities, key=lambda name: -prediction.probabilities[name])
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    target = str(left.selectbox("To become", classes[1:], key=f"target-{prediction.model}", format_func=label_of))
    real = not cache.cohort().simulated
    options = [_QUANTILES, *([_CELLS] if real else [])]
    within = str(
        middle.segmented_control(
            "Values allowed", options, default=_QUANTILES, required=True, key=f"within-{prediction.model}"
        )
    )
    joint = right.toggle(
        "All stimuli together",
        key=f"together-{prediction.model}",
        help="Move a quantity under all the stimuli that measure it, as one change.",
    )
    verdict = case.verdict
    cells = cache.cohort()
    found = _counterfactual(
        case.models, cells, verdict.species, verdict.features, prediction.model, target, within, joint
    )
    label = escaped(label_of(classes[0]))
    if found is None:
        st.info(
            f"No change of up to six features to values of {escaped(label_of(target))} cells makes that class the "
            f"likeliest; {label} stands.",
            icon=":material/info:",
        )
        return
    table = changes_table(found)
    widgets.figure(
        charts.changes(table, simulated=case.simulated),
        f"change-{prediction.model}",
        table,
        caption=f"The smallest change found that turns {label} into {escaped(label_of(target))} for "
        f"{title_of(prediction.model)}: probability {found.probability_now:.1%} → {found.probability_then:.1%}. Values "
        f"allowed: {escaped(found.within)}. Typicality: {found.typicality_now:.1%} → {found.typicality_then:.1%}.",
        simulated=case.simulated,
    )
    if found.typicality_then < min(0.01, found.typicality_now):
        st.caption(":material/warning: The changed cell is out of distribution: such features do not occur together.")
    if verdict.prior:
        st.caption("Found without the prior that you gave.")


@st.cache_data(max_entries=200, show_spinner="Looking for the smallest change", hash_funcs=cache.HASHES)
def _counterfactual(
    models: Models,
    cells: Cohort,
    species: str,
    features: Mapping[str, float],
    model: str,
    target: str,
    within: str,
    joint: bool,
) -> Counterfactual | None:
    predictor = models.named(model).predictor
    column = predictor.task if predictor.task in cells.frame else "broad"
    known = target if predictor.task != HUMAN_SUBCLASS.task else broad_of(target)
    if within == _QUANTILES:
        allowed = class_values(species, known)
        description = f"5% to 95% quantiles of the database's {known} cells"
    else:
        class_cells = cells.take((cells.frame[column] == known).to_numpy())
        same = class_cells.of_species(species)
        class_cells = same if len(same) else class_cells
        row = np.array([features.get(name, np.nan) for name in FEATURE_NAMES])
        standardise = predictor.preprocessor.standardise
        far, _ = distances(standardise(row[None])[0], standardise(class_cells.matrix()), np.ones(len(FEATURE_NAMES)))
        order = np.argsort(far)[:NEAREST]
        allowed, description = class_cells.matrix()[order], f"the {len(order)} nearest {known} cells of {cells.source}"
    return counterfactual(predictor, features, species, target, allowed, description, joint)
