"""Recordings of the DANDI archive: choose, look at their sweeps, classify."""

from neuroclass.ui import widgets
from neuroclass.ui.archive import batch, listing
from neuroclass.ui.guards import guarded

widgets.heading(
    "Archive",
    "Look at published recordings of the DANDI Archive, and classify their cells.",
)
listed = listing.ask()
if listed is not None:
    listing.show(*listed)
else:
    listing.about()
with guarded():
    batch.show()
