"""Parts of the Domains page."""

import pandas as pd
import streamlit as st

from neuroclass.charts import embedding as charts
from neuroclass.charts.theme import ordered
from neuroclass.explain.mixing import N_NEIGHBOURS, mixing_table
from neuroclass.ui import cache, widgets

COLOURS = {"species": "Species", "truth": "Class"}


def spaces(embedding: pd.DataFrame) -> list[str]:
    """Spaces of the embedding in the order of the argument."""
    present = set(embedding["space"])
    return [space for space in charts.SPACES if space in present] + sorted(present - set(charts.SPACES))


def pictures(embedding: pd.DataFrame) -> None:
    """The same cells in every space, by species and by class."""
    names = spaces(embedding)
    n_cells = embedding["id"].nunique()
    for column, label in COLOURS.items():
        st.subheader(f"By {label.lower()}", anchor=False)
        widgets.figure(
            charts.panels(embedding, names, column),
            f"umap-by-{column}",
            embedding[["id", "species", "truth", "space", "x", "y"]],
            caption=f"{n_cells:,} held-out cells, one UMAP a space with a fixed seed; donor-grouped cross-validation. "
            "Distances between far groups mean little.",
        )


@st.cache_data(max_entries=2, show_spinner="Comparing neighbours")
def _numbers() -> pd.DataFrame:
    embedding = cache.table("dann", "embedding")
    return mixing_table(embedding, spaces(embedding))


def classifiers() -> None:
    """How well a separate classifier tells the species from each system's features."""
    systems = [row for row in cache.results("dann").document("metrics") if "domain" in row]
    for column, row in zip(st.columns(max(4, len(systems))), systems, strict=False):
        domain = row["domain"]
        column.metric(
            f"Species told from {row['model']}'s features",
            f"{domain['accuracy']:.1%} of cells",
            f"chance {domain['chance']:.1%}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="Held-out accuracy of a logistic regression trained to tell the species; chance: share of "
            "the commoner species.",
        )


def numbers(embedding: pd.DataFrame) -> None:
    """Mixing of species and separation of classes, measured."""
    st.subheader("Measured, not seen", anchor=False)
    table = _numbers()
    classes = " and ".join(ordered(embedding["truth"]))
    widgets.figure(
        charts.mixing(table),
        "mixing",
        table,
        caption=f"Share of a cell's {N_NEIGHBOURS} nearest neighbours in the picture that share its species, or its "
        f"class ({classes}), each group weighted alike. The adversary should bring species to chance and keep classes "
        "apart. The class proportions of the two species differ, so perfect mixing would mix classes too.",
    )
