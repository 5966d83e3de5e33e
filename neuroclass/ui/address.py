"""Widget values kept in the page's address by their plain names, where a bound widget would write its label."""

from collections.abc import Collection

import streamlit as st


def take(key: str, options: Collection[str], default: str, in_address: bool = True) -> None:
    """Give a widget its value before it is drawn: its own, else the address', else a default.

    Parameters
    ----------
    key : str
        Key of the widget and name in the address.
    options : collection of str
        What it may be.
    default : str
        What it is where neither says one of them.
    in_address : bool
        Whether the address is asked.
    """
    told = st.session_state[key] if key in st.session_state else (in_address and st.query_params.get(key))
    value = told if told in options else default
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def put(key: str, value: str, default: str) -> None:
    """Write a value into the address; a default is left out."""
    if value == default:
        if key in st.query_params:
            del st.query_params[key]
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def take_span(names: tuple[str, str], limits: tuple[float, float]) -> tuple[float, float] | None:
    """Two numbers of the address within limits, the first below the second; else None."""
    try:
        low, high = (float(st.query_params[name]) for name in names)
    except (KeyError, ValueError):
        return None
    return (low, high) if limits[0] <= low < high <= limits[1] else None


def forget(*keys: str) -> None:
    """Take names out of the address."""
    for key in keys:
        if key in st.query_params:
            del st.query_params[key]
