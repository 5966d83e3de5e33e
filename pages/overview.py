"""The first minute: a verdict with its reason, where to begin, and which cells are loaded."""

import streamlit as st

from neuroclass.charts import cohort as charts
from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.overview import front, overview

widgets.heading(
    "What is this neuron?",
    "NeuroClass takes a whole-cell current-clamp recording and says which cortical cell type it probably is, how sure "
    "one can be, and on which sweep and spike each reason was measured.",
)
with guarded():
    cells = cache.cohort()
widgets.source_notice(cells)
example = st.container()
front.start()
st.subheader("What it can tell", anchor=False)
typical = st.container()
front.scope()

front.loaded(f"Loaded: {overview.in_short(cells)}")
widgets.simulated_notice(cells)
overview.composition(cells)
overview.notes(cells)
with st.expander("Where the cells lie"):
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
with typical:
    front.classes()
with example, guarded(stop=False):
    front.verdict()
