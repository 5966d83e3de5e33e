"""The browser tab's title: the cell, the page, the application."""

import streamlit as st

LONGEST_CELL = 40


def title(page: str, cell: str | None) -> str:
    """Title of the tab of a page on which a cell may be open."""
    name = " ".join((cell or "").split())
    name = name if len(name) <= LONGEST_CELL else f"{name[: LONGEST_CELL - 1]}…"
    return " · ".join(filter(None, (name, page, "NeuroClass")))


def show(page: str) -> None:
    """Set the tab's title from the page and the cell in its address."""
    st.set_page_config(page_title=title(page, st.query_params.get("cell")))
