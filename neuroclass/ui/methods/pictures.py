"""Where each feature is measured, as stored figures of a simulated cell."""

from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

from neuroclass.config import SHIPPED_DIR
from neuroclass.features import BY_NAME

FOLDER = SHIPPED_DIR / "docs" / "features"
HEIGHT_PX = 400


def partner_of(name: str) -> str | None:
    """The potential's feature for a current's at the same sample of the spike, and the other way round; else None."""
    for mine, other in (("_v", "_i"), ("_i", "_v")):
        for stem in ("threshold", "peak", "trough", "fast_trough"):
            if name.startswith(f"{stem}{mine}"):
                found = name.replace(f"{stem}{mine}", f"{stem}{other}", 1)
                return found if found in BY_NAME else None
    return None


def drawn_with(name: str) -> tuple[str, ...]:
    """The features of the figure that shows a feature, that of a potential first."""
    partner = partner_of(name)
    return (name,) if partner is None else tuple(sorted((name, partner), key=lambda one: BY_NAME[one].unit != "mV"))


@st.cache_data(max_entries=64, show_spinner=False)
def picture(name: str) -> go.Figure | None:
    """The figure that shows a feature; None where it is entered by hand."""
    path: Path = FOLDER / f"{drawn_with(name)[0]}.json"
    if not path.is_file():
        return None
    return pio.from_json(path.read_text(encoding="utf-8"))
