import sys

import streamlit as st

st.write("overview", sys.path[:4])
