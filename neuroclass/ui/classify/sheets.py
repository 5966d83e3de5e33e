"""Which sheet of a spreadsheet is classified, where it has several."""

from collections.abc import Sequence

import streamlit as st

from neuroclass.classification.inputs import CellInput, InputFile
from neuroclass.errors import NeuroClassError
from neuroclass.io.feature_table import sheets_of
from neuroclass.ui import cache
from neuroclass.ui.text import escaped

FIRST = ""
"""The first sheet with a feature column."""


def _key(digest: str) -> str:
    return f"sheet-{digest}"


@st.cache_data(max_entries=200, show_spinner="Looking for sheets", hash_funcs=cache.HASHES)
def _titles(file: InputFile) -> list[str]:
    return sheets_of(file.content, file.name)


def titles(file: InputFile) -> list[str]:
    """Titles of a spreadsheet's sheets; empty for other files and for those that reading will refuse in words."""
    try:
        return _titles(file)
    except (NeuroClassError, OSError):
        return []


def choose(cell_inputs: Sequence[CellInput]) -> None:
    """Offer the sheets of every spreadsheet that has several."""
    files = {file.digest: file for one in cell_inputs for file in one.files if not one.cell}
    several = {digest: found for digest, file in files.items() if len(found := titles(file)) > 1}
    for digest, found in several.items():
        if st.session_state.get(_key(digest)) not in (*found, None):
            st.session_state.pop(_key(digest))
        st.selectbox(
            f"Sheet of {escaped(files[digest].name, 80)}",
            [FIRST, *found],
            key=_key(digest),
            format_func=lambda title: title or "the first with a feature column",
            persist_state="session",
        )


def chosen(cell_input: CellInput) -> str:
    """The sheet that the user chose for an input; empty for the first with a feature column."""
    return "" if cell_input.cell else str(st.session_state.get(_key(cell_input.digest)) or FIRST)


def restore(cell_input: CellInput, sheet: str) -> None:
    """Choose a sheet ahead of offering it."""
    st.session_state[_key(cell_input.digest)] = sheet
