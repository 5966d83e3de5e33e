"""Jobs on models of the library: start, watch, and say how long they take."""

import streamlit as st

from neuroclass.config import data_folder
from neuroclass.library.entry import ModelEntry
from neuroclass.reports.own import cells_of, seconds_for_report
from neuroclass.reports.store import Table
from neuroclass.training.job import UNDER_WAY, Job, State
from neuroclass.training.model_jobs import ModelJobs
from neuroclass.types.visitors import Right
from neuroclass.ui import cache
from neuroclass.ui.guards import guarded
from neuroclass.ui.identity import visitor
from neuroclass.ui.text import escaped

POLL_S = 1.0
TRAINING = "training"


@st.cache_resource(show_spinner=False)
def registry() -> ModelJobs:
    """The server's jobs on models, shared by all sessions."""
    return ModelJobs()


def data_arguments() -> list[str]:
    """The loaded cells' folder as arguments."""
    folder = data_folder()
    return ["--data", str(folder.resolve())] if folder else []


def need_report(entry: ModelEntry, part: Table = Table.PREDICTIONS) -> None:
    """Offer to make a model's report and stop the page where it has none."""
    if cache.report(entry.id).has(part):
        return
    offer(entry)
    st.stop()


def offer(entry: ModelEntry) -> None:
    """Say that a model has no report, and make one on request."""
    job = registry().about(entry.id)
    if job is not None and job.state in UNDER_WAY:
        watch(job, f"The report of {entry.name} is being made")
        return
    if job is not None and job.state is State.FAILED:
        st.error("The report could not be made; its process' last words:", icon=":material/warning:")
        st.code(job.message or "none", language=None)
    cells = cache.cohort()
    if cells_of(entry, cells) is None:
        trained = entry.card.get("training_cells") or {}
        st.info(
            f"**{escaped(entry.name)} has no report**, and none can be made here: a report trains the model again on "
            f"donor-grouped folds of the cells that it was trained on, {trained.get('n_cells', '?')} cells of "
            f"{escaped(trained.get('source', 'an unknown source'), 120)}; these are not the cells that are loaded.",
            icon=":material/info:",
        )
        return
    seconds = seconds_for_report(entry)
    how_long = f"about {minutes(seconds)}" if seconds else "some minutes"
    st.info(
        f"**{escaped(entry.name)} has no report yet.** It is trained again on five donor-grouped folds of its "
        f"{int((entry.card.get('training_cells') or {}).get('n_cells') or 0):,} cells, and held-out cells are judged "
        f"and explained: {how_long} on a calm machine. It goes on when you leave.",
        icon=":material/info:",
    )
    if visitor().may(Right.TRAIN) and st.button(
        "Make its report", icon=":material/play_arrow:", type="primary", key=f"report-{entry.id}"
    ):
        with guarded(stop=False):
            arguments = ["report", entry.id, "--status", "{status}", *data_arguments()]
            registry().queue(arguments, entry.id, visitor())
            st.rerun()


def minutes(seconds: float) -> str:
    """A time in words."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def watch(job: Job, title: str) -> None:
    """Progress of a job, refreshed until it ends; then the page is drawn anew."""
    st.fragment(_progress, run_every=POLL_S)(job.id, title)


def _progress(job_id: str, title: str) -> None:
    registry().advance()
    job = registry().look(job_id)
    if job.state not in UNDER_WAY:
        st.rerun(scope="app")
    done, of = job.status.get("epoch"), job.status.get("of")
    share = min(1.0, done / of) if done and of else 0.0
    passed = f", {job.status['seconds']:.0f} s" if job.status.get("seconds") else ""
    folds = f", {done} of {of}" if done and of else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, text=f"{escaped(title)}: {job.state.value}{folds}{passed}")
        me = visitor()
        if job.controlled_by(me) and st.button("Cancel", icon=":material/stop:", key=f"cancel-{job.id}"):
            with guarded(stop=False):
                registry().cancel(job.id, me)
            st.rerun(scope="app")
