"""Turn a `NeuroClassError` into a notice on a page; nothing else does."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from neuroclass.errors import NeuroClassError
from neuroclass.ui.text import escaped


@contextmanager
def guarded(stop: bool = True) -> Iterator[None]:
    """Show a `NeuroClassError` as a notice instead of failing.

    Parameters
    ----------
    stop : bool
        Whether to stop the page afterwards.
    """
    try:
        yield
    except NeuroClassError as error:
        st.error(f"**{error.title}.** {escaped(error.plain, limit=1200)}", icon=":material/warning:")
        if stop:
            st.stop()


def need(condition: bool, advice: str) -> None:
    """Stop the page with advice if it has nothing to show.

    Parameters
    ----------
    condition : bool
        Whether there is something to show.
    advice : str
        What to do instead; trusted markdown.
    """
    if not condition:
        advise(advice)
        st.stop()


def advise(advice: str) -> None:
    """Say what to do where there is nothing to show; trusted markdown."""
    st.info(advice, icon=":material/info:")
