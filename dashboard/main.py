"""Page config and navigation; each page is a file in ``pages/``."""

from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent.parent

st.set_page_config(page_title="NeuroClass", page_icon=str(ROOT / "dashboard" / "icon.png"), layout="wide")
p = st.navigation(
    [
        st.Page(ROOT / "pages" / "overview.py", title="Overview", default=True),
        st.Page(ROOT / "pages" / "explore.py", title="Explore", url_path="explore"),
    ]
)
p.run()
