"""Parts of the Performance page."""

import pandas as pd
import streamlit as st

from neuroclass.charts import evaluation as charts
from neuroclass.charts.theme import ordered
from neuroclass.evaluation import summaries
from neuroclass.evaluation.metrics import expected_calibration_error
from neuroclass.reports.store import Document, Table
from neuroclass.types.models import HUMAN_SUBCLASS, LSPIN, MODELS
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
CAPTIONS = {
    "dann": "Excitatory or inhibitory, in mouse and human.",
    "lspin": "Five subclasses, in mouse.",
    "human-subclass": "Five subclasses, in human.",
}
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
    model = NAMES[widgets.choice("Task", list(NAMES), "model")]
    st.caption(CAPTIONS[model])
    return model


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
    group = widgets.choice("Species", [EVERYTHING, *species], "species")
    return (predictions if group == EVERYTHING else predictions[predictions["species"] == group]), group


def tiles(predictions: pd.DataFrame, table: pd.DataFrame, group: str, model: str) -> None:
    """Accuracy and macro F1 with intervals, calibration error and number of cells."""
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
    columns[3].metric(
        "Held-out cells",
        f"{predictions['id'].nunique():,}",
        f"{len(predictions):,} predictions in all" if len(predictions) > predictions["id"].nunique() else None,
        delta_color="off",
        delta_arrow="off",
        border=True,
    )


def by_species(table: pd.DataFrame, model: str, group: str) -> None:
    """Accuracy in each species apart, where the figures above pool them."""
    found = {one: _find(table, model, one, "accuracy") for one in ("mouse", "human")} if group == EVERYTHING else {}
    parts = [
        f"{one} {row['mean']:.1%} ({row['low']:.1%} to {row['high']:.1%})"
        for one, row in found.items()
        if row is not None
    ]
    if len(parts) > 1:
        st.markdown(f"Accuracy by species: {', '.join(parts)}.")


def coverage(model: str, group: str, system: str = "") -> None:
    """What the model's prediction sets and its score of unusual cells keep of their promise.

    `system` names it in its report, where that is not its own name.
    """
    rows = [row for row in cache.report(model).metrics() if row["model"] == (system or model) and row.get("sets")]
    if not rows:
        return
    sets, alarms = rows[0]["sets"], rows[0].get("false_alarms", {})
    observed = sets.get("observed_by_species", {}).get(group, sets["observed"])
    shown = sets.get("shown_by_species", {}).get(group, sets.get("shown", observed))
    empty = {one: share for one, share in sets.get("empty_by_species", {}).items() if group in (one, EVERYTHING)}
    text = f"{sets['coverage']:.0%} prediction sets hold the truth in {observed:.1%} of the held-out predictions"
    if any(empty.values()):
        listed = " and ".join(f"{share:.1%} of those of {one} cells" for one, share in empty.items())
        text += f" ({listed} are empty; shown with the likeliest class instead, {shown:.1%})"
    text += f"; mean size {sets['mean_size']:.2f} classes."
    if alarms:
        listed = ", ".join(f"{limit} for {share:.1%}" for limit, share in alarms.items())
        text += f" Typicality is {listed} of these cells, all of which are from the database."
    st.caption(text)


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
