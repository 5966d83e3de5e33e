"""Example recordings: offered on the front page and on Classify, classified by one click."""

import numpy as np
import streamlit as st

from neuroclass.classification.inputs import InputFile
from neuroclass.cohort.demo import simulate_demo_squares
from neuroclass.cohort.examples import EXAMPLES, example_recording
from neuroclass.config import SHIPPED_DIR
from neuroclass.ui import little_trace
from neuroclass.ui.address import page_of
from neuroclass.ui.history import store
from neuroclass.ui.identity import visitor

ADDRESS = "example"
_CLASSIFY = SHIPPED_DIR / "pages" / "classify.py"
_ABOVE_PA, _SHOWN_S = 40.0, (-0.1, 0.6)
"""The long square that is drawn, by how far it is above rheobase, and the stretch around its onset."""
_ALT = "Its response to a long square"
_ICONS = {"fast-spiking": "bolt", "pyramidal": "change_history", "awkward": "warning"}


@st.cache_resource(show_spinner=False)
def _picture(name: str) -> str:
    """A small drawing of the example's response to a long square, as SVG that takes the room it has."""
    example = EXAMPLES[name]
    sweep = example.change(simulate_demo_squares(example.cell_id, _ABOVE_PA)).sweeps[-1]
    onset = int(np.argmax(sweep.i_pa > 0.5 * sweep.i_pa.max()))
    first, last = (max(0, onset + round(end * sweep.rate_hz)) for end in _SHOWN_S)
    return little_trace.svg(sweep.v_mv[first:last])


def offered(here: bool) -> None:
    """Show a button an example; the page Classify opens with it, unless this is that page.

    Parameters
    ----------
    here : bool
        Whether the buttons are on the page Classify.
    """
    for column, (name, example) in zip(st.columns(len(EXAMPLES)), EXAMPLES.items(), strict=True):
        with column, st.container(border=True, height="stretch"):
            st.image(_picture(name), width="stretch", alt=_ALT)
            if st.button(example.title, key=f"{ADDRESS}-{name}", icon=f":material/{_ICONS[name]}:", width="stretch"):
                _open(name, here)
            st.caption(f"{example.shows} Simulated.")


def listed() -> None:
    """The examples one below the other, each above what it shows; the page Classify opens with the chosen one."""
    for name, example in EXAMPLES.items():
        left, right = st.columns([2, 3], vertical_alignment="center")
        left.image(_picture(name), width="stretch", alt=_ALT)
        with right:
            if st.button(example.title, key=f"{ADDRESS}-{name}", icon=f":material/{_ICONS[name]}:", width="stretch"):
                _open(name, here=False)
            st.caption(example.shows)


def _open(name: str, here: bool) -> None:
    if here:
        st.query_params[ADDRESS] = name
        st.rerun()
    st.switch_page(page_of(_CLASSIFY), query_params={ADDRESS: name})


def is_chosen() -> bool:
    """Whether the address names an example."""
    return st.query_params.get(ADDRESS, "") in EXAMPLES


def chosen() -> list[InputFile]:
    """The example that the address names, in this browser's spool; none without one."""
    name = st.query_params.get(ADDRESS, "")
    if name not in EXAMPLES:
        return []
    return [_kept(name, visitor().owner)]


@st.cache_resource(max_entries=50, ttl=3600, show_spinner="Simulating the example")
def _digest(name: str, owner: str) -> str:
    with example_recording(name).open("rb") as file:
        return store.spool().put(file, owner)[0]


def _kept(name: str, owner: str) -> InputFile:
    digest = _digest(name, owner)
    if not store.spool().path(digest).is_file():
        _digest.clear(name, owner)
        digest = _digest(name, owner)
    return InputFile(f"{name}.nwb", store.spool().path(digest), digest)


def leave() -> None:
    """Say which example is shown, and offer to close it."""
    name = st.query_params.get(ADDRESS, "")
    if name in EXAMPLES:
        with st.container(horizontal=True, vertical_alignment="center", key="example"):
            st.markdown(
                f":small[:material/science: {EXAMPLES[name].title}: a **simulated** example]",
                width="content",
                help=EXAMPLES[name].shows,
            )
            st.button("Close example", type="tertiary", key=f"{ADDRESS}-leave", on_click=_put_away, args=(name,))


def _put_away(name: str) -> None:
    """Take an example from the page: from the address, and from what the history reopens."""
    digest = _kept(name, visitor().owner).digest
    for key in (ADDRESS, "entry"):
        st.query_params.pop(key, None)
    st.session_state.pop("own_entry", None)
    for key in ("reopened", "shown"):
        st.session_state[key] = [one for one in st.session_state.get(key, ()) if one.digest != digest]
