"""Counts, composition and shipped models."""

import pandas as pd
import streamlit as st

from neuroclass.cell_types import HumanSubclass, Species, label_of
from neuroclass.charts import cohort as charts
from neuroclass.charts.theme import category, ordered
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import ModelFileError
from neuroclass.evaluation.summaries import flatten_results
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import Document, Table
from neuroclass.types.models import HUMAN_SUBCLASS, MODELS, QUESTIONS
from neuroclass.ui import cache, widgets
from neuroclass.ui.models.shipped import scored_apart
from neuroclass.ui.text import escaped

ACCURACY = "Accuracy (95% interval)"
_EXCITATORY = HumanSubclass.GLUTAMATERGIC
"""Scored apart, on cells of other studies."""
FIGURE = {"mouse": "4", "human": "5"}


def name(column: str) -> str:
    """Display name of a metadata column."""
    return column.replace("_", " ").capitalize()


def species_in(cells: Cohort) -> list[str]:
    """Species of the cohort, in canonical order."""
    return [s.value for s in Species if (cells.frame["species"] == s.value).any()]


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
    """Number of cells and donors, and their source, in a few words."""
    frame = cells.frame
    parts = [f"{int((frame['species'] == one).sum()):,} {one}" for one in species_in(cells)]
    return escaped(f"{' and '.join(parts)} cells of {frame['donor'].nunique():,} donors, {cells.title}")


def composition(cells: Cohort) -> None:
    """Draw the cells by species, class and driver line."""
    figures = [FIGURE[one] for one in species_in(cells) if one in FIGURE]
    paper = f"Figure{'s' if len(figures) > 1 else ''} {' and '.join(figures)}"
    widgets.figure(
        charts.composition(cells.frame, cells.simulated),
        "composition",
        lambda: charts.composition_table(cells.frame),
        caption="White lines divide a class by **driver line**, the largest first; point at a part to read its line. "
        f"Classes as in {paper} of Ophir et al. 2023.",
        simulated=cells.simulated,
    )


def count_table(cells: Cohort, by: str) -> pd.DataFrame:
    """Numbers of cells by species, one metadata column and broad class."""
    frame = cells.frame
    keys = [frame["species"], category(frame[by]), category(frame["broad"])]
    return frame.groupby(keys).size().rename("cells").reset_index()


def models_table() -> None:
    """Show the shipped models with classes and held-out accuracy, one line each."""
    st.subheader("Built-in models", anchor=False)
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
                    "Model": QUESTIONS[model],
                    "Classes": ", ".join(map(label_of, ordered(predictions["truth"]))),
                    "Species": species,
                    "Held-out cells": f"{predictions.loc[inside, 'id'].nunique():,}",
                    ACCURACY: f"{right[inside].mean():.1%}"
                    if found is None
                    else f"{found['mean']:.1%} ({found['low']:.1%} to {found['high']:.1%})",
                }
            )
    rows += _human_subclass()
    if rows:
        st.table(pd.DataFrame(rows).set_index("Model"))
        elsewhere = ""
        if _human_subclass():
            apart = scored_apart(cache.report(HUMAN_SUBCLASS.name).metrics()[0])
            elsewhere = f" Human subclass: GABAergic cells of another study (Lee, Dalley et al. 2023). {apart}"
        st.caption(
            "Accuracy on held-out cells of donor-grouped cross-validation, in which no donor stands on both sides of a "
            f"split; 95% confidence interval over donors.{elsewhere}"
        )


def _human_subclass() -> list[dict[str, str]]:
    """The human subclass model's row, where its report is stored."""
    report = cache.report(HUMAN_SUBCLASS.name)
    if not report.has(Document.METRICS):
        return []
    ours = report.metrics()[0]
    accuracy = ours["metrics"]["accuracy"]
    return [
        {
            "Model": HUMAN_SUBCLASS.title,
            "Classes": ", ".join(map(label_of, [one for one in HUMAN_SUBCLASS.classes if one != _EXCITATORY])),
            "Species": Species.HUMAN.value,
            "Held-out cells": f"{ours['n_cells']:,}",
            ACCURACY: f"{accuracy['mean']:.1%} ({accuracy['low']:.1%} to {accuracy['high']:.1%})",
        }
    ]
