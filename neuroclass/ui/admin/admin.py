"""For whoever runs the server: who uses how much, what is under way, what went wrong, and what can be done about it."""

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from neuroclass import __version__
from neuroclass.io.history_backup import back_up
from neuroclass.io.history_place import MAX_BYTES
from neuroclass.io.history_usage import usage
from neuroclass.io.quotas import MB, quotas
from neuroclass.library.library import ModelLibrary
from neuroclass.training.job import UNDER_WAY, Job
from neuroclass.training.table import started_at
from neuroclass.types.visitors import Right, access_settings
from neuroclass.ui import metrics, widgets
from neuroclass.ui.archive.batch import registry as archive_jobs
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import store
from neuroclass.ui.identity import login_offered, visitor
from neuroclass.ui.models.jobs import registry as model_jobs
from neuroclass.ui.monitoring import health
from neuroclass.ui.selection import chosen_ids, table_key
from neuroclass.ui.train.registry import registry as training_runs
from neuroclass.ui.warmup import State

MOST_JOBS = 100
LARGEST_DOWNLOAD_BYTES = 1_000_000_000
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
DIGITS = 8
"""So many digits of an owner's hash are shown."""


def page() -> None:
    """Draw the Admin page.

    Raises
    ------
    AccessError
        If whoever is on the page does not administer the server.
    """
    visitor().require(Right.ADMINISTER)
    _state()
    with guarded(stop=False):
        _owners()
    with guarded(stop=False):
        _jobs()
    with guarded(stop=False):
        _models()
    _errors()
    _settings()


def _state() -> None:
    healthy, state = health()
    database, models, disk = state["database"], state["models"], state["disk"]
    columns = st.columns(4)
    columns[0].metric("NeuroClass", __version__, help="The version that runs.")
    columns[1].metric("Database", _KINDS.get(database["kind"], database["kind"]) if database["ok"] else "down")
    columns[2].metric("Models", models["state"])
    columns[3].metric("Room on the disk (GB)", f"{disk.get('free_bytes', 0) / 1e9:,.1f}")
    if database["ok"]:
        st.caption(f"Revision of the history's tables: {database['revision']}.")
    if models["state"] == State.LOADING:
        st.info("The models are loading; until then /healthz answers 503.", icon=":material/hourglass:")
    elif not healthy:
        st.error("A part that the server needs is down; /healthz answers 503.", icon=":material/warning:")


def _owners() -> None:
    st.subheader("Who uses how much", anchor=False)
    history = store.history()
    used = usage(history, by=visitor())
    table = pd.DataFrame(
        {
            "owner": [one.owner[:DIGITS] for one in used],
            "name": [one.name for one in used],
            "entries": [one.entries for one in used],
            "files (MB)": [round(one.bytes / MB, 1) for one in used],
            "last opened": [datetime.fromtimestamp(one.opened) for one in used],
        }
    )
    total = sum(history.spool.sizes().values())
    st.caption(
        f"{len(used):,} owners with {sum(one.entries for one in used):,} entries; {total / MB:,.1f} MB of files. An "
        "owner is a login or, without one, a browser; the server keeps a hash of either, and shows its first digits."
    )
    st.dataframe(table, hide_index=True, height=min(320, 38 + 35 * len(table)))
    with st.container(horizontal=True):
        widgets.csv_button("usage", table)
        st.button("Prune now", icon=":material/cleaning_services:", on_click=_prune, help="Retention, at once.")
        if total <= LARGEST_DOWNLOAD_BYTES:
            st.download_button(
                "Download a backup",
                _backup,
                file_name=f"neuroclass-history-{datetime.now():%Y%m%d-%H%M}.zip",
                mime="application/zip",
                icon=":material/download:",
                on_click="ignore",
            )
    if total > LARGEST_DOWNLOAD_BYTES:
        st.caption("A backup is too large for a browser; make it on the server: `neuroclass history backup FILE`.")


def _prune() -> None:
    with guarded(stop=False):
        store.history().prune(max(store.place().days, 1), MAX_BYTES, by=visitor())
        st.toast("What was to go is gone.")


def _backup() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.zip"
        back_up(store.history(), path, by=visitor())
        return path.read_bytes()


def _jobs() -> None:
    st.subheader("Training runs and other jobs", anchor=False)
    found = [(training_runs(), job) for job in training_runs().recent(MOST_JOBS)]
    found += [(model_jobs(), job) for job in model_jobs().recent(MOST_JOBS)]
    found += [(archive_jobs(), job) for job in archive_jobs().recent(MOST_JOBS)]
    if not found:
        st.caption("None yet.")
        return
    jobs: Sequence[Job] = [job for _, job in found]
    table = pd.DataFrame(
        {
            "job": [job.id for job in jobs],
            "state": [job.state.value for job in jobs],
            "owner": [job.owner[:DIGITS] for job in jobs],
            "asked for": [started_at(job.id) for job in jobs],
        }
    )
    ids = [job.id for job in jobs]
    event = st.dataframe(
        table,
        hide_index=True,
        key=table_key("admin-jobs", ids),
        on_select="rerun",
        selection_mode="multi-row",
        height=min(320, 38 + 35 * len(table)),
    )
    ticked = chosen_ids(event, ids)
    live = [(registry, job.id) for registry, job in found if job.id in ticked and job.state in UNDER_WAY]
    if st.button(f"Cancel {len(live)} chosen", icon=":material/stop:", disabled=not live):
        for registry, job_id in live:
            registry.cancel(job_id, visitor())
        st.rerun()


def _models() -> None:
    st.subheader("Models", anchor=False)
    library = ModelLibrary()
    default = library.default
    rows = [
        {
            "model": entry.name,
            "default": "★" if entry.id == default else "",
            "from": entry.origin.value,
            "owner": entry.owner[:DIGITS],
            "weights": entry.short,
            "trouble": entry.trouble,
        }
        for entry in library.entries()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption("They are renamed, deleted and made the lab's default on the Models page.")


def _errors() -> None:
    st.subheader("Errors that no page foresaw", anchor=False)
    errors = metrics.recent_errors()
    if not errors:
        st.caption("None since the server started.")
        return
    rows = [{"time": datetime.fromtimestamp(one.time), "error": one.kind, "raised in": one.place} for one in errors]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height=min(320, 38 + 35 * len(rows)))


def _settings() -> None:
    st.subheader("Settings", anchor=False)
    where, limits, access = store.place(), quotas(), access_settings()
    login = ("required" if access.required else "optional") if login_offered() else "none: an owner is a browser"
    rows = {
        "login": login,
        "lab": ", ".join(access.lab) or "everyone who can log in",
        "admins": ", ".join(access.admins) or "none",
        "history shared": "yes" if where.shared else "no",
        "kept (days)": f"{where.days}" if where.days else "until the server stops",
        "all files together (GB)": f"{MAX_BYTES / 1e9:.0f}",
        "quota of an owner: files (MB)": "none" if limits.bytes is None else f"{limits.bytes / MB:,.0f}",
        "quota of an owner: entries": "none" if limits.entries is None else f"{limits.entries:,}",
        "quota of an owner: training runs per day": "none" if limits.runs is None else f"{limits.runs:,}",
    }
    st.dataframe(pd.DataFrame({"setting": list(rows), "value": list(rows.values())}), hide_index=True)
