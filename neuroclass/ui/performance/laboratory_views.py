"""What is shown of any table of labelled cells: systems, promises, reliability, confusion before and after."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import other_laboratories as charts
from neuroclass.evaluation.laboratory_tables import laboratory_title, promises_table, systems_table
from neuroclass.evaluation.names import ALONE, BATCH, OUTSIDE_SYSTEM_TITLES
from neuroclass.evaluation.summaries import confusion_counts, reliability_bins
from neuroclass.ui import widgets
from neuroclass.ui.text import escaped

METRICS = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy"}
PROMISE = (
    "Promised: the expected accuracy of the Classify page, mean over the cells. It is the accuracy on held-out donors' "
    "cells with exactly the same features, as the database recorded them and as simulated laboratories measure them, "
    "weighted by the probability that the recording is like the database's. No cell of these tables enters it. "
    "Stated: mean probability of the predicted class. Came true: accuracy, with its 95% Wilson interval over cells."
)
FIGURES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced",
    "stated": "Stated",
    "promised": "Promised",
    "coverage": "Coverage",
}
"""Shares in tables of laboratories, and what heads them."""
SET_SIZE = "Mean set (classes)"
_CELLS_A_BIN = 25
_MOST_BINS = 10


def show(rows: Sequence[dict[str, Any]], predictions: pd.DataFrame, classes: Sequence[str], key: str) -> None:
    """All views of one evaluation.

    Parameters
    ----------
    rows : sequence of dict
        ``laboratories`` of `evaluate_tables`.
    predictions : DataFrame
        Its predictions.
    classes : sequence of str
        The model's.
    key : str
        Of the widgets and files.
    """
    metric = widgets.choice("Metric", list(METRICS), f"{key}-metric", format_func=METRICS.__getitem__)
    table = systems_table(rows)
    n_laboratories = table["laboratory"].nunique()
    widgets.figure(
        charts.by_system(table.assign(value=table[metric]), METRICS[metric]),
        f"{key}-systems-{metric}",
        table,
        finding=_finding(table),
        caption=f"{METRICS[metric]} of all systems on the same cells. Blue: ours; the one network for all features "
        "imputes what is missing. Grey: baselines, fitted to the same features of the database's cells of the species.",
    )
    with st.expander(f"Figures of all systems ({len(table)} rows)", icon=":material/table:"):
        _figures(table, key)
    st.subheader("Promised, stated and true", anchor=False)
    promised = promises_table(rows)
    widgets.figure(charts.promises(promised), f"{key}-promises", promised, caption=PROMISE)
    names = list(dict.fromkeys(row["laboratory"] for row in rows))
    laboratory = names[0]
    if n_laboratories > 1:
        st.subheader("One laboratory", anchor=False)
        laboratory = widgets.choice("Laboratory", names, f"{key}-laboratory", format_func=laboratory_title)
    _one(rows, predictions[predictions["laboratory"] == laboratory], classes, laboratory, key)


def _finding(table: pd.DataFrame) -> str:
    """The accuracy of ours in each laboratory, each cell alone."""
    alone = table[table["system"] == OUTSIDE_SYSTEM_TITLES[ALONE]]
    listed = ", ".join(f"{row.laboratory} {row.accuracy:.1%}" for row in alone.itertuples())
    return f"Cells of other laboratories that are classified correctly, each alone: {listed}." if listed else ""


def _figures(table: pd.DataFrame, key: str) -> None:
    shown, config = widgets.in_percent(table.drop(columns="ours"), FIGURES)
    names = {
        "laboratory": "Laboratory",
        "system": "System",
        "set_size": SET_SIZE,
        "features": "Features",
        "cells": "Cells",
    }
    st.dataframe(
        shown.rename(columns=names),
        hide_index=True,
        height="content",
        column_config={
            **config,
            SET_SIZE: st.column_config.NumberColumn(format="%.2f"),
            "Cells": st.column_config.NumberColumn(format="localized"),
        },
        key=f"{key}-figures",
        placeholder="",
    )
    st.caption(
        "Balanced: mean of the classes' accuracies. Stated: mean probability of the predicted class. Promised: "
        "expected accuracy of the Classify page. Coverage: cells whose 90% set holds the truth. Features: those "
        "that most cells of the table have."
    )


def _one(
    rows: Sequence[dict[str, Any]], predictions: pd.DataFrame, classes: Sequence[str], laboratory: str, key: str
) -> None:
    """Reliability and confusion of one table, each cell alone and as a batch."""
    by_system = {row["system"]: row for row in rows if row["laboratory"] == laboratory}
    batch = by_system.get(BATCH)
    adapted = batch is not None and bool(batch["adapted"])
    st.markdown(_sets_sentence(by_system[ALONE], batch if adapted else None))
    if batch is not None and not adapted:
        st.info(
            "The batch was not adapted: " + escaped(batch.get("why_not") or "no reason is stored", 600),
            icon=":material/block:",
        )
    systems = {"Each cell alone": ALONE} | ({"Adapted as one batch": BATCH} if adapted else {})
    parts = {title: predictions[predictions["system"] == system] for title, system in systems.items()}
    title = laboratory_title(laboratory)
    present = [name for name in classes if name in set(predictions["truth"])]
    counts = {name: confusion_counts(part, classes).loc[present].rename_axis("truth") for name, part in parts.items()}
    flat = pd.concat([one.reset_index().assign(system=name) for name, one in counts.items()], ignore_index=True)
    widgets.figure(
        charts.confusions(counts),
        f"{key}-confusion-{laboratory}",
        flat,
        caption=f"{escaped(title)}: share of the true class (%) and number of cells. Classes without a cell "
        "in the table have no row.",
    )
    bins = {name: _bins(part, classes) for name, part in parts.items()}
    flat = pd.concat([one.assign(system=name) for name, one in bins.items()], ignore_index=True)
    widgets.figure(
        charts.reliability(bins),
        f"{key}-reliability-{laboratory}",
        flat,
        caption=f"{escaped(title)}: how often predictions are right against the stated probability of the predicted "
        "class, in bins of equal numbers of cells; 95% Wilson interval.",
    )


def _bins(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    n_bins = min(_MOST_BINS, max(2, len(predictions) // _CELLS_A_BIN))
    return reliability_bins(predictions, classes, n_bins)


def _sets_sentence(alone: dict[str, Any], adapted: dict[str, Any] | None) -> str:
    text = (
        f"**{alone['n_cells']:,} {alone['species']} cells, {alone['n_features']} features.** 90% sets hold the truth "
        f"of {alone['coverage']:.1%} of the cells (mean size {alone['set_size']:.2f} classes)"
    )
    if adapted is None:
        return text + "."
    return text + (
        f"; with the laboratory learned from all cells of the table, without their labels, of "
        f"{adapted['coverage']:.1%} ({adapted['set_size']:.2f} classes)."
    )
