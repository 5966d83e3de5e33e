"""Adapt to my lab: how the uploaded cells differ from the reference, and what they are once that is allowed for."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.adaptation.alignment import LEAST_CELLS, Alignment
from neuroclass.adaptation.laboratory import Batch, LaboratoryReport, Outcome, adapt, make_batch
from neuroclass.cell_types import label_of
from neuroclass.charts import adaptation as charts
from neuroclass.classification.classify import load_models
from neuroclass.classification.result import CellVerdict
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.io.labels import read_labels
from neuroclass.ui import cache, widgets
from neuroclass.ui.classify import third_domain
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

_TITLES = {"dann": "Excitatory or inhibitory (DANN)", "lspin": "Mouse subclass (LSPIN)"}


def show(verdicts: Sequence[CellVerdict]) -> None:
    """Offer the comparison for a batch of classified cells."""
    if len(verdicts) < 2:
        return
    with st.expander("Adapt to my lab", icon=":material/tune:"):
        if len(verdicts) < LEAST_CELLS:
            st.caption(
                f"With {LEAST_CELLS} cells of one rig or more, of more than one class, their shift against the "
                f"reference can be told from chance and taken back; these are {len(verdicts)}."
            )
            return
        _form(verdicts)


@st.fragment
def _form(verdicts: Sequence[CellVerdict]) -> None:
    st.caption(
        "No labels are needed. The shift that all cells share is estimated together with the mix of classes and "
        "taken back, and the cells are classified again; the verdicts below stay as they are."
    )
    file = st.file_uploader(
        "Known classes (CSV with the columns cell and label), only to compare with; optional",
        type="csv",
        key="lab-labels",
    )
    with guarded(stop=False):
        labels = read_labels(file.getvalue(), file.name) if file is not None else None
        if st.button("Compare with the reference", key="lab-start", icon=":material/play_arrow:"):
            st.session_state["lab-shown"] = _key(verdicts)
        if st.session_state.get("lab-shown") != _key(verdicts):
            return
        batch = _batch(verdicts, labels)
        report = _report(_key(verdicts), tuple(sorted((labels or {}).items())), cache.cohort().source, batch)
        _draw(_key(verdicts), report)


def _key(verdicts: Sequence[CellVerdict]) -> str:
    cells = "\n".join(f"{v.source} {v.cell} {v.species} {sorted(v.features.items())}" for v in verdicts)
    return hashlib.sha256(cells.encode()).hexdigest()


def _batch(verdicts: Sequence[CellVerdict], labels: Mapping[str, str] | None) -> Batch:
    rows = np.array([[v.features.get(name, np.nan) for name in FEATURE_NAMES] for v in verdicts])
    return make_batch([v.cell for v in verdicts], rows, [v.species for v in verdicts], labels)


@st.cache_data(max_entries=8, show_spinner="Comparing with the reference")
def _report(key: str, labels: tuple[tuple[str, str], ...], source: str, _batch: Batch) -> LaboratoryReport:  # noqa: ARG001
    models = load_models()
    return adapt(_batch, [models.dann.network, models.lspin.network], cache.cohort())


def _draw(key: str, report: LaboratoryReport) -> None:
    batch = report.batch
    left_out = f"; {batch.left_out} cells of the other species are left out" if batch.left_out else ""
    st.markdown(f"**{len(batch.names)} {batch.species} cells**{left_out}")
    _shifts(report)
    for name, outcome in report.outcomes.items():
        st.markdown(f"**{_TITLES[name]}**")
        if outcome.alignment is None:
            st.warning(escaped(outcome.why_not, 600), icon=":material/block:")
        else:
            _outcome(batch, outcome, outcome.alignment)
            if name == "dann":
                third_domain.show(key, batch, outcome.alignment)


def _shifts(report: LaboratoryReport) -> None:
    own = report.batch.species
    ordered = [own, *(species for species in report.shifts if species != own)]
    table = pd.DataFrame([vars(one) for species in ordered for one in report.shifts[species]])
    units = [BY_NAME[f].unit or "ratio" for f in table["feature"]] if len(table) else []
    widgets.figure(
        charts.shifts(table),
        "lab-shifts",
        table.assign(unit=units),
        caption="Where the batch's values lie among the reference's cells, classes mixed as in the batch; 50 without a "
        "shift. Filled: p < 0.05 after Holm's correction. The twenty largest.",
    )


def _outcome(batch: Batch, outcome: Outcome, found: Alignment) -> None:
    columns = st.columns(3)
    columns[0].metric("Labels changed", f"{int(found.changed.sum())} of {len(batch.names)}", border=True)
    if outcome.separation_before and outcome.separation_after:
        columns[1].metric(
            "Told from the reference (AUC)",
            f"{outcome.separation_after.auc:.2f}",
            f"{outcome.separation_before.auc:.2f} before",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help=f"Cross-validated linear classifier; 0.5 is chance. Told from {outcome.separation_after.against}.",
        )
    if outcome.accuracy:
        before, after, n_known = outcome.accuracy
        columns[2].metric(
            "Accuracy on known cells",
            f"{after:.1%}",
            f"{before:.1%} before, {n_known} cells",
            delta_color="off",
            delta_arrow="off",
            border=True,
        )
    parts = "; ".join(escaped(part.in_words()) for part in found.components)
    st.caption(f"The shift looks like: {parts}. Compared with {escaped(found.reference)}.")
    counts = pd.DataFrame(
        {
            "class": found.classes,
            "before": np.bincount(found.before.argmax(1), minlength=len(found.classes)),
            "after": np.bincount(found.after.argmax(1), minlength=len(found.classes)),
        }
    )
    left, right = st.columns(2)
    with left:
        widgets.figure(charts.relabelled(counts), f"lab-{outcome.model}", counts, caption="Pale: before alignment.")
    with right:
        table = _cells(batch, found)
        if found.changed.any():
            st.dataframe(table[table["changed"]].drop(columns="changed"), hide_index=True, height=260)
        else:
            st.caption("No label changed.")
        widgets.csv_button(f"lab-cells-{outcome.model}", table, label="All cells (CSV)")


def _cells(batch: Batch, found: Alignment) -> pd.DataFrame:
    """Each cell's likeliest class and its probability before and after."""
    before, after = found.before.argmax(1), found.after.argmax(1)
    rows = np.arange(len(batch.names))
    return pd.DataFrame(
        {
            "cell": batch.names,
            "before": [label_of(found.classes[k]) for k in before],
            "probability before": found.before[rows, before].round(3),
            "after": [label_of(found.classes[k]) for k in after],
            "probability after": found.after[rows, after].round(3),
            "changed": found.changed,
        }
    )
