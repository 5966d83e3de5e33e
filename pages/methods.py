"""What the numbers mean, and how to cite."""

from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.methods import features, methods

PARTS = {
    "way": "From file to verdict",
    "features": "The 41 features",
    "models": "Networks",
    "validation": "Validation",
    "citing": "How to cite",
}
SHOW = {
    "way": methods.way,
    "features": features.show,
    "models": methods.models,
    "validation": methods.validation,
    "citing": methods.citations,
}

widgets.heading("Methods", "What is measured, how a verdict comes about, how it was validated, and how to cite.")
with guarded():
    widgets.source_notice(cache.cohort())
SHOW[widgets.named_choice("Part", PARTS, "part", label_visibility="collapsed")]()
