"""What the cell in a recording is, and why."""

import streamlit as st

from neuroclass.ui.classify import page

st.html("<style>.stMainBlockContainer {padding-top: 1.2rem} h1 {padding-top: 0 !important}</style>")
page.answer(*page.bring("What is the cell in my recording, how sure is that, and on which measurements does it rest?"))
