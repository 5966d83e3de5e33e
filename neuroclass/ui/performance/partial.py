"""Partial recordings on the Performance page: accuracy with only some stimuli's features."""

import pandas as pd
import streamlit as st

from neuroclass.charts import evaluation as charts
from neuroclass.charts import other_laboratories as set_charts
from neuroclass.evaluation.feature_subsets import of_whole_stimuli
from neuroclass.evaluation.laboratory_tables import partial_table
from neuroclass.features import FEATURE_NAMES, Stimulus
from neuroclass.reports.store import Document, Table
from neuroclass.types.shares import DASH
from neuroclass.ui import cache, widgets


def show(model: str, species: list[str]) -> None:
    """The models fitted to exactly the features of each combination of stimuli; else the one network for all."""
    st.subheader("With fewer stimuli", anchor=False)
    if cache.report(model).has(Document.MASKED):
        _fitted(model, species)
    else:
        _network(model, species)


def _fitted(model: str, species: list[str]) -> None:
    document = cache.report(model).masked()
    table = partial_table(document["laboratories"], species)
    if table.empty:
        st.info(f"No figure of partial recordings is stored for {' or '.join(species)} cells.", icon=":material/info:")
        return
    widgets.figure(
        set_charts.by_set(table),
        f"partial-{model}",
        table,
        finding=_finding(table),
        caption="Accuracy of the models fitted to exactly these features, beside an SVC fitted to the same features of "
        "the same cells (and, for excitatory and inhibitory, the species). Held-out donors in donor-grouped 5-fold "
        "cross-validation, cells that have all of the features; nothing is imputed. Without seal and input resistance, "
        "but for all features. Promised: the accuracy that each fold's fit expects, from its own training donors. "
        "Coverage: cells whose 90% set holds the truth.",
    )
    with st.expander(f"The figures as a table ({len(table)} rows)", icon=":material/table:"):
        st.table(written(table), hide_index=True)


def written(table: pd.DataFrame) -> pd.DataFrame:
    """The figures as people read them, the most accurate first; columns that no row has are left out."""
    rows = table.sort_values("accuracy", ascending=False)
    shares = {"accuracy": "Accuracy", "svc": "SVC", "promised": "Promised", "coverage": "Coverage"}
    shown = pd.DataFrame({"Stimuli": rows["name"], "Cells": [f"{n:,}" for n in rows["cells"]]})
    for name, title in shares.items():
        shown[title] = [f"{value:.1%}" if pd.notna(value) else DASH for value in rows[name]]
    shown.insert(4, "Ours − SVC (points)", [f"{100 * gap:+.1f}".replace("-", "−") for gap in rows["difference"]])
    shown["Mean set (classes)"] = [f"{size:.2f}" for size in rows["set_size"]]
    if rows["open_gates"].notna().any():
        shown["Open gates (median)"] = [f"{n:g}" for n in rows["open_gates"]]
    return shown


def _finding(table: pd.DataFrame) -> str:
    """How much long squares alone give, beside all features, in each species."""
    parts = []
    for species, rows in table.groupby("species", sort=False):
        by = rows.set_index(rows["name"].str.removesuffix(f", {species}"))["accuracy"]
        alone, whole = by.get("long square"), by.get(f"all {len(FEATURE_NAMES)} features")
        if alone is not None and whole is not None:
            parts.append(f"{alone:.1%} of {species} cells ({whole:.1%} with all features)")
    return f"From long squares alone, {' and '.join(parts)} are classified correctly." if parts else ""


def _network(model: str, species: list[str]) -> None:
    """What one network for all features makes of partial recordings, where no fitted sets were measured."""
    subsets = cache.table_if_stored(model, Table.FEATURE_SUBSETS)
    if subsets is None:
        st.info("Figures of partial recordings are not stored with this model.", icon=":material/info:")
        return
    rows = of_whole_stimuli(subsets)
    shown = ~rows["stimuli"].str.contains(Stimulus.NONE.value) & rows["species"].isin(species)
    rows = rows[shown].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "group": rows["stimuli"].str.replace("_", " ").str.replace("+", ", ", regex=False),
            "truth": rows["species"],
            "cells": rows["n_cells"],
            **{name: rows[name] for name in ("accuracy", "low", "high")},
        }
    )
    if table["truth"].nunique() > 1:
        table["group"] = table["group"] + ", " + table["truth"]
    widgets.figure(
        charts.by_group(table, "Stimuli recorded"),
        f"by-stimuli-{model}",
        table.rename(columns={"truth": "species"}),
        caption="Accuracy of one network for all features, on held-out cells of which only these stimuli's features "
        "are known, without seal and input resistance; 95% CI over donors.",
    )
