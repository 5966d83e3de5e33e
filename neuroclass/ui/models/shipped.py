"""What each model of the shipped set is for."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.config import MODELS_DIR
from neuroclass.reports.store import ReportStore
from neuroclass.types.models import DANN, HUMAN_SUBCLASS, LSPIN
from neuroclass.ui.text import escaped

_IDEAS = {
    DANN: "Excitatory or inhibitory, in mouse and human. An adversary keeps the species out of its features "
    "(domain-adversarial training).",
    LSPIN: "Subclass of mouse cells. Gates select a few features for each cell.",
    HUMAN_SUBCLASS: "Subclass of human cells by transcriptome. Kernel logistic regressions, boosted trees and LSPIN, "
    "pooled; trained on cells of other laboratories too.",
}


def cards() -> None:
    """A card per shipped model: what it predicts, by which idea, and where its results are."""
    there = [spec for spec in _IDEAS if (MODELS_DIR / spec.name).is_dir()]
    for column, spec in zip(st.columns(len(_IDEAS)), there, strict=False):
        card = ReportStore(spec.name, MODELS_DIR / spec.name).card()
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{spec.title}**  \n{_IDEAS[spec]}{_used(card)}")
            st.caption(", ".join(escaped(label_of(str(name))) for name in card.get("classes", ())))
            st.link_button("Results", f"performance?model={quote_plus(spec.title)}", icon=":material/grid_on:")


def _used(card: Mapping[str, Any]) -> str:
    """How many features its gates let through, where the card says so."""
    gates = (card.get("metrics") or {}).get("open_gates") or {}
    return f" Median: {gates['median']:.0f} of {gates['of']} features." if {"median", "of"} <= gates.keys() else ""
