"""Feature table, model cards, limitations and citations."""

import pandas as pd
import streamlit as st

from neuroclass import __version__
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURES, FeatureSource
from neuroclass.types.models import MODELS
from neuroclass.ui import cache, widgets
from neuroclass.ui.text import escaped


def feature_table() -> None:
    """Show the 41 features with units and definitions."""
    st.subheader("The 41 features", anchor=False)
    table = pd.DataFrame(
        {
            "name": spec.name,
            "label": spec.label,
            "stored unit": spec.unit or "ratio",
            "stimulus": spec.stimulus.label,
            "from": "sweeps" if spec.source is FeatureSource.SWEEPS else "entered by hand",
            "definition": spec.definition,
        }
        for spec in FEATURES
    )
    st.dataframe(
        table, hide_index=True, height=320, column_config={"definition": st.column_config.TextColumn(width="large")}
    )
    widgets.csv_button("features", table)


def models() -> None:
    """Show the cards of the shipped models."""
    st.subheader("The shipped models", anchor=False)
    st.markdown(
        "- **DANN** tells excitatory from inhibitory cells in mouse and human. A gradient-reversal layer trains its "
        "features so that a second head cannot tell the species.\n"
        "- **LSPIN** tells five mouse subclasses. For each cell a gating network opens few of the 41 features; only "
        "those reach the prediction network.\n"
        "- Probabilities are calibrated on cells held out from training. The prediction set is made to hold the true "
        "class in at least 90% of held-out cells; the Performance page says in how many it does. A cell with many "
        "features unlike the training cells' gets no label, one with few gets a warning that names them."
    )
    for model in MODELS:
        try:
            card = cache.report(model).card()
        except ModelFileError as error:
            st.info(f"{model.upper()}: {escaped(error, 600)}", icon=":material/info:")
            continue
        with st.expander(f"Card of {model.upper()}"):
            st.json(card, expanded=1)


def honesty() -> None:
    """Explain how the figures were obtained, and their limits."""
    st.subheader("How honest the numbers are", anchor=False)
    st.markdown(
        "- Under the protocol donor-cv a cell is judged by models that have seen no cell of its **donor**: folds are "
        "grouped by donor and stratified by species and class; scaling, imputation and calibration are fitted inside "
        "the training folds. The protocol paper-split is the published split, which is not grouped by donor.\n"
        "- Variants of DANN and LSPIN were compared on the folds of the first repeat, whose cells are tested again: "
        "the figures of the chosen ones are slightly optimistic.\n"
        "- Intervals are 95%, by resampling donors.\n"
        "- **Published figures** are shown beside ours as they were printed. They came about differently: the split "
        "was not grouped by donor, and models were selected on the test cells; the Performance page says which.\n"
        "- A driver line is not a cell type. Some lines mark mixed populations, so part of the error is the labels'.\n"
        "- A recording from another lab differs in solutions, temperature and junction potential. The verdict says how "
        "usual the cell looks and what its features alone are worth."
    )


def citations() -> None:
    """Show what to cite."""
    st.subheader("Data, citation, licence", anchor=False)
    st.markdown(
        "- Allen Institute for Brain Science, Allen Cell Types Database (2015), celltypes.brain-map.org.\n"
        "- Ophir, Shefi, Lindenbaum, Neuronal Cell Type Classification using Deep Learning (2023), arXiv:2306.00528.\n"
        "- Ganin et al., Domain-adversarial training of neural networks, JMLR 17 (2016).\n"
        "- Yang, Lindenbaum, Kluger, Locally sparse neural networks for tabular biomedical data, ICML (2022).\n"
        "- Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS (2017)."
    )
    st.caption(f"NeuroClass {__version__}, MIT licence. The data keep their own terms of use.")
