"""The reproduction of the paper: the stored one, and one made on the loaded cells."""

import json
from collections.abc import Mapping
from typing import Literal

import pandas as pd
import streamlit as st

from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import ModelFileError
from neuroclass.report.paper import ARXIV, CITATION, paper_page
from neuroclass.report.paper_format import NOT_REPRODUCED, NOTHING, REPRODUCED, RULE, WITH_SELECTION, Section
from neuroclass.report.paper_sections import preface, protocols, sections, warning
from neuroclass.reports.paper import seconds_for
from neuroclass.reports.paper_store import Reproduction, kept_folder, kept_reproduction, shipped_reproduction
from neuroclass.training.job import UNDER_WAY, State
from neuroclass.ui import cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.identity import visitor
from neuroclass.ui.models import jobs
from neuroclass.ui.text import escaped

STORED, LOADED = "stored", "loaded"
NAMES = {STORED: "Allen Cell Types Database (built-in)", LOADED: "The loaded cells"}
_LABELS = {"shap": "SHAP", "selection": "Test-set selection"}
_BADGES: Mapping[str, tuple[str, Literal["green", "orange", "red", "gray"]]] = {
    REPRODUCED: ("check", "green"),
    WITH_SELECTION: ("filter_alt", "orange"),
    NOT_REPRODUCED: ("close", "red"),
    NOTHING: ("remove", "gray"),
}
_ABOUT = "paper-{}"
SUMMARY = "Summary"


def choose(cells: Cohort) -> Reproduction:
    """The reproduction to show; offers to make the one of the loaded cells."""
    made, shipped = kept_reproduction(cells), _shipped()
    same = shipped is not None and shipped.numbers["cells"]["sha256"] == cells.digest()
    if made is None and not same:
        offer(cells)
    if made is None and shipped is None:
        st.info("There is no stored reproduction here; make one of the loaded cells above.", icon=":material/info:")
        st.stop()
    which = STORED if made is None else LOADED
    if made is not None and shipped is not None:
        which = widgets.choice("Cells", [STORED, LOADED], "cells", format_func=NAMES.__getitem__)
    found = made if which == LOADED else shipped
    assert found is not None
    return found


def _shipped() -> Reproduction | None:
    try:
        return shipped_reproduction()
    except ModelFileError:
        return None


def offer(cells: Cohort) -> None:
    """Make the reproduction of the loaded cells as a job, or show how far it is."""
    folder = kept_folder(cells)
    about = _ABOUT.format(folder.name)
    job = jobs.registry().about(about)
    if job is not None and job.state in UNDER_WAY:
        jobs.watch(job, "The paper is being reproduced with the loaded cells (percent done)")
        return
    if job is not None and job.state is State.FAILED:
        st.error("The reproduction could not be made; its process' last words:", icon=":material/warning:")
        st.code(job.message or "none", language=None)
    simulated = " simulated" if cells.simulated else ""
    source = escaped(cells.title, 120)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Make it with the loaded cells**, {len(cells):,}{simulated} cells of {source}: about "
            f"{jobs.minutes(seconds_for(cells))} on two processor cores. It goes on when you leave, and continues "
            "where it was cut off."
        )
        if st.button("Reproduce", icon=":material/play_arrow:", key="reproduce"):
            with guarded(stop=False):
                words = ["paper", "--out", str(folder), "--status", "{status}", *jobs.data_arguments()]
                jobs.registry().queue(words, about, visitor(), "reproduce")
                st.rerun()


def head(found: Reproduction) -> None:
    """Say on which cells, and warn where they are simulated."""
    if told := warning(found):
        st.warning(told.replace("--data", "`--data`"), icon=":material/science:")
    st.markdown(f"{escaped(preface(found), 1500)} [Read the paper]({ARXIV}).")


def foot(found: Reproduction) -> None:
    """What is quoted, and the downloads of the whole page."""
    with st.container(horizontal=True):
        st.download_button(
            "This page as HTML",
            lambda: paper_page(found).encode(),
            file_name="neuroclass-paper.html",
            mime="text/html",
            icon=":material/download:",
            on_click="ignore",
            help="One file with all tables and figures, which needs no network",
        )
        st.download_button(
            "All numbers (JSON)",
            lambda: json.dumps(dict(found.numbers), indent=1, ensure_ascii=False).encode(),
            file_name="neuroclass-paper.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    st.caption(escaped(CITATION, 600))


def show(found: Reproduction) -> None:
    """One section at a time, kept in the page's address."""
    every = {label_of(one): one for one in sections(found)}
    chosen = widgets.choice("Table or figure", [SUMMARY, *every], "part")
    if chosen == SUMMARY:
        _summary(every)
    else:
        _section(every[chosen], found)


def _summary(every: Mapping[str, Section]) -> None:
    """What each table and figure is about, whether it was reproduced, and what came out, a line each."""
    rows = []
    for name, one in every.items():
        told = [(of, outcome) for of, outcome in one.outcomes.items() if outcome != NOTHING]
        said = "; ".join(f"{escaped(of)}: {_badge(outcome)}" if of else _badge(outcome) for of, outcome in told)
        rows.append((f"**{escaped(name)}**", escaped(one.title.split(": ", 1)[-1], 200), said or "–", one.finding))
    every_outcome = [outcome for one in every.values() for outcome in one.outcomes.values() if outcome != NOTHING]
    if every_outcome:
        counts = {name: every_outcome.count(name) for name in (REPRODUCED, WITH_SELECTION, NOT_REPRODUCED)}
        widgets.say(
            f"Reproduced of {len(every_outcome)} printed accuracies: {counts[REPRODUCED]}; "
            f"{counts[WITH_SELECTION]} only where the model was chosen by its test cells; "
            f"{counts[NOT_REPRODUCED]} not."
        )
    table = pd.DataFrame(rows, columns=["", "Shows", "Reproduced?", "Finding"])
    table["Finding"] = table["Finding"].map(lambda text: escaped(text, 500))
    st.table(table.set_index(""))
    st.caption(f"{escaped(RULE, 500)} –: printed as a picture, without numbers to compare with.")


def _badge(outcome: str) -> str:
    """An outcome in its colour."""
    icon, colour = _BADGES[outcome]
    return f":{colour}-badge[:material/{icon}: {outcome}]"


def label_of(one: Section) -> str:
    """A section's short name, such as Table 1."""
    return _LABELS.get(one.key, one.key.replace("-", " ").capitalize())


def _section(one: Section, found: Reproduction) -> None:
    st.subheader(one.title, anchor=False)
    _outcomes(one)
    widgets.say(one.finding)
    above = one.key.startswith("table")
    if above:
        _drawings(one, found)
    table = _table(one)
    if one.note:
        st.caption(escaped(one.note, 900))
    points = "\n".join(f"- {_with_bold(point)}" for point in one.why)
    st.markdown(f"**{one.heading}**\n{points}")
    if not above:
        _drawings(one, found)
    with st.expander("Cells and protocols", icon=":material/info:", expanded=True):
        words = " ".join(map(str, (*one.together.columns, *one.together.to_numpy().ravel())))
        named = {name: text for name, text in protocols(found).items() if name in words}
        ways = "\n".join(f"- **{escaped(name)}:** {escaped(text, 900)}" for name, text in named.items())
        st.markdown(f"{escaped(one.shows, 1500)}\n\n{ways}")
    widgets.csv_button(f"paper-{one.key}", table, label="Table (CSV)", simulated=found.simulated)


def _drawings(one: Section, found: Reproduction) -> None:
    for drawing in one.drawings:
        widgets.figure(
            drawing.draw(),
            f"paper-{drawing.name}",
            caption=escaped(drawing.caption),
            simulated=found.simulated or drawing.name == "noise",
            needs_room=True,
        )


def _with_bold(point: str) -> str:
    """A point whose first words may be bold."""
    plain, *bold = point.split("**")
    return escaped(plain, 900) if len(bold) != 2 else f"**{escaped(bold[0])}** {escaped(bold[1], 900)}"


def _outcomes(one: Section) -> None:
    """Whether what is printed was reproduced, a badge for each number."""
    with st.container(horizontal=True):
        for name, said in one.outcomes.items():
            icon, colour = _BADGES[said]
            st.badge(
                f"{escaped(name)}: {said}" if name else said, icon=f":material/{icon}:", color=colour, width="content"
            )


def _table(one: Section) -> pd.DataFrame:
    """Show one metric's table, chosen where there are several; returns all of them in one."""
    names = list(one.tables)
    metric = widgets.choice("Metric", names, "metric") if len(names) > 1 else names[0]
    st.table(one.tables[metric], hide_index=True)
    return one.together


def page() -> None:
    """The whole page."""
    cells = cache.cohort()
    widgets.source_notice(cells)
    found = choose(cells)
    head(found)
    show(found)
    foot(found)
