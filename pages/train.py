"""How a model learns on the loaded cells, or on one's own."""

from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import advise, guarded
from neuroclass.ui.train import form, runs_table, search, train

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
if job is None:
    advise("No training run yet. Choose a model and start one; the shipped models stay as they are.")
else:
    with guarded():
        train.watch(job)
        runs_table.show()
search.show()
