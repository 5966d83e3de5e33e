"""What the numbers mean, and how to cite."""

from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.methods import features, methods

widgets.heading("Methods", "What is measured, how a verdict comes about, how it was validated, and how to cite.")
with guarded():
    widgets.source_notice(cache.cohort())
methods.way()
methods.verdict()
features.show()
methods.models()
methods.validation()
methods.citations()
