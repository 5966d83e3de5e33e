"""DANN trained anew with the uploaded laboratory as its third domain, on a page: progress, and a way to stop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from neuroclass.adaptation.laboratory import Batch, Outcome
from neuroclass.cell_types import label_of
from neuroclass.types.arrays import Floats
from neuroclass.types.progress import Progress
from neuroclass.ui import cache, widgets

_KEPT = "third-domain"
_FIRST = "Training first without the adversary, for the classes of the lab's cells"


def show(key: str, batch: Batch, found: Outcome) -> None:
    """Offer the training where the real table is loaded, and show what it says.

    Parameters
    ----------
    key : str
        Names the batch.
    batch : Batch
        The laboratory's cells.
    found : Outcome
        DANN's answers without and with the laboratory allowed for.
    """
    cells = cache.cohort()
    if cells.simulated:
        st.caption(
            "Where the real tables are loaded, DANN can also be trained anew with this laboratory as its third domain."
        )
        return
    kept: dict[str, Floats] = st.session_state.setdefault(_KEPT, {})
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button(
            "Train DANN with this lab as a third domain",
            key=f"third-{key}",
            icon=":material/model_training:",
            help="Some minutes on this machine. The lab's labels are not used.",
        )
        place = st.empty()
    if start:
        kept.pop(key, None)
        place.button("Stop", key=f"third-stop-{key}", icon=":material/stop:")
        with _training() as free:
            if free:
                kept[key] = _train(batch)
        place.empty()
        if not free:
            st.info("Another visitor's laboratory is being trained with; try again in some minutes.")
    if key in kept:
        _draw(batch, found, kept[key])


@st.cache_resource
def _slot() -> threading.Lock:
    return threading.Lock()


@contextmanager
def _training() -> Iterator[bool]:
    """One training of the server at a time; whether this may be it."""
    free = _slot().acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _slot().release()


def _train(batch: Batch) -> Floats:
    """Probabilities of the batch's cells; a click on Stop ends the script here."""
    from neuroclass.adaptation.third_domain import probabilities_apart

    bar = st.progress(0.0, text=_FIRST)

    def show(progress: Progress) -> None:
        if not progress.total:
            bar.progress(0.0, text=_FIRST)
            return
        share = min(1.0, progress.done / progress.total)
        bar.progress(share, text=f"Training with the third domain: {progress.done} of {progress.total}")

    found = probabilities_apart(batch, show)
    bar.empty()
    return found


def _draw(batch: Batch, found: Outcome, p: Floats) -> None:
    columns = {"built-in": found.before, "adapted": found.after, "third domain": p}
    table = pd.DataFrame({"cell": batch.names})
    for name, values in columns.items():
        table[name] = [label_of(found.classes[k]) for k in values.argmax(1)]
        table[f"probability, {name}"] = values.max(1).round(3)
    changed = found.before.argmax(1) != p.argmax(1)
    st.caption(f"{int(changed.sum())} of {len(batch.names)} labels differ from those of the built-in model.")
    st.dataframe(table[changed], hide_index=True)
    widgets.csv_button("third-domain", table, label="All cells (CSV)")
