"""Whether human cells can be classified by what was learned from mouse cells."""

import streamlit as st

from neuroclass.reports.store import Table
from neuroclass.types.models import DANN
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import cross_species_matches, domains, human_labels, transfer
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report

NAMES = {
    "Map": "Map",
    "Mixing": "Can the species be guessed?",
    "Nearest human cells": "Nearest human cells",
    "Human subclasses": "Human subclasses",
}  # what a view shows; the address holds its plain name
VIEWS = {
    "Map": domains.pictures,
    "Mixing": domains.numbers,
    "Nearest human cells": cross_species_matches.section,
    "Human subclasses": human_labels.section,
}

widgets.heading("Domains: from mouse to human", "Can human cells be classified by what was learned from mouse cells?")
with guarded():
    widgets.source_notice(cache.cohort())
    own_report.domains(model_choice.pick())
    st.caption(
        "DANN learns while a second network, its adversary, tries to tell the species from DANN's features and is made "
        "to fail; λ is the adversary's weight."
    )
    embedding = cache.table(DANN.name, Table.EMBEDDING)
    transfer.show(embedding)
    matches = cross_species_matches.table()
    stored = {"Nearest human cells": matches is not None, "Human subclasses": human_labels.stored()}
    names = {name: title for name, title in NAMES.items() if stored.get(name, True)}
    view = widgets.named_choice("View", names, "view", label_visibility="collapsed")
    VIEWS[view](embedding, matches)
