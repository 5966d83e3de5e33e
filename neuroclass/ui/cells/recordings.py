"""Fetch a database cell's recording: progress, cancel, resume, and the cache limit."""

import streamlit as st

from neuroclass.config import RECORDINGS_VARIABLE, recordings_folder
from neuroclass.io.allen import default_cache
from neuroclass.io.fetching import (
    GIGABYTE,
    Fetches,
    FetchState,
    cache_limit,
    partial_bytes,
    set_cache_limit,
)
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

POLL_S = 0.5


@st.cache_resource
def fetches() -> Fetches:
    """The server's background fetches."""
    return Fetches()


def offer(specimen: str) -> None:
    """Say that a recording is not available, and offer to fetch it."""
    one = fetches().look(specimen)
    running = one is not None and one.state is FetchState.RUNNING
    with st.container(border=True):
        st.markdown(f"**The recording of specimen {escaped(specimen)} is not on this machine.**")
        folder = recordings_folder()
        where = f"Looked for in {escaped(folder)} ({RECORDINGS_VARIABLE}) and in the cache." if folder else (
            f"To use local NWB files, set {RECORDINGS_VARIABLE} to their folder."
        )  # fmt: skip
        st.caption("An NWB file of 20 to 300 MB from the Allen Cell Types Database.", help=where)
        st.fragment(_progress, run_every=POLL_S if running else None)(specimen, running)
        _limit()


def _progress(specimen: str, was_running: bool) -> None:
    one = fetches().look(specimen)
    state = one.state if one else None
    if was_running and state is not FetchState.RUNNING:
        st.rerun(scope="app")
    if one and state is FetchState.RUNNING:
        with st.container(horizontal=True, vertical_alignment="center"):
            of = f" of {one.total_bytes / 1e6:.1f}" if one.total_bytes else ""
            share = min(1.0, one.done_bytes / one.total_bytes) if one.total_bytes else 0.0
            st.progress(share, text=f"{one.done_bytes / 1e6:.1f}{of} MB")
            st.button("Cancel", icon=":material/stop:", on_click=fetches().cancel, args=(specimen,))
        return
    if one and state is FetchState.FAILED:
        st.error(escaped(one.message, 800), icon=":material/warning:")
    here = partial_bytes(default_cache(), specimen)
    label = f"Resume at {here / 1e6:.1f} MB" if here else "Fetch the recording"
    if st.button(label, icon=":material/download:", type="primary", key=f"fetch-{specimen}"):
        with guarded(stop=False):
            fetches().start(default_cache(), specimen)
            st.rerun(scope="app")


def _limit() -> None:
    store = default_cache()
    used, limit = store.size_bytes(), cache_limit(store)
    with st.expander(f"Cache: {used / GIGABYTE:.2f} of {limit / GIGABYTE:g} GB used", icon=":material/database:"):
        wanted = st.number_input(
            "Keep at most (GB)",
            min_value=0.0,
            value=limit / GIGABYTE,
            step=1.0,
            help="Beyond it, the recordings used longest ago are deleted.",
        )
        st.caption(f"In {escaped(store.folder)}; {len(store.recordings())} recordings.")
        if st.button("Set the limit", disabled=round(wanted * GIGABYTE) == limit):
            with guarded(stop=False):
                gone = set_cache_limit(store, round(wanted * GIGABYTE))
                st.toast(f"Limit {wanted:g} GB; {len(gone)} recordings deleted.")
                st.rerun()
