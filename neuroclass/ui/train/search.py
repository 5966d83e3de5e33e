"""Searches for settings: start one, watch it, and see what it found, its honest score beside the optimistic one."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import search as charts
from neuroclass.reports.store import Document
from neuroclass.training.job import UNDER_WAY
from neuroclass.training.runs import SEARCH as FILE
from neuroclass.training.runs import read_json
from neuroclass.training.settings import written_setting
from neuroclass.types.models import MODELS
from neuroclass.ui import cache, widgets
from neuroclass.ui.address import take
from neuroclass.ui.guards import advise, guarded
from neuroclass.ui.text import escaped
from neuroclass.ui.train.registry import SEARCH, registry, run_title
from neuroclass.ui.train.search_form import form, take_over
from neuroclass.ui.train.train import POLL_S, headline, message

MOST = 50
SHIPPED = "shipped-"
"""Before the model's name, in place of a run's id."""
WHOLE = "All cells"


def show() -> None:
    """The form, and one search."""
    st.subheader("Search for settings", anchor="search")
    st.caption(
        "Optuna tries settings on training donors only. Donors are divided twice: inner folds choose a setting, outer "
        "folds, which the search never saw, score it. A further search on all cells gives the setting to use."
    )
    form()
    chosen = _selector()
    if chosen is None:
        advise("No search yet. Start one; it goes on when you leave.")
        return
    with guarded():
        if chosen.startswith(SHIPPED):
            _found(cache.report(chosen.removeprefix(SHIPPED)).search(), chosen)
            return
        running = registry().look(chosen).state in UNDER_WAY
        st.fragment(_progress, run_every=POLL_S if running else None)(chosen, running)


def _selector() -> str | None:
    """The search to look at, kept in the URL: runs, newest first, then those that ship."""
    jobs = {job.id: job for job in registry().recent(MOST) if job.is_search}
    asked = st.query_params.get(SEARCH, "")
    if asked and asked not in jobs and not asked.startswith(SHIPPED):
        with guarded(stop=False):
            jobs[asked] = registry().look(asked)
    titles = {job_id: run_title(job) for job_id, job in jobs.items()}
    titles |= {f"{SHIPPED}{name}": f"{spec.title}, as shipped" for name, spec in MODELS.items() if _ships(name)}
    if not titles:
        return None
    take(SEARCH, titles, next(iter(titles)))
    chosen = str(st.selectbox("Search", list(titles), key=SEARCH, format_func=lambda one: titles[one]))
    st.query_params[SEARCH] = chosen
    return chosen


def _ships(name: str) -> bool:
    return cache.report(name).has(Document.SEARCH)


def _progress(job_id: str, was_running: bool) -> None:
    registry().advance()
    job = registry().look(job_id)
    if was_running and job.state not in UNDER_WAY:
        st.rerun(scope="app")
    headline(job)
    message(job)
    found = read_json(job.folder / FILE)
    if found.get("studies"):
        _found(found, job_id)


def _found(found: Mapping[str, Any], key: str) -> None:
    """Scores, then the trials of one study."""
    cells, simulated = found["cells"], bool(found["cells"]["simulated"])
    st.caption(
        f"{found['system'].upper()} on {cells['n_cells']:,} cells of {cells['n_donors']:,} donors from "
        f"{escaped(cells['source'])}. Score: {escaped(found['score'])}; intervals: 95% of bootstrap samples of donors."
    )
    if "outer" in found:
        _scores(found, key)
    studies = {WHOLE if one["outer"] is None else f"Without outer fold {one['outer'] + 1}": one
               for one in reversed(found["studies"])}  # fmt: skip
    names = [name for name in (WHOLE, *(one for one in reversed(studies) if one != WHOLE)) if studies[name]["trials"]]
    if not names:
        return
    study = studies[str(st.segmented_control("Trials on", names, default=names[0], required=True, key=f"study-{key}"))]
    trials = trials_table(study, found["space"])
    left, right = st.columns(2)
    with left:
        widgets.figure(
            charts.history(trials, simulated), "search-history", trials, simulated=simulated,
            caption="Inner score by trial. A pruned trial fell below the median of those before it; its "
            "score is the mean of the folds that it reached.",
        )  # fmt: skip
    with right:
        shares = study.get("importance", {})
        table = pd.DataFrame({"setting": list(shares), "importance": list(shares.values())})
        widgets.figure(
            charts.importance(shares, simulated), "search-importance", table, simulated=simulated,
            caption="Share of each setting in how the scores of complete trials vary (fANOVA); with few trials, rough.",
        )  # fmt: skip
    widgets.figure(
        charts.parallel(trials, found["space"], simulated), "search-parallel", trials, simulated=simulated,
        needs_room=True,
        caption="A line a trial, coloured by its inner score; drag along an axis to keep a range.",
    )  # fmt: skip


def trials_table(study: Mapping[str, Any], space: Mapping[str, Any]) -> pd.DataFrame:
    """Trials as a table: trial (from 1), state, score, inner folds reached, and the settings that were searched."""
    rows = [
        {
            "trial": trial["number"] + 1,
            "state": trial["state"],
            "score": trial["score"],
            "inner_folds": len(trial["inner"]),
            **{name: _shown(name, trial["settings"][name]) for name in space},
        }
        for trial in study["trials"]
    ]
    return pd.DataFrame(rows, columns=["trial", "state", "score", "inner_folds", *space])


def _shown(name: str, value: Any) -> Any:
    """Options as they are written, numbers as they are."""
    return value if isinstance(value, float) else written_setting(name, value).partition("=")[2]


def _scores(found: Mapping[str, Any], key: str) -> None:
    """Honest beside optimistic, and the setting to use."""
    rows = pd.DataFrame([_row(*one) for one in (
        ("inner: the settings chosen, by the folds that chose them (optimistic; fewer cells)", found["inner"]),
        ("outer: the same, on cells that the search never saw", found["outer"]),
        ("the shipped recipe, on the same cells", found["recipe"]),
    )])  # fmt: skip
    number = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(
        rows, hide_index=True, column_config=dict.fromkeys(("balanced accuracy", "accuracy", "macro F1"), number)
    )
    gain = found["difference"]
    st.markdown(
        f"Chosen − recipe, accuracy on the same cells: {gain['difference']:+.3f} [{gain['low']:+.3f}, "
        f"{gain['high']:+.3f}]. {_said(gain)}"
    )
    folds = pd.DataFrame(
        [{"fold": one["outer"] + 1, "inner": one["inner_score"], "outer": one["outer_score"]}
         for one in found["studies"] if one["outer"] is not None]
    )  # fmt: skip
    left, right = st.columns([3, 2])
    simulated = bool(found["cells"]["simulated"])
    with left:
        widgets.figure(
            charts.inner_and_outer(folds, simulated), "search-folds", folds, simulated=simulated,
            caption=f"Of the setting chosen in each outer fold: inner with an ensemble of "
            f"{found['search']['members']} trained on fewer cells, outer with the whole one.",
        )  # fmt: skip
    if "chosen" not in found:
        return
    with right:
        st.markdown("**Setting chosen on all cells**")
        st.code("\n".join(written_setting(name, value) for name, value in found["chosen"].items()), language=None)
        st.button(
            "Use this setting", icon=":material/tune:", key=f"use-{key}", on_click=take_over,
            args=(found["system"], found["chosen"]), help="Fills the form above; nothing is trained yet.",
        )  # fmt: skip


def _said(gain: Mapping[str, float]) -> str:
    if gain["low"] > 0:
        return "The search found better settings."
    return "The search made it worse." if gain["high"] < 0 else "The interval includes none: the recipe does as well."


def _row(title: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    score = figures["balanced_accuracy"]
    interval = f"{score['low']:.3f} to {score['high']:.3f}" if "low" in score else ""
    others = {name: figures[name.replace(" ", "_").lower()]["mean"] if "accuracy" in figures else None
              for name in ("accuracy", "macro F1")}  # fmt: skip
    return {"score": title, "balanced accuracy": score["mean"], "95% interval": interval, **others,
            "open gates, median": figures.get("open_gates")}  # fmt: skip
