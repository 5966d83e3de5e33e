"""What is loaded, from where, and how it is composed."""

import streamlit as st

from neuroclass.charts import cohort as charts
from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.overview import overview

widgets.heading("Overview", "Which cells are loaded, where do they come from, and what are they?")
with guarded():
    cells = cache.cohort()
widgets.source_notice(cells)
widgets.simulated_notice(cells)
overview.tiles(cells)
overview.notes(cells)

for species in overview.species_in(cells):
    st.subheader(f"{species.capitalize()}: {overview.grouping(species)}", anchor=False)
    overview.composition(cells, species)

st.subheader("Where the cells lie", anchor=False)
by = widgets.choice(
    "Cells by", ["layer", "structure", "dendrite_type", "reporter_status"], "by", format_func=overview.name
)
widgets.figure(
    charts.counts(cells.frame, by, "broad", cells.simulated),
    f"cells-by-{by}",
    lambda: overview.count_table(cells, by),
    caption=f"Number of cells by {overview.name(by).lower()}, coloured by broad class.",
    simulated=cells.simulated,
)
overview.models_table()
