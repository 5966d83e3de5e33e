"""Searches for settings: start one, watch it, and see what it found, scored on cells that it never saw."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import search as charts
from neuroclass.cohort.cohort import source_title
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import Document
from neuroclass.training.job import UNDER_WAY
from neuroclass.training.runs import SEARCH as FILE
from neuroclass.training.runs import read_json
from neuroclass.training.settings import TITLES, NamedSetting, named_settings, written_setting
from neuroclass.types.models import MODELS
from neuroclass.types.shares import DASH, percent, points, with_interval
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
MOST_DRAWN = 6
"""Settings that are drawn, the most important of those searched."""
SCORE = "Balanced accuracy"
MEANING = "mean over the classes of the fraction of cells that are right"
_OPEN = "Features used (median)"
_PLAIN = {
    "gate_penalty": "what each open gate costs; the larger, the fewer features of a cell are used",
    "mixup": "how strongly pairs of training cells are mixed; 0 for none",
    "smoothing": "share of the label's probability that is spread over the other classes",
}
"""Settings whose meaning in the form speaks of the method rather than of what it does."""
_READING = (
    "**How to read the scores**\n"
    "- *Inner folds* chose the settings, so their score is optimistic; but they train on fewer cells, with fewer "
    "networks, which lowers it.\n"
    "- *Outer folds* were never seen by the search: their score is the one to quote.\n"
    "- *Built-in settings* on the same outer folds say whether the search was worth it."
)


def show() -> None:
    """The form, and one search of the model in it."""
    st.caption(
        "Try many settings and keep the best. The donors are split into outer folds: for each, settings are chosen by "
        "cross-validation on the other donors (inner folds), and scored on the fold itself, which the choice never "
        "saw. A last search on all cells gives the settings to use."
    )
    system = form(_asked_system())
    st.subheader(f"Earlier searches of {system.upper()}", anchor=False)
    chosen = _selector(system)
    if chosen is None:
        advise(f"No search yet for {system.upper()}. Start one; it goes on when you leave.")
        return
    with guarded():
        if chosen.startswith(SHIPPED):
            _found(cache.report(chosen.removeprefix(SHIPPED)).search(), chosen)
            return
        running = registry().look(chosen).state in UNDER_WAY
        st.fragment(_progress, run_every=POLL_S if running else None)(chosen, running)


def _asked_system() -> str:
    """The system of the search in the address; empty if it names none."""
    asked = st.query_params.get(SEARCH, "")
    shipped = asked.removeprefix(SHIPPED)
    if shipped in MODELS:
        return shipped
    return next((name for name in MODELS if f"-{name}-" in asked), "")


def _selector(system: str) -> str | None:
    """The search of a system to look at, kept in the URL: runs, newest first, then the one that ships."""
    jobs = {job.id: job for job in registry().recent(MOST) if job.is_search}
    asked = st.query_params.get(SEARCH, "")
    if asked and asked not in jobs and not asked.startswith(SHIPPED):
        with guarded(stop=False):
            jobs[asked] = registry().look(asked)
    titles = {job_id: run_title(job) for job_id, job in jobs.items() if job.model == system}
    if _ships(system):
        titles[f"{SHIPPED}{system}"] = f"{MODELS[system].title}, built-in search"
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
    """What was searched, the conclusion with the settings to use, and the trials, folded."""
    cells, asked = found["cells"], found["search"]
    st.caption(
        f"**{'Earlier search' if 'outer' in found else 'Search'}:** {asked['trials']} trials in each of "
        f"{asked['outer_folds']} outer folds, {asked['inner_folds']} inner folds, {asked['members']} "
        f"network{'' if asked['members'] == 1 else 's'} while searching; {found['system'].upper()} on "
        f"{cells['n_cells']:,} cells of {cells['n_donors']:,} donors ({escaped(source_title(cells['source']))})."
    )
    if "outer" in found:
        _scores(found)
        _chosen(found, key)
    with st.expander("Details of the search", icon=":material/manage_search:", expanded="outer" not in found):
        if "outer" in found:
            _folds(found)
        _trials(found, key)


def _trials(found: Mapping[str, Any], key: str) -> None:
    """The trials of one study, and what its settings did."""
    simulated = bool(found["cells"]["simulated"])
    studies = {WHOLE if one["outer"] is None else f"Outer fold {one['outer'] + 1} held out": one
               for one in reversed(found["studies"])}  # fmt: skip
    names = [name for name in (WHOLE, *(one for one in reversed(studies) if one != WHOLE)) if studies[name]["trials"]]
    if not names:
        return
    study = studies[str(st.segmented_control("Trials", names, default=names[0], required=True, key=f"study-{key}"))]
    trials = trials_table(study, found["space"])
    named = {name: TITLES.get(name, name) for name in found["space"]}
    left, right = st.columns(2)
    with left:
        widgets.figure(
            charts.history(trials, simulated), "search-history", trials, simulated=simulated,
            caption="A trial is one setting, scored on the inner folds; the first is the built-in model's. A trial was "
            "stopped early where it fell below the median of those before it; its score is the mean of the folds that "
            "it reached. Optuna proposes the next setting from those before.",
        )  # fmt: skip
    with right:
        shares = {TITLES.get(name, name): share for name, share in study.get("importance", {}).items()}
        table = pd.DataFrame({"setting": list(shares), "importance": list(shares.values())})
        widgets.figure(
            charts.importance(shares, simulated), "search-importance", table, simulated=simulated,
            caption="How much of the variation of the complete trials' scores a setting explains (fANOVA); rough with "
            "few trials.",
        )  # fmt: skip
    shares = study.get("importance", {})
    order = sorted(found["space"], key=lambda name: -shares.get(name, 0.0))[:MOST_DRAWN]
    rest = len(found["space"]) - len(order)
    widgets.figure(
        charts.by_setting(
            trials.rename(columns=named), {named[name]: found["space"][name] for name in order}, simulated
        ),
        "search-settings", trials, simulated=simulated, needs_room=True,
        finding=_best(trials, order),
        caption="A panel for each setting, the most important first; a point for each trial. The star is the best "
        "trial." + (f" The {rest} least important settings are in the CSV." if rest else ""),
    )  # fmt: skip
    known = named_settings(found["system"])
    st.caption("  \n".join(f"**{named[name]}:** {_meaning(known[name])}." for name in order if name in known))


def _meaning(one: NamedSetting) -> str:
    """What a setting does, in plain words where it has any."""
    return _PLAIN.get(one.name) or one.setting.meaning


def _best(trials: pd.DataFrame, order: list[str]) -> str:
    """The best trial and what it set of the settings that matter most."""
    complete = trials[trials["state"] == "complete"]
    if complete.empty:
        return ""
    best = complete.loc[complete["score"].idxmax()]
    listed = ", ".join(
        f"{TITLES.get(name, name)} {best[name]:.2g}" if isinstance(best[name], float) else
        f"{TITLES.get(name, name)} {best[name]}" for name in order[:3]
    )  # fmt: skip
    return f"Best of {len(trials)} trials: {percent(best['score'])} with {listed}."


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


def _scores(found: Mapping[str, Any]) -> None:
    """The conclusion: scores on cells that the search never saw beside those it chose by."""
    rows = pd.DataFrame([_row(*one) for one in (
        ("Inner folds, which chose the settings", found["inner"]),
        ("Outer folds, never seen by the search", found["outer"]),
        ("Outer folds, built-in settings", found["recipe"]),
    )])  # fmt: skip
    if (rows[_OPEN] == DASH).all():
        rows = rows.drop(columns=_OPEN)
    gain = found["difference"]
    st.markdown(f"**Searched minus built-in settings: accuracy {points(gain)}; {_said(gain)}.**")
    st.table(rows, hide_index=True)
    st.caption(f"In parentheses: 95% CI over donors. {SCORE}: {escaped(found['score'].partition(': ')[2] or MEANING)}.")


def _folds(found: Mapping[str, Any]) -> None:
    """Inner and outer score of each outer fold, and how to read them."""
    folds = pd.DataFrame(
        [{"fold": one["outer"] + 1, "inner": one["inner_score"], "outer": one["outer_score"]}
         for one in found["studies"] if one["outer"] is not None]
    )  # fmt: skip
    left, right = st.columns(2)
    with right:
        st.markdown(_READING)
    with left:
        simulated = bool(found["cells"]["simulated"])
        widgets.figure(
            charts.inner_and_outer(folds, simulated), "search-folds", folds, simulated=simulated,
            caption=f"Settings chosen in each outer fold: inner score by {found['search']['members']} networks, outer "
            "score by the whole ensemble.",
        )  # fmt: skip


def _chosen(found: Mapping[str, Any], key: str) -> None:
    """The settings that the search on all cells chose, to be used."""
    if "chosen" not in found:
        return
    st.markdown("**Settings chosen on all cells**")
    lines = (written_setting(name, value).partition("=") for name, value in found["chosen"].items())
    table = pd.DataFrame([{"Setting": TITLES.get(name, name), "Value": value} for name, _, value in lines])
    st.dataframe(table, hide_index=True, height="content")
    st.button(
        "Use these settings", icon=":material/tune:", key=f"use-{key}", on_click=take_over,
        args=(found["system"], found["chosen"]), help="Fills the form of training; nothing is trained yet.",
    )  # fmt: skip


def _said(gain: Mapping[str, float]) -> str:
    if gain["low"] > 0:
        return "the search found better settings"
    return "the search made it worse" if gain["high"] < 0 else "no detectable difference"


def _row(title: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    others = {
        name: percent(figures[name.replace(" ", "_").lower()]["mean"]) if "accuracy" in figures else DASH
        for name in ("Accuracy", "Macro F1")
    }
    used = figures.get("open_gates")
    return {
        "Evaluated on": title,
        SCORE: with_interval(figures["balanced_accuracy"]),
        **others,
        _OPEN: DASH if used is None else f"{used:.0f} of {len(FEATURE_NAMES)}",
    }
