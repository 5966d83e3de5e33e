"""Accuracy against the number of training cells and of labels; types found without labels."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import curves as charts
from neuroclass.charts import taxonomies as taxonomy_charts
from neuroclass.evaluation.names import SYSTEM_TITLES
from neuroclass.reports.store import Document, Table
from neuroclass.ui import cache, widgets
from neuroclass.ui.performance.systems import METRICS

METHODS = {
    "few-labels": "Self-training, other cells without labels",
    "labels-only": "LDA on the labelled cells alone",
    "fuzzy-centres": "Fuzzy c-means from the labelled cells (Ghaderi 2018)",
}


def _missing() -> None:
    st.info("These figures are not stored with this model.", icon=":material/info:")


def _rows(rows: list[dict[str, Any]], number: str, metric: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"model": row["model"], "number": row[number], "held_out_cells": row["n_cells"], **row["metrics"][metric]}
        for row in rows
    )


def show(model: str) -> None:
    """Learning curve over training cells, and over labels where it is stored."""
    report = cache.report(model)
    if not report.has(Document.LEARNING):
        _missing()
        return
    document = report.learning()
    metric = widgets.choice("Metric", list(METRICS), "metric", format_func=METRICS.__getitem__)
    st.subheader("With fewer training cells", anchor=False)
    table = _rows(document["cells"], "n_train", metric)
    widgets.figure(
        charts.against_number(table, SYSTEM_TITLES, "Training cells (number, logarithmic)", METRICS[metric]),
        f"learning-{model}-{metric}",
        table,
        finding=_gain(table, model, METRICS[metric]),
        caption=f"{METRICS[metric]} on the {table['held_out_cells'].iloc[0]:,} held-out cells of one repeat of "
        "donor-grouped cross-validation, trained on fewer donors of each fold; 95% CI over donors.",
    )
    if document["labels"]:
        _labels(document["labels"], metric, model)


def _gain(table: pd.DataFrame, model: str, metric: str) -> str:
    """The model's metric with the fewest and with the most training cells."""
    mine = table[table["model"] == model].sort_values("number")
    if len(mine) < 2:
        return ""
    few, most = mine.iloc[0], mine.iloc[-1]
    return (
        f"{metric} of {SYSTEM_TITLES.get(model, model).removesuffix(', ours')} is {few['mean']:.1%} with "
        f"{few['number']:,.0f} training cells and {most['mean']:.1%} with {most['number']:,.0f}."
    )


def _labels(rows: list[dict[str, Any]], metric: str, model: str) -> None:
    st.subheader("With fewer labels", anchor=False)
    which = widgets.choice("Classes", list(dict.fromkeys(row["classes"] for row in rows)), "classes")
    kept = [row for row in rows if row["classes"] == which]
    table = _rows(kept, "labels", metric)
    widgets.figure(
        charts.against_number(
            table, METHODS, "Labelled training cells per class (number, logarithmic)", METRICS[metric]
        ),
        f"labels-{model}-{metric}",
        table,
        caption=f"{METRICS[metric]} on {kept[0]['n_cells']:,} held-out cells; about {kept[0]['n_train']:,.0f} training "
        "cells per fold, of which only so many per class keep their label. Mean over three draws, 95% interval by "
        "donor; one repeat of donor-grouped cross-validation.",
    )


def unlabelled(model: str) -> None:
    """E-types and the circular taxonomy beside the labels."""
    report = cache.report(model)
    if not report.has(Document.TAXONOMIES):
        _missing()
        return
    document, cells = report.taxonomies(), cache.table(model, Table.TAXONOMIES)
    held_out, whole = document["held_out"], document["all_cells"]
    st.subheader("E-types", anchor=False)
    widgets.say(
        f"{document['n_types']} types are found without labels; their adjusted Rand index with the labels is "
        f"{held_out['adjusted_rand']['mean']:.2f} (0 chance, 1 identity)."
    )
    columns = widgets.tiles(3)
    columns[0].metric(
        "E-types (number)",
        document["n_types"],
        "lowest BIC, all cells",
        delta_color="off",
        delta_arrow="off",
        border=True,
    )
    for column, (key, label) in zip(
        columns[1:],
        (("adjusted_rand", "Adjusted Rand index"), ("adjusted_mutual_information", "Adjusted mutual information")),
        strict=True,
    ):
        column.metric(
            f"{label} (0 chance, 1 identity)",
            f"{held_out[key]['mean']:.3f}",
            f"± {held_out[key]['sd']:.3f} over folds; {whole[key]:.3f} on all cells",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="Agreement of labels with e-types: fitted on training cells, assigned to held-out ones.",
        )
    left, right = st.columns([3, 2])
    with left:
        counts = pd.crosstab(cells["truth"], cells["etype"]).reset_index()
        widgets.figure(
            taxonomy_charts.contingency(cells),
            f"etypes-{model}",
            counts,
            caption=f"{len(cells):,} cells: sparse principal components and a mixture of Gaussians, fitted on all of "
            "them without labels (after Gouwens 2019). Numbers of cells; shade: share of the e-type. E-types are "
            "numbered by their angle below.",
        )
    with right:
        bic = pd.DataFrame({"etypes": list(document["bic"]), "bic": list(document["bic"].values())})
        widgets.figure(
            taxonomy_charts.bic_curve(document["bic"]), f"bic-{model}", bic, caption="The lowest BIC is chosen."
        )
    st.subheader("Circular taxonomy", anchor=False)
    left, right = st.columns(2)
    first, second = document["explained"]
    with left:
        widgets.figure(
            taxonomy_charts.circle(cells),
            f"circle-{model}",
            cells,
            caption=f"Angle and distance from the mean cell in the plane of the first two principal components of the "
            f"standardised features ({first:.0%} and {second:.0%} of the variance), fitted on all {len(cells):,} cells "
            "without labels (after Rodríguez-Collado and Rueda 2021).",
        )
    with right:
        widgets.figure(
            taxonomy_charts.angle_densities(cells),
            f"angles-{model}",
            cells[["id", "truth", "angle"]],
            caption="Cells by angle. The row “Circular taxonomy” among the systems classifies held-out cells by this "
            "angle alone.",
        )
