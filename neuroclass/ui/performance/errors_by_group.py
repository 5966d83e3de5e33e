"""Where a model errs: lines, layers, dendrite types; separable lines; labels that are probably at fault."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import evaluation as charts
from neuroclass.charts.theme import ordered
from neuroclass.evaluation.label_issues import label_issues, label_issues_by_confusion
from neuroclass.evaluation.names import SYSTEM_TITLES, Protocol
from neuroclass.reports.store import Document
from neuroclass.types.shares import DASH, percent
from neuroclass.ui import cache, widgets
from neuroclass.ui.performance.confusion import errors_a_repeat, link_to_cells

FEWEST = 5
"""Fewest cells of a group that is drawn."""
NAMES = {
    "line": "Driver line",
    "layer": "Layer",
    "dendrite_type": "Dendrite type",
    "structure": "Structure",
    "reporter_status": "Reporter",
}


def show(predictions: pd.DataFrame, model: str, caption: str) -> None:
    """All of it."""
    report = cache.report(model)
    if report.has(Document.GROUPS):
        document = report.groups()
        _pure_and_complete(document, model)
        _by_group(document, model, caption)
    else:
        st.info("Accuracy by group is not stored with this model.", icon=":material/info:")
    _label_issues(predictions, model)


def _pure_and_complete(document: dict[str, Any], model: str) -> None:
    pure, complete = document["pure"], document["complete"]
    everything = _all_systems(model)
    systems = [name for name in everything if name in pure["systems"] or name in complete["systems"]]
    rows = []
    for name in systems:
        row: dict[str, Any] = {"system": SYSTEM_TITLES.get(name, name), "all": everything[name]}
        for key, part in (("complete", complete), ("pure", pure)):
            found = part["systems"].get(name)
            row |= {key: found["accuracy"]["mean"] if found else None}
        rows.append(row)
    if not rows:
        return
    table = pd.DataFrame(rows).sort_values("all", ascending=False, ignore_index=True)
    st.subheader("Complete cells and separable lines", anchor=False)
    mine = table[table["system"] == SYSTEM_TITLES.get(model, model)]
    if len(mine) and pd.notna(mine["pure"].iloc[0]):
        row = mine.iloc[0]
        widgets.say(
            f"{row['system'].removesuffix(', ours')}: {row['all']:.1%} of all held-out cells, {row['pure']:.1%} of "
            f"the {pure['n_cells']:,} cells of separable lines are classified correctly."
        )
    titles = {
        "all": "All held-out cells",
        "complete": f"All 41 features known ({complete['n_cells']:,} cells)",
        "pure": f"Separable lines ({pure['n_cells']:,} cells)",
    }
    shown = pd.DataFrame({"System": table["system"]})
    for name, title in titles.items():
        shown[title] = [percent(share) if pd.notna(share) else DASH for share in table[name]]
    st.table(shown, hide_index=True)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(
            f"Accuracy, percent. Separable: {pure['rule']}. It is settled before any test label is used, but higher "
            "accuracy on such lines is partly built in: they are those whose training cells are easy to classify. The "
            "other lines mark mixed populations or classes that these features do not separate."
        )
        widgets.csv_button(f"pure-{model}", table)


def _all_systems(model: str) -> dict[str, float]:
    """Accuracy of every system over all cells by donor-grouped cross-validation."""
    rows = cache.report(model).metrics()
    return {r["model"]: r["metrics"]["accuracy"]["mean"] for r in rows if r["protocol"] == Protocol.DONOR_CV}


def _by_group(document: dict[str, Any], model: str, caption: str) -> None:
    st.subheader("By group of cells", anchor=False)
    by = widgets.choice("By", [name for name in NAMES if name in document["by"]], "by", format_func=NAMES.__getitem__)
    table = pd.DataFrame(document["by"][by])
    shown = table[table["cells"] >= FEWEST] if (table["cells"] >= FEWEST).any() else table
    few = (
        f" {len(table) - len(shown)} with fewer than {FEWEST} cells are in the CSV only."
        if len(shown) < len(table)
        else ""
    )
    few += f" The groups have {int(table['cells'].sum()):,} cells: those of which it is known."
    worst = shown.loc[shown["accuracy"].idxmin()]
    widgets.figure(
        charts.by_group(shown, NAMES[by]),
        f"by-{by}-{model}",
        table,
        finding=f"Lowest accuracy: {worst['group']}, {worst['accuracy']:.1%} of {worst['cells']:,} cells.",
        caption=f"{caption} Colour: the commonest class. Bars: 95% Wilson interval over cells.{few} In the CSV: how "
        "many labels are doubted"
        + (", and in which share of the trials the line counts as separable (column pure)." if by == "line" else "."),
    )


def _label_issues(predictions: pd.DataFrame, model: str) -> None:
    classes = ordered(predictions["truth"])
    cells = label_issues(predictions, classes)
    table = label_issues_by_confusion(cells)
    st.subheader("Errors that may be the label's fault", anchor=False)
    if table.empty:
        st.caption("The mean probability is right for every cell.")
        return
    doubted, wrong = int(cells["doubted"].sum()), int(table["cells"].sum())
    widgets.say(
        f"By their mean probability, {wrong} cells are classified as something else than their label; of {doubted}, "
        "the label is doubted."
    )
    shown = table.assign(**{name: table[name].map(label_of) for name in ("truth", "suggested")})
    heads = {
        "truth": "Labelled",
        "suggested": "Classified as",
        "cells": "Cells",
        "unanimous": "Of these in every repeat",
        "doubted": "Label doubted",
    }
    st.table(shown[list(heads)].rename(columns=heads), hide_index=True)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        several = "repeat" in predictions and predictions["repeat"].nunique() > 1
        once = (
            f"Each cell counts once, by its mean probability over the repeats; a single repeat has "
            f"{errors_a_repeat(predictions):.1f} errors on average, as the confusion matrix counts them. "
            if several
            else ""
        )
        st.caption(
            f"{once}A label is doubted if every repeat, each time with other training cells, predicts the same other "
            "class, and its mean probability reaches what cells labelled so have on average (confident learning, "
            "Northcutt 2021). "
            "It is a reason to look at the cell and no proof: a class that overlaps another looks alike."
        )
        if doubted:
            link_to_cells("Doubted cells in Explore", cells.loc[cells["doubted"], "id"].tolist())
        widgets.csv_button(f"doubted-labels-{model}", cells[cells["doubted"]], label="Doubted cells as CSV")
