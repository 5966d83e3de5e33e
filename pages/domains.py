"""Whether the network sees past the species and still tells the classes apart."""

import streamlit as st

from neuroclass.reports.store import Table
from neuroclass.types.models import DANN
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import cross_species_matches, domains, human_labels
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report

VIEWS = {
    "Map": domains.pictures,
    "Mixing": domains.numbers,
    "Nearest human cells": cross_species_matches.section,
    "Human subclasses": human_labels.section,
}

widgets.heading("Domains", "Does DANN hide the species and keep the class?")
st.markdown(
    "DANN learns excitatory from inhibitory while an adversary tries to tell the **domain**, here the species, from "
    "its features. **λ** weighs the adversary: the larger, the more the species is to be hidden; 0 is no adversary."
)
with guarded():
    widgets.source_notice(cache.cohort())
    own_report.domains(model_choice.pick())
    matches = cross_species_matches.table()
    stored = {"Nearest human cells": matches is not None, "Human subclasses": human_labels.stored()}
    view = widgets.choice(
        "View", [name for name in VIEWS if stored.get(name, True)], "view", label_visibility="collapsed"
    )
    VIEWS[view](cache.table(DANN.name, Table.EMBEDDING), matches)
