"""What the numbers mean, and whom to cite."""

from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.methods import methods

widgets.heading("Methods", "What is measured, how the models were made, how honest the numbers are, whom to cite.")
with guarded():
    widgets.source_notice(cache.cohort())
methods.way()
methods.verdict()
methods.feature_table()
methods.models()
methods.honesty()
methods.citations()
