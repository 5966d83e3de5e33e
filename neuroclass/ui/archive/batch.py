"""A batch of recordings on its way: progress, verdicts so far, cancel and resume."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.config import SHIPPED_DIR
from neuroclass.errors import SettingsError
from neuroclass.extraction.archive_jobs import ArchiveJobs, reports_of, rows_of
from neuroclass.io.dandi import Asset, Dandiset
from neuroclass.training.job import RESUMABLE, UNDER_WAY, Job, State
from neuroclass.types.visitors import Right
from neuroclass.ui import widgets
from neuroclass.ui.address import page_of
from neuroclass.ui.archive import handed
from neuroclass.ui.guards import guarded
from neuroclass.ui.identity import visitor
from neuroclass.ui.selection import chosen_ids, table_key
from neuroclass.ui.text import escaped

JOB = "job"
POLL_S = 1.0
_CLASSIFY = SHIPPED_DIR / "pages" / "classify.py"
_LATEST = 200


@st.cache_resource(show_spinner=False)
def registry() -> ArchiveJobs:
    """The server's queue, shared by all sessions."""
    return ArchiveJobs()


def start(dandiset: Dandiset, assets: Sequence[Asset]) -> None:
    """Queue a batch and show it."""
    st.query_params[JOB] = registry().queue(dandiset, assets, visitor())
    st.rerun()


def own() -> list[Job]:
    """Batches of this visitor, newest first."""
    me = visitor()
    everyone = me.may(Right.SEE_OTHERS)
    return [job for job in registry().recent(_LATEST) if everyone or (job.owner and job.belongs_to(me.owner))]


def show() -> None:
    """The batch that the address names, else a way to earlier ones."""
    jobs = own()
    named = st.query_params.get(JOB, "")
    if not named and not jobs:
        return
    st.subheader("Batches", anchor=False)
    ids = [job.id for job in jobs]
    if named and named not in ids:
        with guarded():
            raise SettingsError("There is no such batch of this browser here. Choose one below, or start a new one.")
    titles = {job.id: _title(job) for job in jobs}
    chosen = st.selectbox(
        "Batch", ids, index=ids.index(named) if named in ids else None, format_func=titles.__getitem__,
        placeholder="Choose an earlier batch", key=f"batches-{named}",
    )  # fmt: skip
    if chosen is None:
        return
    if chosen != named:
        st.query_params[JOB] = chosen
        st.rerun()
    job = registry().look(chosen)
    if job.state in UNDER_WAY:
        st.fragment(_progress, run_every=POLL_S)(job.id)
    else:
        _ended(job)


def _title(job: Job) -> str:
    config = job.config
    when = f"{job.id[:4]}-{job.id[4:6]}-{job.id[6:8]} {job.id[9:11]}:{job.id[11:13]}"
    n = len(config.get("paths", ()))
    return f"{when}: dandiset {config.get('id', '?')}, {n} recordings"


def _progress(job_id: str) -> None:
    registry().advance()
    job = registry().look(job_id)
    if job.state not in UNDER_WAY:
        st.rerun(scope="app")
    reports = reports_of(job)
    of = len(job.config.get("paths", ())) or 1
    with st.container(horizontal=True, vertical_alignment="center"):
        waits = "waiting for its turn" if job.state is State.QUEUED else f"{len(reports)} of {of} recordings"
        st.progress(min(1.0, len(reports) / of), text=f"Dandiset {escaped(job.config.get('id', ''))}: {waits}")
        if st.button("Cancel", icon=":material/stop:", key=f"cancel-{job.id}"):
            with guarded(stop=False):
                registry().cancel(job.id, visitor())
            st.rerun(scope="app")
    st.caption("The batch goes on if you leave or reload this page; finished recordings are kept.")
    if reports:
        st.dataframe(_table(reports), hide_index=True, column_config=_columns())


def _ended(job: Job) -> None:
    reports = reports_of(job)
    of = len(job.config.get("paths", ()))
    if job.state in RESUMABLE:
        said = next((line for line in reversed(job.message.splitlines()) if "Error: " in line), "")
        st.warning(
            f"**{len(reports)} of {of} recordings are done**; the batch is {job.state.value}. {escaped(said, 500)}",
            icon=":material/pause_circle:",
        )
        if st.button("Resume", icon=":material/play_arrow:", type="primary"):
            with guarded():
                registry().resume(job.id, visitor())
                st.rerun()
    if reports:
        _results(job, reports)


def _results(job: Job, reports: Sequence[Mapping[str, Any]]) -> None:
    table = _table(reports)
    files = [str(report.get("file", "")) for report in reports for _ in report["answers"]]
    ids = [f"{row}-{file}" for row, file in enumerate(files)]
    event = st.dataframe(
        table, hide_index=True, on_select="rerun", selection_mode="single-row", key=table_key("batch", ids),
        height=min(420, 38 + 35 * len(table)), column_config=_columns(),
    )  # fmt: skip
    refused = int(table["note"].str.startswith("refused").sum())
    st.caption(
        f"{len(table) - refused} cells classified, {refused} refused. Select a row to open its verdict, with sweeps "
        "and reasons, on Classify. The 90% sets held the true class in 90% of held-out cells."
    )
    st.caption(f"Cite: {escaped(job.config.get('citation', ''), 1000)}")
    ticked = next((ids.index(one) for one in chosen_ids(event, ids)), None)
    with st.container(horizontal=True):
        file = Path(files[ticked]) if ticked is not None and files[ticked] else None
        if st.button("Open on Classify", icon=":material/open_in_new:", disabled=file is None) and file is not None:
            with guarded():
                st.switch_page(page_of(_CLASSIFY), query_params={handed.ADDRESS: handed.hand_over(file)})
        widgets.csv_button("archive-verdicts", table, label="Verdicts (CSV)")
        st.download_button(
            "Verdicts (JSON)", json.dumps([answer for report in reports for answer in report["answers"]], indent=1),
            file_name="neuroclass-archive.json", mime="application/json", icon=":material/download:", type="tertiary",
            on_click="ignore",
        )  # fmt: skip


def _table(reports: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    columns = ["recording", "cell", "species", "broad", "broad probability", "subclass", "subclass probability"]
    table = pd.DataFrame(rows_of(reports), columns=[*columns, "90% set", "like the database", "note"])
    table[["species", "90% set"]] = table[["species", "90% set"]].fillna("")
    for task in ("broad", "subclass"):
        table[task] = [label_of(name) if isinstance(name, str) else "" for name in table[task]]
    return table


def _columns() -> dict[str, Any]:
    helps = {
        "broad probability": ("p broad", "Calibrated probability of the likeliest broad class."),
        "subclass probability": ("p subclass", "Calibrated probability of the likeliest subclass."),
        "like the database": ("like database", "Probability that the recording is like the database's."),
    }
    return {
        name: st.column_config.NumberColumn(label, help=text, format="%.2f", width="small")
        for name, (label, text) in helps.items()
    }
