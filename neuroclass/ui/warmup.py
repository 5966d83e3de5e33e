"""Import the slow libraries while the first visitor reads."""

import gc
import importlib
import logging
import threading

import streamlit as st

_SLOW = ("plotly.express", "torch", "sklearn.ensemble", "shap", "scipy.cluster.hierarchy", "neuroclass.workflows")


def _import_all() -> None:
    for name in _SLOW:
        try:
            importlib.import_module(name)
        except ImportError:
            logging.getLogger(__name__).warning("%s cannot be imported", name)
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def start() -> threading.Thread:
    """Start the imports once a server; freezing afterwards spares every rerun a full collection."""
    thread = threading.Thread(target=_import_all, name="warm-up", daemon=True)
    thread.start()
    return thread
