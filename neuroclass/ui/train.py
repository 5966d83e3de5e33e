"""Parts of the Train page."""

import pandas as pd
import streamlit as st

from neuroclass.charts import training as charts
from neuroclass.config import data_folder
from neuroclass.training.jobs import MODELS, Job, JobRegistry, State
from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

POLL_S = 0.5
_SHARES = ("accuracy", "macro_f1", "validation_accuracy", "domain_accuracy")


@st.cache_resource(show_spinner=False)
def registry() -> JobRegistry:
    """The server's jobs, shared by all sessions."""
    return JobRegistry()


def form() -> None:
    """Choose a model and start a run on the loaded cells."""
    cells = cache.cohort()
    with st.form("train"):
        left, right = st.columns([2, 3], vertical_alignment="bottom")
        with left:
            model = st.segmented_control(
                "Model", list(MODELS), default="lspin", required=True, format_func=str.upper, key="train_model"
            )
        with right:
            st.caption(
                f"{len(cells):,} cells from {escaped(cells.source)}; each model learns from those it has a label for."
            )
        report = st.toggle(
            "Evaluate as well, by donor-grouped cross-validation (takes minutes)", key="report", value=False
        )
        started = st.form_submit_button("Start training", type="primary", icon=":material/play_arrow:")
    if started:
        folder = data_folder()
        with guarded(stop=False):
            arguments = ["--data", str(folder.resolve())] if folder else []
            arguments += ["--report", "--jobs", "1"] if report else []
            st.session_state["job"] = registry().start(str(model), arguments)


def selector() -> str | None:
    """The run to watch, kept in the URL."""
    ids = [job.id for job in registry().recent()]
    if not ids:
        return None
    if st.session_state.get("job", st.query_params.get("job")) not in ids:
        st.session_state["job"] = ids[0]
    chosen: str | None = st.selectbox(
        "Training run (day, time, model)", ids, index=None, key="job", bind="query-params"
    )
    return chosen


def watch(job_id: str) -> None:
    """Progress of one run; it refreshes itself until the run has ended."""
    running = registry().look(job_id).state is State.RUNNING
    st.fragment(_progress, run_every=POLL_S if running else None)(job_id, running)


def _progress(job_id: str, was_running: bool) -> None:
    job = registry().look(job_id)
    if was_running and job.state is not State.RUNNING:
        st.rerun(scope="app")
    _headline(job)
    history = pd.DataFrame(list(job.history))
    if "epoch" in history:
        _curves(history, cache.cohort().simulated)
    if job.state is State.DONE:
        st.success(
            f"Done. The model lies in {escaped(job.folder / 'model')} and leaves the shipped one as it is.",
            icon=":material/check_circle:",
        )
        if job.result:
            with st.expander("What the run reported"):
                st.json(job.result, expanded=1)
    if job.state is State.FAILED:
        st.error("The run ended with an error; its last words:", icon=":material/warning:")
        st.code(job.message or "none", language=None)


def _headline(job: Job) -> None:
    epoch, of = job.status.get("epoch"), job.status.get("of")
    phase = escaped(job.status.get("phase", "")) or "epoch"
    text = f"{job.state.value}, {phase} {epoch} of {of}" if epoch and of else job.state.value
    with st.container(horizontal=True, vertical_alignment="center"):
        share = min(1.0, epoch / of) if epoch and of else 0.0
        st.progress(1.0 if job.state is State.DONE else share, text=text)
        if job.state is State.RUNNING and st.button("Cancel", icon=":material/stop:", key=f"cancel-{job.id}"):
            registry().cancel(job.id)
            st.rerun(scope="app")


def _curves(history: pd.DataFrame, simulated: bool) -> None:
    numeric = [c for c in history.columns if c not in ("epoch", "of") and pd.api.types.is_numeric_dtype(history[c])]
    shares = [c for c in numeric if c in _SHARES]
    losses = [c for c in numeric if c not in shares and c != "gate_penalty"]
    panels = [
        ("losses", losses, "Loss (nats)"),
        ("shares", shares, "Share (fraction of 1)"),
        ("gates", [c for c in numeric if c == "gate_penalty"], "Expected open gates (number)"),
    ]
    panels = [panel for panel in panels if panel[1]]
    for column, (name, columns, title) in zip(st.columns(len(panels) or 1), panels, strict=False):
        with column:
            widgets.figure(
                charts.history(history, columns, title, simulated), f"training-{name}", history, simulated=simulated
            )
