"""Parts of the Performance page."""

import pandas as pd
import streamlit as st

from neuroclass.charts import evaluation as charts
from neuroclass.charts.theme import ordered
from neuroclass.errors import ModelFileError
from neuroclass.evaluation import summaries
from neuroclass.ui import cache, widgets
from neuroclass.ui.text import escaped

NAMES = {"DANN": "dann", "LSPIN": "lspin"}
TASKS = {"dann": "Excitatory or inhibitory, in mouse and human.", "lspin": "Five subclasses, in mouse."}
METRICS = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}
EVERYTHING = "all"


def choose_model() -> str:
    """The model to look at, kept in the URL."""
    model = NAMES[widgets.choice("Model", list(NAMES), "model")]
    st.caption(TASKS[model])
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
    predictions = cache.table(model, "predictions")
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
    bins = summaries.reliability_bins(predictions, classes)
    columns = st.columns(4)
    pooled = {"accuracy": float(right), "macro_f1": float(scores["f1"].mean())}
    for column, (metric, label) in zip(columns, METRICS.items(), strict=False):
        found = _find(table, model, group, metric)
        value = found["mean"] if found is not None else pooled[metric]
        interval = ""
        if found is not None and pd.notna(found["low"]):
            interval = f"95% interval {found['low']:.3f} to {found['high']:.3f}"
        column.metric(
            f"{label} (fraction)", f"{value:.3f}", interval or None, delta_color="off", delta_arrow="off", border=True
        )
    error = summaries.calibration_error(bins)
    columns[2].metric(
        "Calibration error (fraction)",
        f"{error:.3f}",
        "10 bins of equal size",
        delta_color="off",
        delta_arrow="off",
        border=True,
        help="Mean distance between the stated probability of the predicted class and how often it is right.",
    )
    columns[3].metric(
        "Held-out cells",
        f"{predictions['id'].nunique():,}",
        f"{len(predictions):,} predictions",
        delta_color="off",
        delta_arrow="off",
        border=True,
    )


def coverage(model: str, group: str) -> None:
    """What the model's prediction sets and its score of unusual cells keep of their promise."""
    rows = [r for r in _listed(cache.results(model).document("metrics")) if r.get("model") == model and r.get("sets")]
    if not rows:
        return
    sets, alarms = rows[0]["sets"], rows[0].get("false_alarms", {})
    observed = sets.get("observed_by_species", {}).get(group, sets["observed"])
    shown = sets.get("shown_by_species", {}).get(group, sets.get("shown", observed))
    empty = sets.get("empty_by_species", {}).get(group, 0.0)
    text = f"{sets['coverage']:.0%} prediction sets hold the truth in {observed:.1%} of the held-out predictions"
    if empty:
        text += f" ({empty:.1%} of them are empty; shown with the likeliest class instead, {shown:.1%})"
    text += f"; mean size {sets['mean_size']:.2f} classes."
    if alarms:
        listed = ", ".join(f"{share:.1%} score {limit}" for limit, share in alarms.items())
        text += f" Of held-out cells, all from the same database, {listed} on typicality."
    st.caption(text)


def _find(table: pd.DataFrame, model: str, group: str, metric: str) -> "pd.Series | None":
    """The measured metric of a model by donor-grouped cross-validation; None where it is not stored."""
    groups = (group, EVERYTHING) if group == "mouse" and model == "lspin" else (group,)
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
    results = cache.results(model)
    ours = summaries.flatten_results(_listed(results.document("metrics")))
    theirs = summaries.flatten_results(_listed(results.document("published")), published=True)
    return pd.concat([ours, theirs], ignore_index=True)


def _listed(document: object) -> list[dict]:  # type: ignore[type-arg]
    if isinstance(document, dict):
        inner = document.get("results") or document.get("published")
        return list(inner) if isinstance(inner, list) else [document]
    return list(document) if isinstance(document, list) else []


def confusion(predictions: pd.DataFrame, model: str, group: str) -> None:
    """Confusion matrix and scores by class."""
    classes = ordered(predictions["truth"])
    counts = summaries.confusion_counts(predictions, classes)
    figure = "Figure 8" if model == "lspin" else "Figure 10"
    widgets.figure(
        charts.confusion(counts),
        f"confusion-{model}-{group}",
        lambda: counts.rename_axis("truth").reset_index(),
        caption=f"{protocol_of(predictions)}. Laid out as the paper's {figure}.",
    )
    scores = summaries.class_scores(predictions, classes)
    left, right = st.columns(2)
    with left:
        widgets.figure(
            charts.per_class(scores), f"classes-{model}", scores, caption="Precision, recall and F1 by class."
        )
    with right:
        bins = summaries.reliability_bins(predictions, classes)
        widgets.figure(
            charts.reliability(bins), f"reliability-{model}", bins, caption="Ten bins of equal numbers of predictions."
        )


def systems(table: pd.DataFrame, group: str) -> None:
    """Every system beside every other, ours and published."""
    metric = widgets.choice("Metric", list(METRICS), "metric", format_func=METRICS.__getitem__)
    shown = group if group in set(table["group"]) else EVERYTHING
    inside = (table["group"] == shown) | (shown == EVERYTHING)
    rows = table[(table["metric"] == metric) & inside].copy()
    if rows.empty:
        st.info("No figure is stored for this group of cells.", icon=":material/info:")
        return
    rows["system"] = [_system(row) for row in rows.itertuples()]
    widgets.figure(
        charts.systems(rows, METRICS[metric]),
        f"systems-{metric}",
        rows,
        caption=f"{METRICS[metric]} on held-out cells, a fraction. Filled: measured here on the named protocol. "
        "Hollow: as published, on the paper's own split.",
    )
    noted = rows[rows["note"].astype(str) != ""].drop_duplicates("note")
    if len(noted):
        with st.expander("How the published figures came about", icon=":material/info:", expanded=True):
            for row in noted.itertuples():
                st.markdown(f"- **{escaped(row.system)}**, {row.mean:.3f}: {escaped(row.note, 900)}")


def _system(row: object) -> str:
    parts = [str(getattr(row, name, "")) for name in ("system", "protocol", "group")]
    return ", ".join(part for part in parts if part and part != EVERYTHING)


def by_stimuli(model: str, group: str) -> None:
    """Held-out accuracy where only some stimuli were recorded."""
    try:
        rows = cache.results(model).document("masked")["laboratories"]
    except (ModelFileError, KeyError):
        return
    table = pd.DataFrame(
        {
            "group": f"{row['laboratory'].replace('_', ' ').replace('+', ', ')}",
            "truth": row["species"],
            "cells": row["n_cells"],
            "accuracy": row["mean"],
            "low": row["low"],
            "high": row["high"],
        }
        for row in rows
        if group in (EVERYTHING, row["species"]) and "none" not in row["laboratory"]
    )
    st.subheader("With fewer stimuli", anchor=False)
    if table["truth"].nunique() > 1:
        table["group"] = table["group"] + ", " + table["truth"]
    widgets.figure(
        charts.by_group(table, "Stimuli recorded"),
        f"by-stimuli-{model}",
        table.rename(columns={"truth": "species"}),
        caption="Accuracy on held-out cells of which only these stimuli's features are known, without seal and input "
        "resistance; 95% interval by donor. "
        "The Classify page states the one that fits an uploaded recording.",
    )


def by_line(predictions: pd.DataFrame, model: str) -> None:
    """Accuracy by driver line or another label of the loaded cells."""
    cells = cache.cohort()
    if cells.simulated or not cells.frame["id"].isin(predictions["id"]).any():
        st.info(
            "The driver lines of the held-out cells are not loaded. Set `NEUROCLASS_DATA` to the folder of the "
            "published tables, or run `python -m neuroclass fetch`, and restart.",
            icon=":material/info:",
        )
        return
    by = widgets.choice("By", ["line", "layer", "structure"], "by", format_func=str.capitalize)
    groups = cells.frame.set_index("id")[by]
    table = summaries.group_accuracy(predictions, groups)
    widgets.figure(
        charts.by_group(table, by.capitalize()),
        f"by-{by}-{model}",
        table,
        caption=f"{protocol_of(predictions)}. Bars: 95% Wilson interval over cells. Lines that mark mixed populations "
        "score low: part of that is label noise.",
    )
