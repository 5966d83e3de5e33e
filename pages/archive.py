"""Recordings of the DANDI archive: choose, look at their sweeps, classify."""

from neuroclass.ui import widgets
from neuroclass.ui.archive import batch, listing
from neuroclass.ui.guards import guarded

widgets.heading(
    "Archive",
    "Which recordings does a dandiset hold, and what are their cells? The DANDI archive is asked only when you press a "
    "button.",
)
listed = listing.ask()
if listed is not None:
    listing.show(*listed)
with guarded():
    batch.show()
