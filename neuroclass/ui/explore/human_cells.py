"""Human cells of other laboratories on the Explore page: their tables where there are any, else what ships."""

import pandas as pd
import streamlit as st

from neuroclass.charts import embedding as charts
from neuroclass.charts.theme import ordered
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.verdicts import cell_verdicts
from neuroclass.reports.store import Table
from neuroclass.types.models import HUMAN_SUBCLASS
from neuroclass.ui import cache, widgets

DATABASE, ELSEWHERE = "database", "human"
_OFFERED = {DATABASE: "All cells", ELSEWHERE: "Human cells of other studies, subclass known"}
_COLUMNS = {
    "id": "Cell",
    "truth": "Subclass",
    "condition": "Slice",
    "predicted": "Predicted, held out",
    "verdict": "Verdict",
    "donor": "Donor",
}


def choose() -> str:
    """Which cells to explore, kept in the URL."""
    if not cache.report(HUMAN_SUBCLASS.name).has(Table.PREDICTIONS):
        return DATABASE
    return widgets.choice("Cells", list(_OFFERED), "of", format_func=_OFFERED.__getitem__)


def cells() -> Cohort | None:
    """The human cells of other laboratories; None where their tables are not in the data folder."""
    return cache.human_cells_elsewhere()


def outputs() -> None:
    """What ships of these cells without their tables: labels, held-out predictions and places, by name."""
    st.info(
        "The feature tables of these cells are not loaded; shown are the labels and the models' predictions.",
        icon=":material/info:",
    )
    table = _outputs(cache.stamp(HUMAN_SUBCLASS.name))
    wanted = st.multiselect("Subclass", ordered(table["truth"]), key="f_class", placeholder="any", bind="query-params")
    rows = table[table["truth"].isin(wanted)] if wanted else table
    embedding = cache.table_if_stored(HUMAN_SUBCLASS.name, Table.EMBEDDING)
    if embedding is not None:
        shown = embedding[embedding["id"].isin(rows["id"])].assign(space="dann")
        widgets.figure(
            charts.panels(shown, ["dann"], "truth"),
            "human-map",
            shown,
            caption=f"{len(shown)} human cells in a UMAP of DANN's features, fitted to them and the database's mouse "
            "cells with a fixed seed. DANN was trained on none of the GABAergic cells.",
        )
    st.dataframe(rows[list(_COLUMNS)].rename(columns=_COLUMNS), hide_index=True, height=400)
    widgets.figure_footer(
        "human-cells",
        rows,
        caption=f"{len(rows)} of {len(table)} cells; subclass by transcriptome, of excitatory cells by "
        "place or dendrite. Predicted by models that saw no cell of the same donor, mean of "
        "five repeats; uncertain: the largest mean probability is below 0.6.",
    )


@st.cache_data(max_entries=1, show_spinner=False)
def _outputs(stamp: str) -> pd.DataFrame:  # noqa: ARG001 (the key of the cache)
    predictions = cache.table(HUMAN_SUBCLASS.name, Table.PREDICTIONS)
    about = predictions.drop_duplicates("id").set_index("id")[["donor", "condition", "table", "truth"]]
    probabilities = [name for name in predictions if name.startswith("p_")]
    means = predictions.groupby("id")[probabilities].mean().round(3)
    return about.join(cell_verdicts(predictions)).join(means).reset_index()
