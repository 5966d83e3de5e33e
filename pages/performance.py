"""How well the models do on cells they have not seen, and beside others."""

from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.performance import performance

widgets.heading("Performance", "How well do the models do on cells of donors they have never seen?")
with guarded():
    widgets.source_notice(cache.cohort())
    model = performance.choose_model()
    predictions, group = performance.choose(model)
    table = performance.results_table(model)

performance.tiles(predictions, table, group, model)
performance.coverage(model, group)
with guarded():
    performance.views(predictions, table, model, group)
