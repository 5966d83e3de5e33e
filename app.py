"""The dashboard's entry point: ``streamlit run app.py``.

The navigation lives in ``dashboard/main.py``, whose folder has no ``pages/`` beside it, so that a
first visit to any page's URL finds that page.
"""

import streamlit as st

app = st.App("dashboard/main.py")
