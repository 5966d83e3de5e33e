"""Which models there are, and how two of them differ."""

from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import compare, models, shipped

widgets.heading("Models", "Which models can classify your cells, and how good is each?")
with guarded():
    widgets.source_notice(cache.cohort())
    model_choice.pick()
with guarded(stop=False):
    shipped.show()
    models.show_own()
    models.show_table()
with guarded(stop=False):
    compare.show()
with guarded(stop=False):
    models.upload()
    models.train()
