"""Parts of the Performance page."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import Species
from neuroclass.charts.theme import ordered
from neuroclass.evaluation import summaries
from neuroclass.evaluation.metrics import expected_calibration_error
from neuroclass.reports.store import Document, Table
from neuroclass.types.models import HUMAN_SUBCLASS, LSPIN, MODELS, QUESTIONS
from neuroclass.types.shares import confidence, percent
from neuroclass.ui import cache, widgets
from neuroclass.ui.performance import (
    confusion,
    errors_by_group,
    learning,
    other_laboratories,
    partial,
    systems,
)
from neuroclass.ui.performance.systems import EVERYTHING, METRICS

NAMES = {spec.title: spec.name for spec in (*MODELS.values(), HUMAN_SUBCLASS)}
_SPECIES = {EVERYTHING: "Both", "mouse": "Mouse", "human": "Human"}
VIEWS = {
    "systems": "Beside other systems",
    "confusion": "Confusion matrix",
    "errors": "Where it errs",
    "learning": "Fewer cells or labels",
    "partial": "Partial recordings",
    "laboratories": "Other laboratories",
    "unlabelled": "Without labels",
}
_MACRO = "Mean over the classes of F1, the harmonic mean of precision and recall: every class counts alike."
AT_HOME = ("systems", "confusion", "errors")
"""The views of held-out predictions as recorded, which the promises are about."""


def choose_model() -> str:
    """The model to look at, kept in the URL."""
    return NAMES[widgets.named_choice("Task", {title: QUESTIONS[name] for title, name in NAMES.items()}, "model")]


def in_short() -> str:
    """Accuracy of every task in one sentence; without those whose results are not stored."""
    parts = []
    for spec in (*MODELS.values(), HUMAN_SUBCLASS):
        results = cache.report(spec.name)
        if not results.has(Document.METRICS):
            continue
        ours = next((row for row in results.metrics() if row["model"] == spec.name and "metrics" in row), None)
        if ours is not None and "accuracy" in ours["metrics"]:
            parts.append(
                f"{QUESTIONS[spec.name].split(' (')[0].lower()} {percent(ours['metrics']['accuracy']['mean'])}"
            )
    return (
        f"Each network alone, on cells of unseen donors with all features: {', '.join(parts)} right." if parts else ""
    )


def protocol_of(predictions: pd.DataFrame) -> str:
    """What predictions these are, in words."""
    n_cells = predictions["id"].nunique()
    n_repeats = predictions["repeat"].nunique() if "repeat" in predictions else 1
    n_folds = predictions["fold"].nunique() if "fold" in predictions else 1
    times = f", each predicted {n_repeats} times" if n_repeats > 1 else ""
    return (
        f"{n_cells:,} held-out cells{times}; donor-grouped {n_folds}-fold cross-validation, in which no donor "
        "stands on both sides of a split"
    )


def choose_species(model: str) -> str:
    """The species that figures are of, or all; asked for where the model knows several."""
    if model == HUMAN_SUBCLASS.name:
        return Species.HUMAN.value
    species = ordered(cache.table(model, Table.PREDICTIONS)["species"])
    if len(species) == 1:
        return species[0]
    names = {one: _SPECIES.get(one, one) for one in (EVERYTHING, *species)}
    return widgets.named_choice("Species", names, "species")


def choose_view() -> str:
    """The part of the page to show, kept in the URL."""
    return widgets.choice("View", list(VIEWS), "view", format_func=VIEWS.__getitem__)


def predictions_of(model: str, group: str) -> pd.DataFrame:
    """The held-out predictions of a model on a species, or on all."""
    predictions = cache.table(model, Table.PREDICTIONS)
    return predictions if group == EVERYTHING else predictions[predictions["species"] == group]


def tiles(predictions: pd.DataFrame, table: pd.DataFrame, group: str, model: str) -> None:
    """One row: accuracy, of each species where there are two, macro F1, and calibration error."""
    classes = ordered(predictions["truth"])
    scores = summaries.class_scores(predictions, classes)
    right = (predictions["truth"] == predictions["predicted"]).mean()
    n_cells = predictions["id"].nunique()
    pooled = {"accuracy": float(right), "macro_f1": float(scores["f1"].mean())}
    accuracy, macro_f1 = METRICS.items()
    shown = [(f"Accuracy ({n_cells:,} cells)", group, accuracy[0])]
    shown += [(f"{name.capitalize()} cells", name, accuracy[0]) for name in _SPECIES if name != EVERYTHING == group]
    shown.append((macro_f1[1], group, macro_f1[0]))
    columns = iter(widgets.tiles(len(shown) + 1))
    for label, cells, metric in shown:
        found = _find(table, model, cells, metric)
        if found is None and cells != group:
            continue
        value = found["mean"] if found is not None else pooled[metric]
        interval = confidence(found) if found is not None and pd.notna(found["low"]) else None
        about = _MACRO if metric == macro_f1[0] else None
        next(columns).metric(label, percent(value), interval, delta_color="off", delta_arrow="off", help=about)
    error = expected_calibration_error(predictions, classes)
    next(columns).metric(
        "Calibration error",
        percent(error),
        help="Mean distance, over 10 bins of probability, between the stated probability of the predicted class and "
        "how often it is correct.",
    )


def coverage(model: str, group: str, system: str = "") -> None:
    """What the model's prediction sets and its score of unusual cells keep of their promise.

    `system` names it in its report, where that is not its own name.
    """
    rows = [row for row in cache.report(model).metrics() if row["model"] == (system or model) and row.get("sets")]
    if not rows:
        return
    table = kept_promises(rows[0]["sets"], rows[0].get("false_alarms", {}), group)
    with st.expander("Do prediction sets and typicality keep their promise?", icon=":material/rule:"):
        st.table(table, hide_index=True)
        st.caption(
            "Of the held-out predictions. A prediction set names every class that is not ruled out; an empty one is "
            "shown with the likeliest class. Typicality: the share of cells of the database that are as unusual, so "
            "by chance as many cells fall below a limit as the limit says."
        )


def kept_promises(sets: Mapping[str, Any], alarms: Mapping[str, float], group: str) -> pd.DataFrame:
    """What was promised of prediction sets and typicality, and what held on held-out cells of a species or all.

    Returns
    -------
    DataFrame
        Columns Quantity, Promised and Held out, in words.
    """
    observed = sets.get("observed_by_species", {}).get(group, sets["observed"])
    shown = sets.get("shown_by_species", {}).get(group, sets.get("shown", observed))
    empty = {one: share for one, share in sets.get("empty_by_species", {}).items() if group in (one, EVERYTHING)}
    rows = [("Sets that hold the true class", f"{sets['coverage']:.0%}", percent(observed))]
    rows += [(f"Empty sets, {one} cells", "", percent(share)) for one, share in empty.items()]
    rows += [
        ("Sets as shown that hold the true class", f"{sets['coverage']:.0%} or more", percent(shown)),
        ("Classes in a set (mean number)", "", f"{sets['mean_size']:.2f}"),
    ]
    for limit, share in alarms.items():
        below = f"{float(limit.removeprefix('below ')):.0%}"
        rows.append((f"Typicality below {below}", below, percent(share)))
    return pd.DataFrame(rows, columns=["Quantity", "Promised", "Held out"])


def _find(table: pd.DataFrame, model: str, group: str, metric: str) -> "pd.Series | None":
    """The measured metric of a model by donor-grouped cross-validation; None where it is not stored."""
    groups = (group, EVERYTHING) if group == "mouse" and model == LSPIN.name else (group,)
    rows = table[
        (table["system"] == model)
        & (table["metric"] == metric)
        & table["group"].isin(groups)
        & (table["protocol"] == "donor-cv")
        & ~table["published"]
    ]
    return None if rows.empty else rows.iloc[0]


def results_table(model: str) -> pd.DataFrame:
    """All systems' figures: those measured here and those published."""
    report = cache.report(model)
    ours = summaries.flatten_results(report.metrics())
    theirs = summaries.flatten_results(report.published(), published=True)
    return pd.concat([ours, theirs], ignore_index=True)


def show(view: str, predictions: pd.DataFrame, table: pd.DataFrame, model: str, group: str) -> None:
    """One of the page's parts."""
    caption = f"{protocol_of(predictions)}."
    if view == "systems":
        systems.show(table, cache.report(model).metrics(), model, group)
    elif view == "confusion":
        confusion.show(predictions, f"{model}-{group}", caption)
    elif view == "errors":
        errors_by_group.show(predictions, model, f"{protocol_of(cache.table(model, Table.PREDICTIONS))}.")
    elif view == "learning":
        learning.show(model)
    elif view == "partial":
        partial.show(model, _species(predictions, group))
    elif view == "laboratories":
        other_laboratories.show(model, group, _species(predictions, group))
    else:
        learning.unlabelled(model)


def _species(rows: pd.DataFrame, group: str) -> list[str]:
    """The species to show."""
    return rows["species"].unique().tolist() if group == EVERYTHING else [group]
