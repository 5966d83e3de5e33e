"""Whether the network sees past the species and still tells the classes apart."""

from neuroclass.ui import cache, domains, widgets
from neuroclass.ui.guards import guarded

widgets.heading("Domains", "Does DANN see past the species of a cell, and still tell its class?")
with guarded():
    widgets.source_notice(cache.cohort())
    embedding = cache.table("dann", "embedding")

domains.pictures(embedding)
domains.numbers(embedding)
domains.classifiers()
