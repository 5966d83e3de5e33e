"""What is shown of any table of labelled cells: systems, promises, reliability, confusion before and after."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import other_laboratories as charts
from neuroclass.evaluation.laboratory_tables import laboratory_title, promises_table, systems_table
from neuroclass.evaluation.names import ALONE, BATCH, OUTSIDE_SYSTEM_TITLES
from neuroclass.evaluation.summaries import confusion_counts, reliability_bins, wilson_interval
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
_NAMED = 3
"""Baselines that are named where they are ahead."""


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
    summary(rows, key, predictions)
    promises(rows, key)
    one_laboratory(rows, predictions, classes, key)


def summary(rows: Sequence[dict[str, Any]], key: str, predictions: pd.DataFrame) -> None:
    """Every system in every laboratory, in one figure; the numbers folded."""
    metric = widgets.choice("Metric", list(METRICS), f"{key}-metric", format_func=METRICS.__getitem__)
    table = systems_table(rows)
    drawn = table.assign(value=table[metric])
    if metric == "accuracy":
        alone = table["system"] == OUTSIDE_SYSTEM_TITLES[ALONE]
        low, high = wilson_interval(table["accuracy"] * table["cells"], table["cells"])
        drawn = drawn.assign(low=np.where(alone, low, np.nan), high=np.where(alone, high, np.nan))
    bars = " Bar: 95% Wilson interval over cells, of ours with each cell alone." if metric == "accuracy" else ""
    widgets.figure(
        charts.by_system(drawn, METRICS[metric]),
        f"{key}-systems-{metric}",
        table,
        finding=finding(table, metric),
        caption=f"{METRICS[metric]} of all systems on the same cells; in parentheses their number. Blue: ours; the one "
        "network for all features imputes what is missing. Grey: baselines, fitted to the same features of the "
        f"database's cells of the species.{bars}{_of_one_class(predictions)}",
        needs_room=True,
    )
    with st.expander(f"Figures of all systems ({len(table)} rows)", icon=":material/table:"):
        _figures(table, key)


def _of_one_class(predictions: pd.DataFrame) -> str:
    """Which sets hold one class only, and what accuracy then means."""
    classes = predictions.groupby("laboratory", sort=False)["truth"].agg(["nunique", "first"])
    named = [f"{laboratory_title(name)} (all {label_of(str(one['first']))})"
             for name, one in classes[classes["nunique"] == 1].iterrows()]  # fmt: skip
    if not named:
        return ""
    return (
        f" Of one class only: {', '.join(named)}; there the accuracy is the share of cells that are put into it, which "
        "a system that always names it reaches in full."
    )


def promises(rows: Sequence[dict[str, Any]], key: str) -> None:
    """What was promised and stated beside what came true."""
    promised = promises_table(rows)
    widgets.figure(
        charts.promises(promised),
        f"{key}-promises",
        promised,
        finding=kept(promised),
        caption=PROMISE,
    )


def kept(table: pd.DataFrame) -> str:
    """How far the promise of the expected accuracy was from what came true, each cell alone."""
    alone = table.dropna(subset=["promised"])
    if alone.empty:
        return ""
    gaps = (alone["observed"] - alone["promised"]).to_numpy()
    far = alone.iloc[int(np.abs(gaps).argmax())]
    return (
        f"Furthest from its promise: {far['laboratory']}, where {far['promised']:.1%} were promised and "
        f"{far['observed']:.1%} of the cells are classified correctly."
    )


def one_laboratory(rows: Sequence[dict[str, Any]], predictions: pd.DataFrame, classes: Sequence[str], key: str) -> None:
    """Sets, confusion and reliability of one laboratory."""
    names = list(dict.fromkeys(row["laboratory"] for row in rows))
    laboratory = names[0]
    if len(names) > 1:
        laboratory = widgets.choice("Laboratory", names, f"{key}-laboratory", format_func=laboratory_title)
    _one(rows, predictions[predictions["laboratory"] == laboratory], classes, laboratory, key)


def finding(table: pd.DataFrame, metric: str = "accuracy") -> str:
    """How ours does in each laboratory, each cell alone, and where a baseline is ahead."""
    alone = table[table["system"] == OUTSIDE_SYSTEM_TITLES[ALONE]].set_index("laboratory")[metric]
    if alone.empty:
        return ""
    theirs = table[~table["ours"]].dropna(subset=[metric])
    ahead = []
    for laboratory, value in alone.items():
        best = theirs[(theirs["laboratory"] == laboratory) & (theirs[metric] > value)]
        if len(best):
            leading = best.sort_values(metric, ascending=False)[:_NAMED]
            systems = ", ".join(f"{one['system']} {one[metric]:.1%}" for _, one in leading.iterrows())
            ahead.append(f"{laboratory} ({systems})")
    listed = ", ".join(f"{laboratory} {value:.1%}" for laboratory, value in alone.items())
    text = f"{METRICS[metric]} of ours, each cell alone: {listed}."
    if ahead:
        return f"{text} Baselines are ahead for {' and '.join(ahead)}."
    return f"{text} No baseline is ahead." if len(theirs) else text


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
    if len(present) > 1:
        widgets.figure(
            charts.confusions(counts),
            f"{key}-confusion-{laboratory}",
            flat,
            caption=f"{escaped(title)}: share of the true class (%) and number of cells. Classes without a cell "
            "in the table have no row.",
        )
    else:
        st.markdown(_single_class(counts, present))
    bins = {name: _bins(part, classes) for name, part in parts.items()}
    flat = pd.concat([one.assign(system=name) for name, one in bins.items()], ignore_index=True)
    widgets.figure(
        charts.reliability(bins),
        f"{key}-reliability-{laboratory}",
        flat,
        caption=f"{escaped(title)}: how often predictions are right against the stated probability of the predicted "
        "class, in bins of equal numbers of cells; 95% Wilson interval.",
    )


def _single_class(counts: dict[str, pd.DataFrame], present: list[str]) -> str:
    """What a confusion matrix of one row says, in a sentence."""
    if not present:
        return ""
    (truth,) = present
    parts = []
    for name, values in counts.items():
        row = values.loc[truth]
        others = ", ".join(f"{int(n):,} called {label_of(str(one))}" for one, n in row.items() if one != truth and n)
        parts.append(
            f"{name.lower()}, {int(row[truth]):,} of {int(row.sum()):,} are classified so{others and f' ({others})'}"
        )
    return f"All cells of this table are {label_of(truth)}: {'; '.join(parts)}."


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
