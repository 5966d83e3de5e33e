"""How a model learns on the loaded cells, or on one's own."""

from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded, need
from neuroclass.ui.train import form, runs_table, train

widgets.heading(
    "Train",
    "Train a model on the loaded cells or your own, watch it, pause it and resume it; it goes on when you leave.",
)
with guarded():
    cells = cache.cohort()
widgets.source_notice(cells)
widgets.simulated_notice(cells)
form.form()
job = train.selector()
need(job is not None, "No training run yet. Choose a model and start one; the shipped models stay as they are.")
with guarded():
    train.watch(str(job))
    runs_table.show()
