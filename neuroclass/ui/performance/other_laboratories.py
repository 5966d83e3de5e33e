"""Cells of other laboratories on the Performance page: those measured beforehand, simulated ones, and a user's own."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import other_laboratories as charts
from neuroclass.evaluation.laboratory_tables import laboratory_title
from neuroclass.evaluation.names import LABORATORIES
from neuroclass.reports.store import Document, Table
from neuroclass.types.models import MODELS
from neuroclass.ui import cache, widgets
from neuroclass.ui.performance import laboratory_views, own_table

_PARTS = {
    "summary": "Summary",
    "promises": "Promised and true",
    "one": "One laboratory",
    "recalibrated": "Calibrated elsewhere",
    "simulated": "Simulated",
    "own": "Your cells",
}


def show(model: str, group: str, species: list[str]) -> None:
    """The stored figures of the chosen species, simulated laboratories, or a user's own table: one at a time."""
    report = cache.report(model)
    st.subheader("Cells of other laboratories", anchor=False)
    stored = report.has(Document.OUTSIDE) and report.has(Table.OUTSIDE)
    parts = [name for name in _PARTS if stored or name in ("summary", "own", "simulated")]
    parts = [name for name in parts if name != "simulated" or report.has(Document.LAB_SHIFT)]
    part = widgets.choice("Show", parts, "laboratories", format_func=_PARTS.__getitem__, label_visibility="collapsed")
    if part == "own":
        own_table.show(model)
    elif part == "simulated":
        _simulated(model, species)
    elif stored:
        _stored(model, group, species, part)
    else:
        st.info("Figures on other laboratories are not stored with this model.", icon=":material/info:")


def _simulated(model: str, species: list[str]) -> None:
    """Held-out accuracy as simulated laboratories would measure the same cells."""
    rows = pd.DataFrame(cache.report(model).laboratories())
    rows = rows[rows["species"].isin(species)].rename(columns={"n_cells": "cells", "mean": "accuracy"})
    table = rows[["laboratory", "species", "cells", "accuracy", "low", "high"]].reset_index(drop=True)
    widgets.figure(
        charts.simulated(table),
        f"by-laboratory-{model}",
        table,
        caption="Accuracy of one network for all features, on the same held-out, recorded cells with their features "
        "changed as another rig would measure them (simulated laboratories); bars: 95% CI over donors. Nothing is "
        "adapted to the laboratory.",
        needs_room=True,
    )


def _stored(model: str, group: str, species: list[str], part: str) -> None:
    document, predictions = cache.report(model).outside(), cache.table(model, Table.OUTSIDE)
    rows = [row for row in document["laboratories"] if row["species"] in species]
    if not rows:
        st.info(f"No table of other laboratories has {group} cells for this model.", icon=":material/info:")
        return
    names = list(dict.fromkeys(row["laboratory"] for row in rows))
    sources = "; ".join(LABORATORIES[name][1] for name in names if name in LABORATORIES)
    st.caption(
        f"Published cells: {sources}. None of them trained or calibrated these models or the baselines; the human "
        "subclass model, which learned from the human ones, is left out. Settings of the models and of the "
        "adaptation were chosen with these tables in view, so the figures are optimistic for a further laboratory."
    )
    used = predictions[predictions["laboratory"].isin(names)]
    key = f"outside-{model}"
    if part == "summary":
        laboratory_views.summary(rows, key, used)
    elif part == "promises":
        laboratory_views.promises(rows, key)
    elif part == "one":
        laboratory_views.one_laboratory(rows, used, MODELS[model].classes, key)
    left_out = [row for row in document.get("leave_one_laboratory_out", []) if row["laboratory"] in names]
    if part == "recalibrated" and left_out:
        _left_out(left_out, model)


def _left_out(rows: list[dict[str, Any]], model: str) -> None:
    st.subheader("Calibrated on the other laboratories", anchor=False)
    figures = {
        "Stated {}": ("stated", "stated_recalibrated"),
        "Coverage {}": ("coverage", "coverage_recalibrated"),
        "Set size {} (classes)": ("set_size", "set_size_recalibrated"),
    }
    columns: dict[str, list[Any]] = {
        "Laboratory": [laboratory_title(row["laboratory"]) for row in rows],
        "Cells": [row["n_cells"] for row in rows],
        "Accuracy": [row["accuracy"] for row in rows],
        "Temperature": [row["temperature"] for row in rows],
    }
    for title, (before, after) in figures.items():
        columns[title.format("before")] = [row[before] for row in rows]
        columns[title.format("after")] = [row[after] for row in rows]
    table = pd.DataFrame(columns)
    sizes = {f"Set size {when} (classes)": st.column_config.NumberColumn(format="%.2f") for when in ("before", "after")}
    shares = [name for name in table if name == "Accuracy" or name.startswith(("Stated", "Coverage"))]
    shown, config = widgets.in_percent(table, dict(zip(shares, shares, strict=True)))
    st.dataframe(
        shown,
        hide_index=True,
        column_config={**config, **sizes, "Temperature": st.column_config.NumberColumn(format="%.2f")},
        key=f"left-out-{model}",
        placeholder="",
    )
    st.caption(
        "Leave one laboratory out: temperature and set limit of each table's cells, each alone, from the labelled "
        "cells of the other tables, which count equally, instead of simulated laboratories. Neither changes the "
        "likeliest class, so accuracy stays. Stated: mean probability of the predicted class. Coverage: cells whose "
        "90% set holds the truth."
    )
