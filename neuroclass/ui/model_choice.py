"""The one picker of models: what pages judge with and show, kept in the address and over page switches."""

from typing import TYPE_CHECKING

import streamlit as st

from neuroclass.errors import LibraryError
from neuroclass.library.entry import SHIPPED, ModelEntry
from neuroclass.library.library import ModelLibrary
from neuroclass.types.models import DANN, HUMAN_SUBCLASS, LSPIN
from neuroclass.ui.text import escaped

if TYPE_CHECKING:
    from neuroclass.classification.models import Models

PARAM = "model"
_CHOSEN, _WIDGET = "chosen-model", "model-picker"
SHIPPED_TITLES = tuple(spec.title for spec in (DANN, LSPIN, HUMAN_SUBCLASS))
"""What the address may hold where a page shows one of the shipped models."""
_OTHER = {DANN.task: "subclasses", LSPIN.task: "broad classes"}
_TELLS = {DANN.task: "broad class", LSPIN.task: "mouse subclass"}


def entry() -> ModelEntry:
    """The model that this page uses: the one picked, else the address', else the lab's default."""
    return _found()[0]


def models() -> "Models":
    """The models that judge on this page: the chosen one for its task, the shipped ones for all else."""
    from neuroclass.classification.models import load_models

    chosen = entry()
    return load_models(chosen=() if chosen.shipped else (chosen,))


def use(entry_id: str) -> None:
    """Use a model from now on, on every page."""
    st.session_state[_CHOSEN] = entry_id


def _wanted(library: ModelLibrary) -> str:
    picked = st.session_state.get(_CHOSEN)
    if picked is not None:
        return str(picked)
    given = st.query_params.get(PARAM)
    if given is None:
        return library.default
    return SHIPPED if given in SHIPPED_TITLES else given


def _found() -> tuple[ModelEntry, str]:
    """The model, and what is wrong with the one that was asked for; empty if nothing."""
    library = ModelLibrary()
    try:
        return library.usable(_wanted(library)), ""
    except LibraryError as error:
        return library.get(library.default), str(error)


def pick() -> ModelEntry:
    """Show the picker in the sidebar, and keep the choice in the address.

    Returns
    -------
    ModelEntry
        The shipped models where nothing else is chosen or promoted.
    """
    library = ModelLibrary()
    current, trouble = _found()
    usable = {one.id: one for one in library.entries() if not one.trouble}
    if trouble:
        st.warning(
            f"The model that was asked for is not used; {escaped(current.name)} is. {escaped(trouble, 500)}",
            icon=":material/link_off:",
        )
    if st.session_state.get(_WIDGET) != current.id:
        st.session_state[_WIDGET] = current.id
    default = library.default
    with st.sidebar:
        st.selectbox(
            "Models in use",
            list(usable),
            key=_WIDGET,
            format_func=lambda one: _label(usable.get(one), default),
            on_change=_picked,
            help="Judges in place of the built-in model of its task, on every page; the Models page lists them.",
        )
        st.caption(_said(current))
    _keep_in_address(current, default)
    return current


def _picked() -> None:
    use(st.session_state[_WIDGET])


def _label(one: ModelEntry | None, default: str) -> str:
    if one is None:
        return "gone"
    mark = ", the lab's default" if one.id == default and not one.shipped else ""
    return f"{one.name}{mark}" if one.shipped else f"{one.name} ({_TELLS[one.task]}{mark})"


def _said(one: ModelEntry) -> str:
    if one.shipped:
        return "DANN, LSPIN and the human subclass model, fitted to the available features."
    cells = one.card.get("training_cells") or {}
    simulated = ", simulated" if cells.get("simulated") else ""
    return (
        f"{escaped(one.system)} {escaped(one.short)}, trained on {cells.get('n_cells', '?')} cells of "
        f"{escaped(cells.get('source', '?'), 80)}{simulated}. {_OTHER[one.task].capitalize()} are classified by the "
        "built-in models."
    )


def _keep_in_address(current: ModelEntry, default: str) -> None:
    """Write the choice to the address where it is not the default; a shipped model's title there is the page's own."""
    given = st.query_params.get(PARAM)
    if current.shipped and given in SHIPPED_TITLES:
        return
    if current.id == default:
        if given is not None:
            del st.query_params[PARAM]
    elif given != current.id:
        st.query_params[PARAM] = current.id
