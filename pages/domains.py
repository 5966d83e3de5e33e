"""Whether human cells can be classified by what was learned from mouse cells."""

import streamlit as st

from neuroclass.reports.store import Table
from neuroclass.types.models import DANN
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import cross_species_matches, domains, human_labels, transfer
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report

VIEWS = {
    "Map": domains.pictures,
    "Mixing": domains.numbers,
    "Nearest human cells": cross_species_matches.section,
    "Human subclasses": human_labels.section,
}

widgets.heading("Domains", "Can human cells be classified by what was learned from mouse cells?")
with guarded():
    widgets.source_notice(cache.cohort())
    own_report.domains(model_choice.pick())
    transfer.show()
    st.markdown(
        "Spikes of the same class differ between mouse and human, and what separates the classes in one **domain** (a "
        "species, or a laboratory) may mislead in the other. DANN therefore learns features from which excitatory or "
        "inhibitory can be read while an **adversary**, a second network, tries to guess the species from them and is "
        "made to fail. **λ** is the adversary's weight in training; 0 means none."
    )
    matches = cross_species_matches.table()
    stored = {"Nearest human cells": matches is not None, "Human subclasses": human_labels.stored()}
    view = widgets.choice(
        "View", [name for name in VIEWS if stored.get(name, True)], "view", label_visibility="collapsed"
    )
    VIEWS[view](cache.table(DANN.name, Table.EMBEDDING), matches)
