"""Adapt to my lab: how the uploaded cells differ from the reference, and what they are once that is allowed for."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.adaptation.banner import batch_banner
from neuroclass.adaptation.batch_model import LEAST_CELLS, BatchFit
from neuroclass.adaptation.laboratory import Batch, LaboratoryReport, Outcome, adapt, make_batch
from neuroclass.cell_types import label_of
from neuroclass.charts import adaptation as charts
from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.cohort import Cohort
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.io.labels import read_labels
from neuroclass.ui import arrivals, cache, model_choice, widgets
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
                f"How a laboratory differs from the reference can be learned from {LEAST_CELLS} or more cells of one "
                f"rig, of more than one class; these are {len(verdicts)}."
            )
            return
        _form(verdicts)


def quick(verdicts: Sequence[CellVerdict]) -> LaboratoryReport | None:
    """The commonest species' cells against the reference; None where there are too few."""
    if len(verdicts) < LEAST_CELLS:
        return None
    return _report(_batch(verdicts, None), model_choice.models(), cache.cohort())


def banner(verdicts: Sequence[CellVerdict]) -> None:
    """Before anything else: how the batch differs from the reference, and what to do."""
    with guarded(stop=False):
        report = quick(verdicts)
        if report is None:
            return
        fit = next(iter(report.outcomes.values())).fit
        kind = st.info if fit.adapted else st.warning
        kind(escaped(batch_banner(fit), 1500), icon=":material/groups:")


@st.fragment
def _form(verdicts: Sequence[CellVerdict]) -> None:
    st.caption(
        "No labels are needed. The offset that all cells share is learned together with the mix of classes, and the "
        "cells are classified again with it allowed for; the verdicts below stay as they are. Where this is not safe, "
        "for example for cells of one class, the page says so."
    )
    file = st.file_uploader(
        "Known classes (CSV with the columns cell and label), only to compare with; optional",
        type="csv",
        key="lab-labels",
    )
    with guarded(stop=False):
        labels = read_labels(arrivals.opened(file).read(), file.name) if file is not None else None
        if st.button("Compare with the reference", key="lab-start", icon=":material/play_arrow:"):
            st.session_state["lab-shown"] = _key(verdicts)
        shown = st.session_state.get("lab-shown")
        if shown is None or shown != _key(verdicts):
            return
        batch = _batch(verdicts, labels)
        report = _report(batch, model_choice.models(), cache.cohort())
        _draw(shown, report)


def _key(verdicts: Sequence[CellVerdict]) -> str:
    cells = [(one.source, one.cell, one.species, one.features) for one in verdicts]
    return fingerprint(cells=cells, models=model_choice.models(), reference=cache.cohort())


def _batch(verdicts: Sequence[CellVerdict], labels: Mapping[str, str] | None) -> Batch:
    rows = np.array([[v.features.get(name, np.nan) for name in FEATURE_NAMES] for v in verdicts])
    return make_batch([v.cell for v in verdicts], rows, [v.species for v in verdicts], labels)


@st.cache_data(max_entries=8, show_spinner="Comparing with the reference", hash_funcs=cache.HASHES)
def _report(batch: Batch, models: Models, cells: Cohort) -> LaboratoryReport:
    return adapt(batch, [models.dann.predictor, models.lspin.predictor], cells)


def _draw(key: str, report: LaboratoryReport) -> None:
    batch = report.batch
    left_out = f"; {batch.left_out} cells of the other species are left out" if batch.left_out else ""
    st.markdown(f"**{len(batch.names)} {batch.species} cells**{left_out}")
    fit = next(iter(report.outcomes.values())).fit
    if fit.adapted:
        st.info(escaped(batch_banner(fit), 1200), icon=":material/tune:")
        _estimates(fit)
    else:
        st.warning(f"**Not adapted**, because {escaped(fit.why_not, 600)}", icon=":material/block:")
    _shifts(report)
    for name, outcome in report.outcomes.items():
        st.markdown(f"**{escaped(_TITLES.get(name, name))}**")
        _outcome(batch, outcome)
        if name == "dann":
            third_domain.show(key, batch, outcome)


def _estimates(fit: BatchFit) -> None:
    """The offset and the composition with their intervals, and how they were checked."""
    parts = pd.DataFrame([vars(part) for part in fit.components])
    shares = pd.DataFrame([{"class": name, **vars(part)} for name, part in (fit.proportions or {}).items()])
    left, right = st.columns(2)
    with left:
        widgets.figure(
            charts.offsets(parts),
            "lab-offset",
            parts,
            caption="Offset of this laboratory, with 95% intervals. A factor of 1 or 0 mV: as in the reference.",
        )
    with right:
        widgets.figure(
            charts.proportions(shares),
            "lab-proportions",
            shares,
            caption="Composition of the batch, with 95% intervals.",
        )
    st.caption(
        f"Checked on held-out halves of the batch: {fit.stability:.0%} of the cells keep their class when the "
        f"laboratory is learned from the other half, and the log likelihood rises by {fit.gain:.2f} nats per cell."
    )


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


def _outcome(batch: Batch, found: Outcome) -> None:
    columns = st.columns(3)
    columns[0].metric("Labels changed", f"{int(found.changed.sum())} of {len(batch.names)}", border=True)
    if found.separation_before and found.separation_after:
        columns[1].metric(
            "Separable from the reference (AUC)",
            f"{found.separation_after.auc:.2f}",
            f"{found.separation_before.auc:.2f} before",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help=f"Cross-validated linear classifier; 0.5 is chance. Against {found.separation_after.against}. A low "
            "value alone does not show that the classes are right.",
        )
    if found.accuracy:
        before, after, n_known = found.accuracy
        columns[2].metric(
            "Accuracy on known cells",
            f"{after:.1%}",
            f"{before:.1%} before, {n_known} cells",
            delta_color="off",
            delta_arrow="off",
            border=True,
        )
    if not found.adapted:
        return
    st.caption(f"Compared with {escaped(found.reference)}.")
    counts = pd.DataFrame(
        {
            "class": found.classes,
            "before": np.bincount(found.before.argmax(1), minlength=len(found.classes)),
            "after": np.bincount(found.after.argmax(1), minlength=len(found.classes)),
        }
    )
    left, right = st.columns(2)
    with left:
        widgets.figure(charts.relabelled(counts), f"lab-{found.model}", counts, caption="Pale: each cell by itself.")
    with right:
        table = _cells(batch, found)
        if found.changed.any():
            st.dataframe(table[table["changed"]].drop(columns="changed"), hide_index=True, height=260)
        else:
            st.caption("No label changed.")
        widgets.csv_button(f"lab-cells-{found.model}", table, label="All cells (CSV)")


def _cells(batch: Batch, found: Outcome) -> pd.DataFrame:
    """Each cell's likeliest class and its probability before and after, and its prediction set."""
    before, after = found.before.argmax(1), found.after.argmax(1)
    rows = np.arange(len(batch.names))
    table = pd.DataFrame(
        {
            "cell": batch.names,
            "before": [label_of(found.classes[k]) for k in before],
            "probability before": found.before[rows, before].round(3),
            "after": [label_of(found.classes[k]) for k in after],
            "probability after": found.after[rows, after].round(3),
            "changed": found.changed,
        }
    )
    if found.sets is not None:
        names = [label_of(name) for name in found.classes]
        table["90% set"] = [", ".join(np.array(names)[inside]) for inside in found.sets]
    return table
