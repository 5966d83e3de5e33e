import sys

import streamlit as st

st.write("explore", sys.path[:4])
