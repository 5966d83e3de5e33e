"""How a model learns on the loaded cells, or on one's own."""

from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import advise, guarded
from neuroclass.ui.train import form, runs_table, search, sections, train

widgets.heading("Train", "Train a model on the loaded cells or your own. Runs go on when you leave the page.")
with guarded():
    cells = cache.cohort()
widgets.source_notice(cells)
widgets.simulated_notice(cells)
section = sections.choose()
if section == sections.TRAIN:
    form.form()
elif section == sections.SEARCHES:
    search.show()
elif (job := train.selector()) is None:
    advise("No training run yet. Start one under Train; the built-in models stay as they are.")
else:
    with guarded():
        train.watch(job)
        runs_table.show()
