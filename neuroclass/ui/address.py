"""Keep widget values in the page's URL under plain names; a bound widget would write its label."""

from collections.abc import Collection
from pathlib import Path

import streamlit as st

from neuroclass.config import SHIPPED_DIR


def take(key: str, options: Collection[str], default: str, in_address: bool = True) -> None:
    """Set a widget's value before it is drawn: its own, else the URL's, else a default.

    Parameters
    ----------
    key : str
        Key of the widget and name of the URL parameter.
    options : collection of str
        Allowed values.
    default : str
        Value if neither is allowed.
    in_address : bool
        Whether to read the URL.
    """
    requested = st.session_state[key] if key in st.session_state else (in_address and st.query_params.get(key))
    value = requested if requested in options else default
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def put(key: str, value: str, default: str) -> None:
    """Write a value to the URL; the default is left out."""
    if value == default:
        if key in st.query_params:
            del st.query_params[key]
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def take_span(names: tuple[str, str], limits: tuple[float, float]) -> tuple[float, float] | None:
    """Read two increasing numbers within limits from the URL; else None."""
    try:
        low, high = (float(st.query_params[name]) for name in names)
    except (KeyError, ValueError):
        return None
    return (low, high) if limits[0] <= low < high <= limits[1] else None


def forget(*keys: str) -> None:
    """Remove parameters from the URL."""
    for key in keys:
        if key in st.query_params:
            del st.query_params[key]


def page_of(path: Path) -> str:
    """A page's address for `st.switch_page` and `st.page_link`, relative to the main script."""
    return str(Path("..") / path.relative_to(SHIPPED_DIR))
