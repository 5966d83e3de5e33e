"""The sections of the Train page, kept in its address."""

import streamlit as st

from neuroclass.ui.address import forget, put
from neuroclass.ui.train.registry import JOB, SEARCH
from neuroclass.ui.train.runs_table import COMPARED

TRAIN, RUNS, SEARCHES = "Train", "Runs", "Search"
SECTION = "section"
"""The section in the address."""
_WIDGET, _NEXT = "train_section", "train_section_next"
_INPUTS = (
    "train_model", "train_cells", "model_name", "validation-", "patience", "protocol", "compare_own", "align", "lspin-",
    "dann-", "search_model", "search_name", "search-",
)  # fmt: skip
"""Keys of what the forms ask, or how they begin."""


def choose() -> str:
    """Choose a section; a run or a search in the address opens its own."""
    for key in [str(key) for key in st.session_state if str(key).startswith(_INPUTS)]:
        st.session_state[key] = st.session_state[key]  # else a form forgets what was put in while it is out of sight
    wanted = st.session_state.pop(_NEXT, None) or st.session_state.get(_WIDGET) or st.query_params.get(SECTION)
    if wanted not in (TRAIN, RUNS, SEARCHES):
        wanted = RUNS if JOB in st.query_params else SEARCHES if SEARCH in st.query_params else TRAIN
    st.session_state[_WIDGET] = wanted
    chosen = str(
        st.segmented_control(
            "Section",
            [TRAIN, RUNS, SEARCHES],
            key=_WIDGET,
            required=True,
            label_visibility="collapsed",
            format_func={TRAIN: "New model", RUNS: "Runs", SEARCHES: "Search for settings"}.__getitem__,
        )
    )
    put(SECTION, chosen, TRAIN)
    others = {TRAIN: (JOB, COMPARED, SEARCH), RUNS: (SEARCH,), SEARCHES: (JOB, COMPARED)}
    forget(*others[chosen])
    return chosen


def go(section: str) -> None:
    """Show another section from now on."""
    st.session_state[_NEXT] = section
    st.rerun()


def show_next(section: str) -> None:
    """Show another section in the run of the page that follows; for callbacks."""
    st.session_state[_NEXT] = section
