"""Whether the network sees past the species and still tells the classes apart."""

import streamlit as st

from neuroclass.reports.store import Table
from neuroclass.types.models import DANN
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import cross_species_matches, domains, human_labels
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report

widgets.heading("Domains", "Are DANN's features free of the species, yet informative about the class?")
with guarded():
    widgets.source_notice(cache.cohort())
    own_report.domains(model_choice.pick())
    embedding = cache.table(DANN.name, Table.EMBEDDING)
    chosen = domains.choose(embedding)
    pictures = st.container()
    domains.numbers(chosen, embedding)
    domains.classifiers()
    known = cross_species_matches.table()
    marked: list[str] = []
    if known is not None:
        st.subheader("Twins across species", anchor=False)
        cell, mine = cross_species_matches.choose(known, embedding)
        marked = [cell, *mine["twin"].astype(str)]
        cross_species_matches.section(known, cell, mine, embedding)
    human_labels.section()
    with pictures:
        domains.pictures(embedding, chosen, marked)
