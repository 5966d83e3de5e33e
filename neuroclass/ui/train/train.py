"""Form, progress and result of training runs."""

import shlex
from dataclasses import asdict
from datetime import datetime

import pandas as pd
import streamlit as st

from neuroclass.charts import training as charts
from neuroclass.config import MODELS_DIR, data_folder
from neuroclass.training.jobs import Job, JobRegistry, State
from neuroclass.types.models import LSPIN, MODELS
from neuroclass.ui import cache, widgets
from neuroclass.ui.address import take
from neuroclass.ui.guards import guarded
from neuroclass.ui.history.browser_identity import browser_id
from neuroclass.ui.history.store import place
from neuroclass.ui.text import escaped

POLL_S = 0.5
JOB = "job"
CAPTIONS = {
    "losses": "At each epoch's last step, mean over the networks; on training cells.",
    "shares": "At each epoch's last step; on training cells.",
    "gates": "Mean over networks and training cells, of 41, before the consensus of the networks.",
}
KINDS = {"broad": "broad class", "subclass": "subclass"}
_UNDER_WAY = (State.QUEUED, State.RUNNING)
_GATES = ("gate_penalty", "agreement")
_SHARES = ("accuracy", "macro_f1", "validation_accuracy", "domain_accuracy")


@st.cache_resource(show_spinner=False)
def registry() -> JobRegistry:
    """The server's training jobs, shared by all sessions."""
    return JobRegistry()


def form() -> None:
    """Choose a model and its settings, and start a run on the loaded cells."""
    cells = cache.cohort()
    with st.container(border=True):
        left, right = st.columns([2, 3], vertical_alignment="bottom")
        with left:
            model = str(
                st.segmented_control(
                    "Model", list(MODELS), default=LSPIN.name, required=True, format_func=str.upper, key="train_model"
                )
            )
        with right:
            column = MODELS[model].task
            labelled = int(cells.frame[column].notna().sum())
            st.caption(
                f"{labelled:,} of the {len(cells):,} cells from {escaped(cells.source)} have a {KINDS[column]} to "
                "learn from."
            )
        arguments = _settings(model)
        report = st.toggle(
            "Evaluate the recipe as well, by donor-grouped cross-validation (takes many minutes)",
            key="report",
            disabled=bool(arguments),
            help="Evaluates the recipe as it ships, so only with its own settings.",
        )
        if st.button("Start training", type="primary", icon=":material/play_arrow:", key="start"):
            _start(model, [*arguments, *(["--report", "--jobs", "1"] if report and not arguments else [])])


def _settings(model: str) -> list[str]:
    """Seed, steps and members, as arguments of the command; empty where the recipe's own."""
    recipe = MODELS[model].settings()
    offered = (
        ("seed", "Seed (number)", recipe.seed, 0, 10_000),
        ("steps", "Training steps (number)", recipe.optimiser.steps, 20, 5_000),
        ("members", "Networks in the ensemble (number)", recipe.n_members, 1, 30),
    )
    arguments = []
    with st.expander("Settings", icon=":material/tune:"):
        for column, (name, label, default, least, most) in zip(st.columns(3), offered, strict=True):
            value = column.number_input(label, least, most, default, step=1, key=f"{model}-{name}")
            arguments += [f"--{name}", str(int(value))] if value != default else []
        others = {k: v for k, v in asdict(recipe).items() if k not in ("seed", "n_members", "optimiser", "augment")}
        nested = {
            f"{k}: {a}": b for k in ("optimiser", "augment") for a, b in asdict(recipe)[k].items() if a != "steps"
        }
        st.caption("The rest of the recipe, as it ships:")
        table = pd.DataFrame(
            {"setting": [*others, *nested], "value": [str(v) for v in (*others.values(), *nested.values())]}
        )
        st.dataframe(table.assign(setting=table["setting"].str.replace("_", " ")), hide_index=True, height=220)
    return arguments


def _start(model: str, arguments: list[str]) -> None:
    folder = data_folder()
    with guarded(stop=False):
        data = ["--data", str(folder.resolve())] if folder else []
        st.session_state[JOB] = registry().start(model, [*data, *arguments], owner=browser_id())


def selector() -> str | None:
    """The run to watch, kept in the URL."""
    jobs = {job.id: job for job in registry().recent()}
    if not jobs:
        return None
    newest = next(iter(jobs))
    take(JOB, jobs, newest)
    chosen = str(st.selectbox("Training run", list(jobs), key=JOB, format_func=lambda job_id: run_title(jobs[job_id])))
    st.query_params[JOB] = chosen
    return chosen


def run_title(job: Job) -> str:
    """Display title of a run: model and start time."""
    try:
        started = datetime.strptime("-".join(job.id.split("-")[:2]), "%Y%m%d-%H%M%S")
    except ValueError:
        return job.id
    return f"{job.model.upper()}, {started:%d %b %Y %H:%M:%S}"


def watch(job_id: str) -> None:
    """Show the progress of one run, refreshed until it ends."""
    running = registry().look(job_id).state in _UNDER_WAY
    st.fragment(_progress, run_every=POLL_S if running else None)(job_id, running)


def _progress(job_id: str, was_running: bool) -> None:
    registry().advance()
    job = registry().look(job_id)
    if was_running and job.state not in _UNDER_WAY:
        st.rerun(scope="app")
    _headline(job)
    history = pd.DataFrame(list(job.history))
    if "epoch" in history:
        _curves(history, cache.cohort().simulated)
    if job.state is State.DONE:
        st.success("Done. The shipped model is as it was.", icon=":material/check_circle:")
        st.link_button("Use this model", f"classify?model={job.id}", icon=":material/check:")
        st.caption("Classify with this model instead of the shipped ones, on the command line:")
        st.code(_classify_command(job), language="sh", wrap_lines=True)
        if job.result:
            with st.expander("What the run reported"):
                st.json(job.result, expanded=1)
    if job.state is State.FAILED:
        st.error("The run ended with an error; its last words:", icon=":material/warning:")
        st.code(job.message or "none", language=None)


def _classify_command(job: Job) -> str:
    """Command to classify with the run's model, beside the shipped other model, since both must be in the folder."""
    other = next(name for name in MODELS if name != job.model)
    folder = shlex.quote(str(job.folder / "model"))
    shipped = shlex.quote(str(MODELS_DIR / other))
    return f"cp -r {shipped} {folder}/ && python -m neuroclass classify FILE --models {folder}"


def _headline(job: Job) -> None:
    epoch, of = job.status.get("epoch"), job.status.get("of")
    step = escaped(job.status.get("phase", "")) or "epoch"
    text = f"{job.state.value}, {step} {epoch} of {of}" if epoch and of else job.state.value
    if job.status.get("seconds"):
        text += f", {job.status['seconds']:.0f} s"
    with st.container(horizontal=True, vertical_alignment="center"):
        share = min(1.0, epoch / of) if epoch and of else 0.0
        st.progress(1.0 if job.state is State.DONE else share, text=text)
        shared, me = place().shared, browser_id()
        mine = job.state in _UNDER_WAY and (shared or job.belongs_to(me))
        if mine and st.button("Cancel", icon=":material/stop:", key=f"cancel-{job.id}"):
            with guarded(stop=False):
                registry().cancel(job.id, me, shared)
            st.rerun(scope="app")
    if job.state is State.QUEUED:
        st.caption("It waits for its turn: so many runs at once are under way, and visitors take turns.")


def _curves(history: pd.DataFrame, simulated: bool) -> None:
    numeric = [c for c in history.columns if c not in ("epoch", "of") and pd.api.types.is_numeric_dtype(history[c])]
    shares = [c for c in numeric if c in _SHARES]
    losses = [c for c in numeric if c not in shares and c not in _GATES]
    panels = [
        ("losses", losses, "Loss (nats)"),
        ("shares", shares, "Share (fraction of 1)"),
        ("gates", [c for c in numeric if c == "gate_penalty"], "Expected open gates (number)"),
    ]
    panels = [panel for panel in panels if panel[1]]
    for column, (name, columns, title) in zip(st.columns(len(panels) or 1), panels, strict=False):
        with column:
            widgets.figure(
                charts.history(history, columns, title, simulated),
                f"training-{name}",
                history,
                caption=CAPTIONS[name],
                simulated=simulated,
            )
