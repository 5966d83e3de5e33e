"""The one place where a `NeuroClassError` becomes a notice on a page."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from neuroclass.errors import NeuroClassError
from neuroclass.ui.text import escaped


@contextmanager
def guarded(stop: bool = True) -> Iterator[None]:
    """Show an error that a user can act on instead of failing.

    Parameters
    ----------
    stop : bool
        Whether the rest of the page is left out.
    """
    try:
        yield
    except NeuroClassError as error:
        st.error(f"**{error.kind}.** {escaped(error, limit=1200)}", icon=":material/warning:")
        if stop:
            st.stop()


def need(condition: bool, advice: str) -> None:
    """Stop the page with advice where it has nothing to show.

    Parameters
    ----------
    condition : bool
        Whether there is something.
    advice : str
        What to do to get something; markdown of our own.
    """
    if not condition:
        st.info(advice, icon=":material/info:")
        st.stop()
