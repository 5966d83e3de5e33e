"""Parts of the Performance page."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import evaluation as charts
from neuroclass.charts.theme import ordered
from neuroclass.evaluation import summaries
from neuroclass.evaluation.metrics import expected_calibration_error
from neuroclass.reports.store import Document, Table
from neuroclass.types.models import HUMAN_SUBCLASS, LSPIN, MODELS, QUESTIONS
from neuroclass.types.shares import percent, with_interval
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


def choose_model() -> str:
    """The model to look at, kept in the URL."""
    return NAMES[widgets.named_choice("Task", {title: QUESTIONS[name] for title, name in NAMES.items()}, "model")]


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


def choose(model: str) -> tuple[pd.DataFrame, str]:
    """The predictions of a model on one species or all, and which."""
    predictions = cache.table(model, Table.PREDICTIONS)
    species = ordered(predictions["species"])
    if len(species) == 1:
        return predictions, species[0]
    names = {one: _SPECIES.get(one, one) for one in (EVERYTHING, *species)}
    group = widgets.named_choice("Species", names, "species")
    return (predictions if group == EVERYTHING else predictions[predictions["species"] == group]), group


def tiles(predictions: pd.DataFrame, table: pd.DataFrame, group: str, model: str) -> None:
    """In one sentence how good it is; accuracy and macro F1 with intervals, calibration error and number of cells."""
    widgets.say(finding(predictions, table, model, group))
    classes = ordered(predictions["truth"])
    scores = summaries.class_scores(predictions, classes)
    right = (predictions["truth"] == predictions["predicted"]).mean()
    columns = widgets.tiles(4)
    pooled = {"accuracy": float(right), "macro_f1": float(scores["f1"].mean())}
    for column, (metric, label) in zip(columns, METRICS.items(), strict=False):
        found = _find(table, model, group, metric)
        value = found["mean"] if found is not None else pooled[metric]
        interval = ""
        if found is not None and pd.notna(found["low"]):
            interval = f"95%: {found['low']:.1%} to {found['high']:.1%}"
        column.metric(label, f"{value:.1%}", interval or None, delta_color="off", delta_arrow="off", border=True)
    error = expected_calibration_error(predictions, classes)
    columns[2].metric(
        "Calibration error",
        f"{error:.1%}",
        "10 equal bins",
        delta_color="off",
        delta_arrow="off",
        border=True,
        help="Mean distance between the stated probability of the predicted class and how often it is correct.",
    )
    n_cells = predictions["id"].nunique()
    columns[3].metric(
        "Held-out cells",
        f"{n_cells:,}",
        f"each predicted {len(predictions) // n_cells} times" if len(predictions) > n_cells else None,
        delta_color="off",
        delta_arrow="off",
        border=True,
    )


def finding(predictions: pd.DataFrame, table: pd.DataFrame, model: str, group: str) -> str:
    """In one sentence, how often the model is correct, with each species where there are two."""
    one = _find(table, model, group, "accuracy")
    right = float((predictions["truth"] == predictions["predicted"]).mean()) if one is None else float(one["mean"])
    cells = "cells" if group == EVERYTHING else f"{group} cells"
    text = f"{percent(right)} of {predictions['id'].nunique():,} held-out {cells} are classified correctly"
    found = {name: _find(table, model, name, "accuracy") for name in ("mouse", "human")} if group == EVERYTHING else {}
    parts = [f"{name} {with_interval(row)}" for name, row in found.items() if row is not None]
    return f"{text}: {', '.join(parts)}." if len(parts) > 1 else f"{text}."


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


def views(predictions: pd.DataFrame, table: pd.DataFrame, model: str, group: str) -> None:
    """One of the page's parts, kept in the URL."""
    view = widgets.choice("View", list(VIEWS), "view", format_func=VIEWS.__getitem__)
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
        simulated_laboratories(model, group)
    else:
        learning.unlabelled(model)


def _species(rows: pd.DataFrame, group: str) -> list[str]:
    """The species to show."""
    return rows["species"].unique().tolist() if group == EVERYTHING else [group]


def simulated_laboratories(model: str, group: str) -> None:
    """Held-out accuracy as simulated laboratories would measure the same cells."""
    report = cache.report(model)
    if not report.has(Document.LAB_SHIFT):
        return
    rows = pd.DataFrame(report.laboratories())
    rows = rows[rows["species"].isin(_species(rows, group))].reset_index(drop=True)
    names = {"laboratory": "group", "species": "truth", "n_cells": "cells", "mean": "accuracy"}
    table = rows.rename(columns=names)[["group", "truth", "cells", "accuracy", "low", "high"]]
    if table["truth"].nunique() > 1:
        table["group"] = table["group"] + ", " + table["truth"]
    st.subheader("Simulated laboratories", anchor=False)
    widgets.figure(
        charts.by_group(table, "Laboratory"),
        f"by-laboratory-{model}",
        table.rename(columns={"truth": "species", "group": "laboratory"}),
        caption="Accuracy of one network for all features, on the same held-out, recorded cells with their features "
        "changed as another rig would measure them (simulated laboratories); 95% interval by donor. Nothing is adapted "
        "to the laboratory.",
    )
