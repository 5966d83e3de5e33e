"""How a model learns on the loaded cells."""

from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded, need
from neuroclass.ui.train import train

widgets.heading("Train", "Train a model on the loaded cells, watch it, and cancel it; it goes on when you leave.")
with guarded():
    cells = cache.cohort()
widgets.source_notice(cells)
widgets.simulated_notice(cells)
train.form()
job = train.selector()
need(job is not None, "No training run yet. Choose a model and start one; the shipped models stay as they are.")
with guarded():
    train.watch(str(job))
