"""Cross-species matches put to the test on the Domains page: the labels of the nearest human cells."""

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import embedding as maps
from neuroclass.charts import human_matches as charts
from neuroclass.explain.cross_species_matches import PARTNERS
from neuroclass.explain.human_matches import DANN_SPACE
from neuroclass.reports.store import Document, Table
from neuroclass.types.models import HUMAN_SUBCLASS
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import findings


def agreement() -> None:
    """How often the nearest human cell has the corresponding label, by subclass and space, beside chance."""
    report = cache.report(HUMAN_SUBCLASS.name)
    table = pd.DataFrame(report.match_labels())
    widgets.figure(
        charts.agreement(table),
        "human-matches",
        table,
        needs_room=True,
        caption="Mouse GABAergic cells of the database whose nearest human GABAergic cell of another laboratory "
        "(Lee, Dalley et al. 2023) carries the corresponding transcriptomic label, with the features that both have; "
        "95% interval by bootstrap over the donors of both species. Chance is the label's share of the human cells. "
        "The species offset is the difference between the species' mean GABAergic cells. DANN is trained on the broad "
        "class only and saw none of these human cells.",
    )


def stored() -> bool:
    """Whether labels of nearest human cells came with the models."""
    return cache.report(HUMAN_SUBCLASS.name).has(Document.MATCH_LABELS)


def section(*_: pd.DataFrame | None) -> None:
    """The figures, the matches themselves, and where the labelled cells of both species lie."""
    report = cache.report(HUMAN_SUBCLASS.name)
    rows = [row for row in report.match_labels() if row["space"] == DANN_SPACE]
    if not rows:
        st.info("No mouse subclass was compared in DANN's features.", icon=":material/info:")
        return
    widgets.say(findings.matched_subclasses(rows))
    agreement()
    _matches()
    _map()


def _matches() -> None:
    matches = cache.table_if_stored(HUMAN_SUBCLASS.name, Table.MATCHES)
    if matches is None:
        return
    subclass = widgets.pick("Mouse cells", list(PARTNERS), "of_subclass", format_func=label_of)
    mine = matches[matches["subclass"] == subclass]
    counts = mine["label"].value_counts()
    listed = ", ".join(f"{name} {n / len(mine):.0%}" for name, n in counts.items())
    st.dataframe(
        mine.drop(columns="subclass").rename(
            columns={"id": "Mouse cell", "twin": "Nearest human cell", "label": "Its subclass", "same": "Corresponds"}
        ),
        hide_index=True,
        height=widgets.table_height(len(mine), 6),
        column_config={"distance": st.column_config.NumberColumn("Distance (SD per DANN feature)", format="%.2f")},
    )
    widgets.figure_footer(
        "matches-with-labels",
        matches,
        caption=f"Nearest human cells of {len(mine)} mouse {label_of(subclass)} cells in DANN's features: {listed}.",
    )


def _map() -> None:
    points = cache.table_if_stored(HUMAN_SUBCLASS.name, Table.EMBEDDING)
    if points is None:
        return
    shown = points.assign(space=points["species"].astype(str))
    widgets.figure(
        maps.panels(shown, ["mouse", "human"], "truth"),
        "labelled-map",
        points,
        caption=f"{len(points):,} cells of both species with a subclass in one UMAP of DANN's features, the species "
        "side by side on the same axes. Mouse cells, and human ones of the database, trained DANN; the human cells of "
        "other laboratories did not.",
    )
