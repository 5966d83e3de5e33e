"""For whoever runs the server."""

from neuroclass.ui import widgets
from neuroclass.ui.admin import admin
from neuroclass.ui.guards import guarded

widgets.heading("Admin", "Who uses how much, what is under way, and what went wrong?")
with guarded():
    admin.page()
