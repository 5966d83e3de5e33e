"""Counts, composition and shipped models."""

import pandas as pd
import streamlit as st

from neuroclass.cell_types import Species, label_of
from neuroclass.charts import cohort as charts
from neuroclass.charts.theme import category, ordered
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import ModelFileError
from neuroclass.evaluation.summaries import flatten_results
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import Table
from neuroclass.types.models import MODELS
from neuroclass.ui import cache, widgets
from neuroclass.ui.text import escaped

FIGURE = {"mouse": "Figure 4", "human": "Figure 5"}


def name(column: str) -> str:
    """Display name of a metadata column."""
    return column.replace("_", " ").capitalize()


def species_in(cells: Cohort) -> list[str]:
    """Species of the cohort, in canonical order."""
    return [s.value for s in Species if (cells.frame["species"] == s.value).any()]


def tiles(cells: Cohort) -> None:
    """Show the numbers of cells and donors."""
    frame = cells.frame
    columns = widgets.tiles(3)
    for column, species in zip(columns, Species, strict=False):
        part = frame[frame["species"] == species.value]
        label = f"{species.value.capitalize()} cells"
        column.metric(label, f"{len(part):,}", help=f"from {part['donor'].nunique():,} donors", border=True)
    columns[2].metric("Donors", f"{frame['donor'].nunique():,}", border=True)


def notes(cells: Cohort) -> None:
    """Show the source of the cells, with notes."""
    with st.expander("Source and notes"):
        st.markdown(f"Source: {escaped(cells.source)}")
        complete = cells.frame[list(FEATURE_NAMES)].notna().all(axis=1).mean() if len(cells) else 0.0
        labelled = cells.frame["broad"].notna().mean() if len(cells) else 0.0
        st.markdown(f"- {labelled:.1%} of the cells have a label, {complete:.1%} all 41 features.")
        for note in cells.notes:
            st.markdown(f"- {escaped(note)}")
        st.caption(
            "Recorded cells: Allen Institute for Brain Science, Allen Cell Types Database (2015), "
            "celltypes.brain-map.org; features as published with Ophir, Shefi, Lindenbaum (2023), arXiv:2306.00528."
        )


def in_short(cells: Cohort) -> str:
    """Source and number of cells in a few words."""
    parts = [f"{int((cells.frame['species'] == one).sum()):,} {one} cells" for one in species_in(cells)]
    return escaped(f"{' and '.join(parts)} from {cells.title}")


def composition(cells: Cohort) -> None:
    """Draw the cells by species, class and driver line."""
    figures = " and ".join(FIGURE[one] for one in species_in(cells) if one in FIGURE)
    widgets.figure(
        charts.composition(cells.frame, cells.simulated),
        "composition",
        lambda: charts.composition_table(cells.frame),
        caption=f"Cells by class; within a class by driver line, largest first (point at a part to read it). "
        f"Grouped as in {figures} of Ophir et al. 2023.",
        simulated=cells.simulated,
    )


def count_table(cells: Cohort, by: str) -> pd.DataFrame:
    """Numbers of cells by species, one metadata column and broad class."""
    frame = cells.frame
    keys = [frame["species"], category(frame[by]), category(frame["broad"])]
    return frame.groupby(keys).size().rename("cells").reset_index()


def models_table() -> None:
    """Show the shipped models with classes and held-out accuracy, one line each."""
    st.subheader("Shipped models", anchor=False)
    rows = []
    for model in MODELS:
        try:
            predictions = cache.table(model, Table.PREDICTIONS)
        except ModelFileError as error:
            st.info(f"{model.upper()}: {escaped(error, 600)}", icon=":material/info:")
            continue
        right = predictions["truth"] == predictions["predicted"]
        measured = flatten_results(cache.report(model).metrics())
        measured = measured[(measured["system"] == model) & (measured["metric"] == "accuracy")]
        measured = measured[measured["protocol"] == "donor-cv"].drop_duplicates("group").set_index("group")
        for species in ordered(predictions["species"]):
            inside = predictions["species"] == species
            known = [group for group in (species, "all") if group in measured.index]
            found = measured.loc[known[0]] if known else None
            rows.append(
                {
                    "Model": model.upper(),
                    "Classes": ", ".join(map(label_of, ordered(predictions["truth"]))),
                    "Species": species,
                    "Held-out cells": f"{predictions.loc[inside, 'id'].nunique():,}",
                    "Accuracy (95% interval)": f"{right[inside].mean():.1%}"
                    if found is None
                    else f"{found['mean']:.1%} ({found['low']:.1%} to {found['high']:.1%})",
                }
            )
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True)
        st.caption("Held-out cells of donor-grouped cross-validation: no donor stands on both sides of a split.")
