"""The form of a search for settings, and its setting taken over into the form of training."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from neuroclass.config import SearchSettings, ValidationSettings, data_folder, declared
from neuroclass.training.command_line import command
from neuroclass.training.runs import MOST_NAME, RunConfig
from neuroclass.training.settings import OURS, checked
from neuroclass.types.models import DANN, LSPIN, QUESTIONS
from neuroclass.types.progress import duration
from neuroclass.ui import cache
from neuroclass.ui.guards import guarded
from neuroclass.ui.history.browser_identity import browser_id
from neuroclass.ui.train.plan import processes
from neuroclass.ui.train.registry import SEARCH, registry
from neuroclass.ui.train.sections import TRAIN, show_next

_NUMBERS = {"trials": "Trials", "outer_folds": "Outer folds", "inner_folds": "Inner folds", "members": "Networks"}


def form(asked: str = "") -> str:
    """Choose what to search for, and start.

    Parameters
    ----------
    asked : str
        The system to begin with; LSPIN if empty.

    Returns
    -------
    str
        The system.
    """
    st.session_state.setdefault("search_model", asked or LSPIN.name)
    with st.container(border=True), guarded(stop=False):
        system = str(
            st.segmented_control(
                "Task", [LSPIN.name, DANN.name], required=True, format_func=QUESTIONS.__getitem__, key="search_model"
            )
        )
        name = st.text_input("Name of the search", max_chars=MOST_NAME, key="search_name", placeholder="optional")
        search = _numbers()
        config = RunConfig(
            system,
            validation=ValidationSettings(0.0),
            name=name.strip(),
            data=str(folder.resolve()) if (folder := data_folder()) else "",
            jobs=processes(),
            search=search,
        )
        st.markdown(
            f"**This search:** {search.trials} settings of {system.upper()} are tried in each of {search.outer_folds} "
            f"outer folds, and once more on all cells.  \n**You get:** the settings to use, and whether they beat the "
            "built-in ones on donors that the search never saw."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Start search", type="primary", icon=":material/manage_search:", key="start_search"):
                st.session_state[SEARCH] = registry().start(config, owner=browser_id())
            if st.button("How long will it take?", icon=":material/timer:", key="search_time"):
                usual, most = _seconds(system, search, config.jobs, cache.cohort().digest())
                st.markdown(
                    f"About {duration(usual)}, at most {duration(most)}, with {config.jobs} "
                    f"process{'es' if config.jobs > 1 else ''}. It can be paused and resumed."
                )
        with st.expander("Terminal command", icon=":material/terminal:"):
            st.code(command(config), language=None, wrap_lines=True)
    return system


def _numbers() -> SearchSettings:
    known, usual = declared(SearchSettings), SearchSettings()
    values = {}
    for column, (name, title) in zip(st.columns(len(_NUMBERS)), _NUMBERS.items(), strict=True):
        one = known[name]
        st.session_state.setdefault(f"search-{name}", int(getattr(usual, name)))
        values[name] = int(
            column.number_input(
                title, int(one.low), int(one.high), step=1, key=f"search-{name}",
                help=f"{one.meaning}.",
            )
        )  # fmt: skip
    return SearchSettings(**values)


@st.cache_data(show_spinner="Timing a few short fits", max_entries=16)
def _seconds(system: str, search: SearchSettings, jobs: int, digest: str) -> tuple[float, float]:  # noqa: ARG001
    """How long the search takes, from short fits on the loaded cells, which the digest tells apart."""
    from neuroclass.evaluation.nested import plan_nested, search_seconds

    return search_seconds(plan_nested(system, cache.cohort(), {}, search), jobs)


def take_over(system: str, chosen: Mapping[str, Any]) -> None:
    """Fill the form of training, and show it; to be called before it is drawn."""
    show_next(TRAIN)
    st.session_state["train_model"] = system
    st.session_state[f"{system}-preset"] = OURS
    for name, value in checked(system, chosen).items():
        st.session_state[f"{system}-{name}"] = ", ".join(map(str, value)) if isinstance(value, tuple) else value
