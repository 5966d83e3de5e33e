"""Feature table, how a verdict comes about, model cards, limitations and citations."""

import base64
from pathlib import Path

import pandas as pd
import streamlit as st

from neuroclass import __version__
from neuroclass.config import SHIPPED_DIR
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURES, FeatureSource, FeatureSpec, Stimulus
from neuroclass.types.models import MODELS
from neuroclass.ui import cache, widgets
from neuroclass.ui.text import escaped

PICTURES = SHIPPED_DIR / "docs" / "features"
WAY = (
    ("File", "recording or table: units, channels and plausibility are checked"),
    ("Sweeps", "stimuli are recognised; spikes and passive responses are found"),
    ("41 features", "each with the sweep and spike it was measured on"),
    ("Two voices", "models for recordings like the database's, and for any other laboratory"),
    ("One answer", "calibrated class probabilities of DANN and LSPIN together"),
    ("Verdict", "label, 90% prediction set, expected accuracy and typicality, or the reason why there is none"),
)


def feature_table() -> None:
    """Show the features of one stimulus with picture, unit and definition; all of them as CSV."""
    st.subheader("The 41 features", anchor=False)
    stimuli = {stimulus.label.capitalize(): stimulus for stimulus in Stimulus}
    chosen = stimuli[widgets.choice("Stimulus", list(stimuli), "stimulus")]
    mine = [spec for spec in FEATURES if spec.stimulus is chosen]
    for start in range(0, len(mine), 2):
        for column, spec in zip(st.columns(2), mine[start : start + 2], strict=False):
            with column:
                _definition(spec)
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
    widgets.csv_button("features", table, label="All 41 features (CSV)")


def _definition(spec: FeatureSpec) -> None:
    """One feature: what it is, beside where it is measured on a simulated cell."""
    with st.container(border=True, height="stretch"):
        source = "" if spec.source is FeatureSource.SWEEPS else " Entered by hand, not measured on sweeps."
        st.markdown(f"**{escaped(spec.title)}**  \n{escaped(spec.definition)}{source}")
        st.caption(f"Column `{spec.name}`, stored in {spec.unit or 'no unit'}")
        picture = PICTURES / f"{spec.name}.svg"
        if picture.is_file():
            st.html(
                f"<img src='{_data_url(str(picture))}' alt='{spec.label}, marked on a simulated cell' "
                "style='width:100%;max-width:22rem;border-radius:.4rem'>"
            )


@st.cache_data(max_entries=64, show_spinner=False)
def _data_url(path: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(Path(path).read_bytes()).decode()}"


def way() -> None:
    """The way from a file to a verdict, as a row of steps."""
    st.subheader("From file to verdict", anchor=False)
    steps = "".join(
        f"<li style='flex:1 1 9rem;border:1px solid currentColor;border-radius:.4rem;padding:.5rem .7rem'>"
        f"<b>{number}. {title}</b><br><span style='font-size:.9em'>{text}</span></li>"
        for number, (title, text) in enumerate(WAY, start=1)
    )
    st.html(f"<ol style='display:flex;flex-wrap:wrap;gap:.6rem;list-style:none;padding:0;margin:0'>{steps}</ol>")


def verdict() -> None:
    """Explain how a verdict comes about."""
    from neuroclass.classification import doubt
    from neuroclass.predictors.calibration import COVERAGE
    from neuroclass.training.calibrate_set import N_LABORATORIES
    from neuroclass.training.library import LEAST_TO_IMPUTE, MOST_IMPUTED, feature_set_library

    n_sets = len(feature_set_library(None).shipped)
    st.subheader("How a verdict comes about", anchor=False)
    st.markdown(
        "1. **Models of exactly the features.** DANN (excitatory or inhibitory, mouse and human) and LSPIN (five mouse "
        f"subclasses; for each cell its gates pass few features) are fitted to each set of features. {n_sets} sets "
        f"ship: every combination of stimuli, and those of published tables. A cell that lacks at most {MOST_IMPUTED} "
        f"features of such a set of {LEAST_TO_IMPUTE} or more is judged by its models, with those features at their "
        "expectation given the others. For any other set the models are fitted on demand, in seconds, and kept: to the "
        "database's cells where they are loaded, else to stand-ins drawn from mixtures of normals that ship in their "
        "place.\n"
        "2. **Two voices.** The home voice is for recordings like the database's. It pools the network, a "
        "class-conditional Student t and a kernel logistic regression, with the database's class proportions. The away "
        "voice is for any other laboratory: a network trained on cells shifted as laboratories may shift them (offset "
        "of the potentials, temperature, resistance, rheobase step, spike height, bridge), and a t whose covariance "
        "allows for such shifts and for a feature that was measured otherwise; classes are equally likely. How well "
        "either describes the cell gives the probability that the recording is like the database's, by which the two "
        "answers are mixed.\n"
        "3. **One answer.** The log odds of excitatory by DANN and of Glutamatergic by LSPIN are averaged, so that "
        "both probabilities are the same. Where the two contradict each other, the mean is near even odds and a "
        "warning says so. For a human cell the human subclass model takes LSPIN's place and weighs four times as much "
        "as DANN. It pools kernel logistic regressions, boosted trees and LSPIN, was trained on human cells that are "
        "not the paper's (GABAergic: Lee, Dalley et al. 2023, subclass by transcriptome, from acute slices and slice "
        "culture; excitatory: Berg et al. 2021) and on the database's spiny ones, and has a limit of the prediction "
        "sets for each class. It uses nothing of the slice's preparation, even where that is stated.\n"
        f"4. **Set and promise.** On cells of donors that a model has not seen, as recorded and as {N_LABORATORIES} "
        "simulated laboratories each measure them, probabilities are calibrated and each voice's "
        f"{COVERAGE:.0%} sets are made to hold the true class. The same cells give the accuracy to expect with these "
        "features: between that at home and that elsewhere, by the probability that the recording is like the "
        "database's.\n"
        f"5. **Unusual cells.** A cell gets no label if fewer than {doubt.ODD_TYPICALITY:.0%} of held-out cells, in "
        "any of these laboratories, are as unusual: in all its features together, or in one given the others. The "
        "reason names the features that no class explains. Nor does a cell with fewer than "
        f"{doubt.LEAST_FEATURES} features, or whose {COVERAGE:.0%} set holds every class, get a label."
    )


def models() -> None:
    """Show the cards of the networks trained on all features."""
    st.subheader("The networks of all features", anchor=False)
    st.markdown(
        "DANN and LSPIN were also trained on all 41 features with features hidden at random. These networks suggest "
        "the next sweep and give the spaces and comparisons of the Performance and Explain pages; they do not judge "
        "cells. DANN's gradient-reversal layer trains its features so that a second head cannot classify the species."
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
        "like the database's it is and what its features are worth there and elsewhere. The simulated laboratories "
        "differ in six physical ways; a real one may differ in others."
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
