"""One training run as it goes: state, curves, gates and embedding, what it gave, and what can be done to it."""

import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import training as charts
from neuroclass.config import MODELS_DIR
from neuroclass.errors import ModelFileError
from neuroclass.evaluation.names import Protocol
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.checkpoints import read_arrays
from neuroclass.training.job import RESUMABLE, UNDER_WAY, Job, State
from neuroclass.training.runs import SNAPSHOTS
from neuroclass.training.snapshots import snapshot_epochs, snapshot_file
from neuroclass.training.table import best_of
from neuroclass.types.models import MODELS
from neuroclass.types.progress import duration
from neuroclass.types.shares import percent, with_interval
from neuroclass.ui import cache, widgets
from neuroclass.ui.address import take
from neuroclass.ui.guards import guarded
from neuroclass.ui.identity import visitor
from neuroclass.ui.text import escaped
from neuroclass.ui.train import own_gain
from neuroclass.ui.train.registry import JOB, registry, run_title

POLL_S = 1.0
MOST = 30
PROTOCOL_TITLES: Mapping[str, str] = {
    Protocol.DONOR_CV: "Donor-grouped cross-validation",
    Protocol.PAPER_SPLIT: "The paper's split, not grouped by donor",
    Protocol.LEAVE_SPECIES_OUT: "Human cells, whose labels were hidden",
    Protocol.MASKED: "Donor-grouped cross-validation, stimuli missing",
    Protocol.LAB_SHIFT: "Donor-grouped cross-validation, simulated laboratories",
}
PANELS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    (
        "losses",
        ("label", "validation_label", "domain"),
        "Cross-entropy (nats)",
        "Mean over the networks: at each epoch's last step on the augmented training batch; on validation donors as "
        "they are.",
    ),
    (
        "shares",
        ("training_accuracy", "validation_accuracy", "validation_macro_f1"),
        "Accuracy, macro F1",
        "The averaged networks as they would predict, on training cells and on donors that do not train; the dashed "
        "line is the best epoch by macro F1.",
    ),
    (
        "gates",
        ("gate_penalty", "open_gates"),
        "Open gates (of 41)",
        "Mean over cells: expected while training, and as the model predicts, by the consensus of the networks.",
    ),
    (
        "domains",
        ("domain_accuracy", "domain_chance"),
        "Accuracy of the domain classifier",
        "How often the adversary names the domain of the validation donors' cells, beside the largest domain's share: "
        "the nearer the two, the less species or laboratory shows in the features.",
    ),
)


_SHARES = ("shares", "domains")
"""Panels of shares, shown in percent."""


def selector() -> str | None:
    """The run to watch, kept in the URL."""
    jobs = {job.id: job for job in registry().recent(MOST) if not job.is_search}
    asked = st.query_params.get(JOB, "")
    if asked and asked not in jobs:
        with guarded(stop=False):
            jobs[asked] = registry().look(asked)
    if not jobs:
        return None
    newest = next(iter(jobs))
    take(JOB, jobs, newest)
    chosen = str(st.selectbox("Training run", list(jobs), key=JOB, format_func=lambda job_id: run_title(jobs[job_id])))
    st.query_params[JOB] = chosen
    return chosen


def watch(job_id: str) -> None:
    """Show the progress of one run, refreshed until it ends."""
    running = registry().look(job_id).state in UNDER_WAY
    st.fragment(_progress, run_every=POLL_S if running else None)(job_id, running)


def _progress(job_id: str, was_running: bool) -> None:
    registry().advance()
    job = registry().look(job_id)
    if was_running and job.state not in UNDER_WAY:
        st.rerun(scope="app")
    headline(job)
    message(job)
    _figures_of(job)
    history = pd.DataFrame(list(job.history))
    if "epoch" in history:
        simulated = cache.cohort().simulated
        _curves(history, best_of(job), simulated)
        _snapshot(job, simulated)
    _outcome(job)


def headline(job: Job) -> None:
    """State, how far it is, and what can be done to it."""
    epoch, of = job.status.get("epoch"), job.status.get("of")
    step = escaped(job.status.get("phase", "")) or "epoch"
    state = job.state.value.capitalize()
    text = f"{state}, {step} {epoch} of {of}" if epoch and of else state
    if job.status.get("seconds"):
        text += f", {duration(job.status['seconds'])}"
    if job.state is State.RUNNING and job.status.get("left_s"):
        text += f", about {duration(job.status['left_s'])} left of this stage"
    with st.container(horizontal=True, vertical_alignment="center"):
        share = min(1.0, epoch / of) if epoch and of else 0.0
        st.progress(1.0 if job.state is State.DONE else share, text=text)
        _buttons(job)


def _buttons(job: Job) -> None:
    """What may be done to the run by whoever looks at it."""
    me = visitor()
    if not job.controlled_by(me):
        return
    deeds = []
    if job.state in UNDER_WAY:
        deeds += [("Pause", "pause", registry().pause), ("Cancel", "stop", registry().cancel)]
    if job.state in RESUMABLE and job.config:
        deeds += [("Resume", "play_arrow", registry().resume)]
    for title, icon, deed in deeds:
        if st.button(title, icon=f":material/{icon}:", key=f"{title.lower()}-{job.id}"):
            with guarded(stop=False):
                deed(job.id, me)
                st.rerun(scope="app")


def message(job: Job) -> None:
    """What its state means."""
    same = "trials" if job.is_search else "weights"
    if job.state is State.QUEUED:
        st.caption("Waiting: other runs are under way, and visitors take turns.")
    if job.state is State.PAUSED:
        st.info(f"Paused; it continues where it was, to the same {same}.", icon=":material/pause:")
    if job.state is State.INTERRUPTED:
        st.warning(
            "Interrupted: its process was killed, or the machine restarted. It can be resumed, and comes to the same "
            f"{same}.",
            icon=":material/power_off:",
        )
    if job.state is State.FAILED:
        st.error("The run ended with an error; its last output:", icon=":material/warning:")
        st.code(job.message or "none", language=None)


def _curves(history: pd.DataFrame, best: int | None, simulated: bool) -> None:
    panels = [panel for panel in PANELS if any(one in history for one in panel[1])]
    places = st.columns(2)
    for number, (name, columns, title, caption) in enumerate(panels):
        with places[number % 2]:
            there = [one for one in columns if one in history]
            mark = best if any(one.startswith("validation") for one in there) else None
            fig = charts.history(history, there, title, simulated, mark, percent=name in _SHARES)
            widgets.figure(fig, f"training-{name}", history, caption=caption, simulated=simulated)


def _snapshot(job: Job, simulated: bool) -> None:
    """Gates and embedding of a few cells, as they were at an epoch."""
    folder = job.folder / SNAPSHOTS
    epochs = snapshot_epochs(folder)
    if not epochs:
        return
    with st.expander("Gates and embedding of a few cells as it learns", icon=":material/blur_on:", expanded=True):
        epoch = epochs[-1]
        if job.state not in UNDER_WAY and len(epochs) > 1:
            epoch = int(st.select_slider("Epoch", epochs, epoch, key=f"epoch-{job.id}"))
        try:
            arrays, facts = read_arrays(snapshot_file(folder, epoch))
            cells, truth, predicted = (list(map(str, facts[name])) for name in ("cells", "truth", "predicted"))
            points = pd.DataFrame(arrays["points"], columns=["x", "y"])
            points = points.assign(cell=cells, truth=truth, predicted=predicted)
        except (ModelFileError, KeyError, ValueError):
            return
        held = "validation donors" if job.config.get("validation", {}).get("share") else "training donors"
        where = f"{len(cells)} cells of {held}, evenly over the classes, at epoch {epoch}"
        what = "mean log probabilities" if "gates" in arrays else "first network's shared features"
        widgets.figure(
            charts.embedding(points, simulated), "training-embedding", points, simulated=simulated,
            caption=f"First two principal components of the {what}, turned as at the epoch before; crosses are "
            f"misclassified. {where}.",
        )  # fmt: skip
        if "gates" in arrays:
            gates = pd.DataFrame(arrays["gates"].astype(float), index=cells, columns=list(FEATURE_NAMES))
            widgets.figure(
                charts.gate_matrix(gates, truth, simulated), "training-gates-matrix", gates, simulated=simulated,
                needs_room=True,
                caption=f"Consensus gates, the {charts.MOST_FEATURES} most open features. {where}.",
            )  # fmt: skip


def _figures_of(job: Job) -> None:
    """How good the model is, and a button to use it, before its curves."""
    _evaluated(job.metrics.get("protocol"))
    held = job.metrics.get("validation")
    if isinstance(held, dict) and {"accuracy", "macro_f1", "n_cells", "n_donors"} <= held.keys():
        _validation(held)
    if job.state is State.DONE:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.link_button("Use this model", f"classify?model={job.id}", icon=":material/check:", type="primary")
            st.caption("It is on the Models page too. The built-in models are unchanged.")


def _evaluated(found: object) -> None:
    """Accuracy by the protocol that was asked for."""
    if not isinstance(found, dict) or "accuracy" not in (found.get("metrics") or {}):
        return
    metrics = found["metrics"]
    title = PROTOCOL_TITLES.get(str(found.get("protocol")), "Evaluation")
    f1 = f", macro F1 {with_interval(metrics['macro_f1'])}" if "macro_f1" in metrics else ""
    n_cells = f"{int(found['n_cells']):,} " if found.get("n_cells") else ""
    st.markdown(
        f"**Accuracy {with_interval(metrics['accuracy'])}**{f1} on {n_cells}held-out cells. "
        f"{title}; in parentheses the 95% confidence interval over donors."
    )


def _outcome(job: Job) -> None:
    if isinstance(job.metrics.get("own"), dict):
        own_gain.show(job.metrics["own"])
    if job.state is not State.DONE:
        return
    with st.expander("Classify with it in a terminal", icon=":material/terminal:"):
        st.code(_classify_command(job), language=None, wrap_lines=True)
    if job.result:
        with st.expander("Output of the run (JSON)"):
            st.json(dict(job.result), expanded=1)


def _validation(held: dict[str, Any]) -> None:
    weights = held.get("weights_of")
    text = (
        f"While training: **{percent(held['accuracy'])}** accuracy, **{percent(held['macro_f1'])}** macro F1 on "
        f"{held['n_cells']} cells of {held['n_donors']} validation donors, with the weights of epoch {weights}."
    )
    if held.get("chosen_by"):
        text += " The epoch was chosen on these cells, so the figures are a little optimistic."
    st.markdown(text)


def _classify_command(job: Job) -> str:
    """Command to classify with the run's model, beside the shipped other model, since both must be in the folder."""
    other = next(name for name in MODELS if name != job.model)
    folder = shlex.quote(str(job.folder / "model"))
    shipped = shlex.quote(str(MODELS_DIR / other))
    return f"cp -r {shipped} {folder}/ && python -m neuroclass classify FILE --models {folder}"
