"""DANN trained anew with the uploaded laboratory as its third domain, on a page: progress, and a way to stop."""

import pandas as pd
import streamlit as st

from neuroclass.adaptation.laboratory import Batch, Outcome
from neuroclass.cell_types import label_of
from neuroclass.types.arrays import Floats
from neuroclass.types.progress import Progress
from neuroclass.ui import cache, widgets

_KEPT = "third-domain"


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
        kept[key] = _train(batch)
        place.empty()
    if key in kept:
        _draw(batch, found, kept[key])


def _train(batch: Batch) -> Floats:
    """Probabilities of the batch's cells; a click on Stop ends the script here."""
    from neuroclass.adaptation.third_domain import train_with_laboratory

    bar = st.progress(0.0, text="Training first without the adversary, for the classes of the lab's cells")

    def show(progress: Progress) -> None:
        share = min(1.0, progress.done / (progress.total or 1))
        bar.progress(share, text=f"Training with the third domain: {progress.done} of {progress.total}")

    model = train_with_laboratory(cache.cohort(), batch, progress=show)
    bar.empty()
    return model.predict_proba(batch.x, [batch.species] * len(batch.x))


def _draw(batch: Batch, found: Outcome, p: Floats) -> None:
    columns = {"as shipped": found.before, "adapted": found.after, "third domain": p}
    table = pd.DataFrame({"cell": batch.names})
    for name, values in columns.items():
        table[name] = [label_of(found.classes[k]) for k in values.argmax(1)]
        table[f"probability, {name}"] = values.max(1).round(3)
    changed = found.before.argmax(1) != p.argmax(1)
    st.caption(f"{int(changed.sum())} of {len(batch.names)} labels differ from those of the shipped model.")
    st.dataframe(table[changed], hide_index=True)
    widgets.csv_button("third-domain", table, label="All cells (CSV)")
