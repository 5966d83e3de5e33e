"""How a verdict comes about, model cards, validation and citations."""

from collections.abc import Callable, Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from neuroclass import __version__
from neuroclass.charts import verdict
from neuroclass.charts import way as charts
from neuroclass.classification import wording
from neuroclass.cohort.cohort import source_title
from neuroclass.ephys.sweep import SIMULATED_WARNING
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES
from neuroclass.types.models import HUMAN_SUBCLASS, MODELS, QUESTIONS
from neuroclass.ui import cache, widgets
from neuroclass.ui.methods import example
from neuroclass.ui.methods.example import OnItsWay
from neuroclass.ui.text import escaped

WAY = (
    ("File", "A recording or a table; units, channels and plausibility are checked."),
    ("Sweeps", "Stimuli are recognised; spikes and passive responses are found."),
    ("41 features", "Each with the sweep and the spike it was measured on."),
    ("Matched models", "DANN and LSPIN for the available features, for the database and for other laboratories."),
    ("One answer", "Calibrated class probabilities of all models together."),
    ("Verdict", "Label, 90% prediction set, expected accuracy and typicality; or no label, and why."),
)
_FIRST_STEPS = (
    (
        "File",
        "Nothing is assumed silently.",
        "Channels and units come from the header; where a current or potential is not plausible, the file is refused, "
        "and you are shown how it could be read. The liquid junction potential and the temperature are corrected only "
        "where you state them; the database does not subtract its junction potential of 14 mV.",
    ),
    (
        "Sweeps",
        "The stimulus is read from the injected current,",
        "not from its name: long squares (100 ms and longer), short squares, ramps and noise. Spikes are found by "
        "dV/dt above 20 mV/ms, as in the Allen SDK; spikes outside a stimulus enter neither rest nor waveform. Drift, "
        "noise, bridge balance, clipped spikes and depolarisation block are flagged.",
    ),
    (
        "41 features",
        "Each is defined as in the database,",
        "as the next part lists, and keeps the sweep and spike that it was measured on. Long squares in depolarisation "
        "block are left out of the f–I slope, which the database does not do.",
    ),
)
_A_ROW, _LETTERS = 3, 24


def way() -> None:
    """The way from a file to a verdict, a box a step, with what each step gives for one simulated cell."""
    found = example.shown()
    if found is not None:
        widgets.say("Each step, followed on one simulated cell")
    details = (*_FIRST_STEPS, *_steps())
    for first in range(0, len(WAY), _A_ROW):
        for number, column in enumerate(st.columns(_A_ROW), start=first):
            title, text = WAY[number]
            with column, st.container(border=True, height="stretch"):
                st.markdown(f"#### {number + 1}. {title}")
                st.caption(text)
                if found is not None:
                    _PICTURES[title](found)
                with st.expander("In detail"):
                    for step, claim, detail in details:
                        if step == title:
                            st.markdown(f"**{claim[:1].upper()}{claim[1:]}** {detail}")


def _file(found: OnItsWay) -> None:
    _drawn(
        charts.overlaid(found.sweeps),
        "way-file",
        f"{found.n_sweeps} sweeps; responses to long squares, coloured by amplitude.",
    )


def _sweeps(found: OnItsWay) -> None:
    one, epoch = found.telling
    peaks_s = one.evoked_peaks / one.sweep.rate_hz
    text = f"Sweep {one.sweep.number}: a long square (shaded) and {len(peaks_s)} evoked spikes."
    _drawn(charts.marked(example.trace_of(one, epoch), peaks_s, epoch.start_s, epoch.end_s), "way-sweeps", text)


def _features(found: OnItsWay) -> None:
    n = len(found.verdict.features)
    text = f"{n} of {len(FEATURE_NAMES)} features measured, each a point, relative to the training cells."
    _drawn(charts.features(found.verdict.features, found.standardised), "way-features", text)


def _matched(found: OnItsWay) -> None:
    for number, (title, prediction) in enumerate(found.apart.items()):
        st.caption(f"{title}:")
        _drawn(verdict.strips({title: prediction}, height=58, letters=_LETTERS), f"way-matched-{number}", "")
    st.caption("Probability of each mouse subclass.")


def _together(found: OnItsWay) -> None:
    both = {"Broad class": found.verdict.broad, "Subclass": found.verdict.subclass}
    _drawn(
        verdict.strips(both, height=130, named=True, letters=_LETTERS),
        "way-together",
        "Calibrated probability of each class.",
    )


def _answer(found: OnItsWay) -> None:
    st.markdown(f"##### {escaped(wording.headline(found.verdict))}")
    st.markdown("\n".join(f"- {name} **{escaped(text)}**" for name, text, _ in wording.doubt_figures(found.verdict)))
    st.caption(SIMULATED_WARNING)


_PICTURES: Mapping[str, Callable[[OnItsWay], None]] = dict(
    zip((title for title, _ in WAY), (_file, _sweeps, _features, _matched, _together, _answer), strict=True)
)


def _drawn(fig: go.Figure, name: str, text: str) -> None:
    widgets.figure(fig, name, caption=text, alt=text or name, simulated=True)


def _steps() -> tuple[tuple[str, str, str], ...]:
    """Step, its claim, and its detail."""
    from neuroclass.classification import doubt
    from neuroclass.predictors.calibration import COVERAGE
    from neuroclass.training.calibrate_set import N_LABORATORIES
    from neuroclass.training.library import LEAST_TO_IMPUTE, MOST_IMPUTED, feature_set_library

    n_sets = len(feature_set_library(None).shipped)
    return (
        (
            "Matched models",
            "each cell is classified by models of exactly its features.",
            "DANN (excitatory or inhibitory, mouse and human) and LSPIN (five mouse subclasses; its gates select a few "
            f"features for each cell) are fitted to each set of features.\n\n- {n_sets} sets ship: every combination "
            f"of stimuli, and those of published tables.\n- A cell that lacks at most {MOST_IMPUTED} features of a set "
            f"of {LEAST_TO_IMPUTE} or more is classified by that set's models; the missing features take the values to "
            "expect from the others.\n- For any other set, models are fitted on demand, in seconds, and kept. They "
            "learn from the database's cells where these are loaded; otherwise from synthetic cells, drawn from the "
            "normal mixtures that ship in their place.",
        ),
        (
            "Matched models",
            "in-database and out-of-database models are weighted by how much the recording resembles the database.",
            "\n\n- *In-database* models are for recordings like the database's. They pool the network, a Student t "
            "distribution for each class, and a kernel logistic regression; classes are as frequent as in the "
            "database.\n- *Out-of-database* models are for any other laboratory. Their network is trained on cells "
            "shifted as laboratories may shift them (offset of the potentials, temperature, resistance, rheobase step, "
            "spike height, bridge balance); the covariance of their Student t distributions allows for such shifts, "
            "and for one feature measured in another way. Classes are equally frequent.\n\nHow well the two describe "
            "the cell gives the probability that the recording is like the database's, which weights them.",
        ),
        (
            "One answer",
            "DANN and LSPIN together give one probability that the cell is excitatory.",
            "The log odds of *excitatory* by DANN and of *Glutamatergic* by LSPIN are averaged. Where the two "
            "contradict each other, the mean is near even odds, and a warning says so.\n\nFor a human cell the human "
            "subclass model takes LSPIN's place and weighs four times as much as DANN. It pools kernel logistic "
            "regressions, boosted trees and LSPIN. It was trained on human cells beyond the paper's (GABAergic cells "
            "of Lee, Dalley et al. 2023, subclass by transcriptome, from acute slices and slice culture; excitatory "
            "cells of Berg et al. 2021) and on the database's spiny cells. It does not use how the slice was prepared, "
            "even where that is stated.",
        ),
        (
            "Verdict",
            "the prediction set and the expected accuracy come from held-out donors.",
            f"Cells of donors that a model has not seen are used as recorded, and as {N_LABORATORIES} simulated "
            "laboratories would measure them. On these cells probabilities are calibrated, and the size of the "
            f"{COVERAGE:.0%} sets is chosen so that they hold the true class in {COVERAGE:.0%} of cells (the human "
            "subclass model has a limit for each class). The expected accuracy is that of held-out cells with the same "
            "features: between the in-database and the out-of-database figure, by the probability that the recording "
            "is like the database's.",
        ),
        (
            "Verdict",
            "an unusual cell gets no label.",
            f"\n\n- *Atypical:* fewer than {doubt.ODD_TYPICALITY:.0%} of held-out cells, in any of these laboratories, "
            "are as unusual, in all features together or in one given the others; the verdict names the features that "
            f"no class explains.\n- *Too little measured:* fewer than {doubt.LEAST_FEATURES} features.\n- *Undecided:* "
            f"the {COVERAGE:.0%} set holds every class.",
        ),
    )


def models() -> None:
    """Show the cards of the networks trained on all features."""
    st.info(
        "What Performance, SHAP, Gates and Domains show of DANN and LSPIN are networks trained on all 41 features. A "
        "verdict comes from models of the same kinds, fitted to the features that the cell has (step 4).",
        icon=":material/info:",
    )
    st.markdown(
        "They were trained once, with features hidden at random, so that they also tell which stimulus would help a "
        "partial recording most. DANN's gradient-reversal layer trains its features so that a second head cannot tell "
        "the species."
    )
    for model in (*MODELS, HUMAN_SUBCLASS.name):
        try:
            card = cache.report(model).card()
        except ModelFileError as error:
            st.info(f"{model.upper()}: {escaped(error, 600)}", icon=":material/info:")
            continue
        with st.expander(f"Model card (JSON): {QUESTIONS[model]}"):
            st.json(_without_folder(card), expanded=1)


def _without_folder(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card that names its training cells without the folder on the machine that trained."""
    cells = card.get("training_cells") or {}
    return {**card, "training_cells": {**cells, "source": source_title(str(cells.get("source", "")))}}


def validation() -> None:
    """Explain how the figures were obtained, and their limits."""
    st.markdown(
        "- **Donor-grouped cross-validation.** Each cell is classified by models that have seen no cell of its donor. "
        "Folds are stratified by species and class; scaling, imputation and calibration are fitted on the training "
        "folds only.\n"
        "- **Intervals** are 95% bootstrap intervals over donors.\n"
        "- **Published figures** stand beside ours as printed. Their split is not grouped by donor, and models were "
        "selected on the test cells; the Paper page compares the two protocols.\n"
        "- **Slightly optimistic:** variants of DANN and LSPIN were compared on the folds of the first repeat, whose "
        "cells are tested again.\n"
        "- **Labels are imperfect.** A driver line is not a cell type; some lines mark mixed populations, so part of "
        "the error is the labels'.\n"
        "- **Other laboratories** differ in solutions, temperature and junction potential. A verdict states how like "
        "the database the recording is. The simulated laboratories differ in six physical ways; a real one may differ "
        "in others."
    )


def _doi(name: str) -> str:
    return f"[doi:{name}](https://doi.org/{name})"


def _arxiv(name: str) -> str:
    return f"[arXiv:{name}](https://arxiv.org/abs/{name})"


def citations() -> None:
    """Show what to cite."""
    st.markdown(
        f"**This tool:** NeuroClass {__version__} (Classify, Export, writes a Methods paragraph with this "
        "version, the models and their checksums).\n\n"
        "**Data**\n"
        "- Allen Institute for Brain Science, Allen Cell Types Database (2015), "
        "[celltypes.brain-map.org](https://celltypes.brain-map.org).\n"
        f"- Human subclasses: Lee, Dalley et al., Science 382 (2023), {_doi('10.1126/science.adf6484')}; Berg et al., "
        f"Nature 598 (2021), {_doi('10.1038/s41586-021-03813-8')}.\n"
        f"- Tests on other laboratories: Gouwens et al., Cell 183 (2020), {_doi('10.1016/j.cell.2020.09.057')}; Scala "
        f"et al., Nature 598 (2021), {_doi('10.1038/s41586-020-2907-3')}.\n\n"
        "**Methods**\n"
        "- Ophir, Shefi, Lindenbaum, Neuronal Cell Type Classification using Deep Learning (2023), "
        "[arXiv:2306.00528](https://arxiv.org/abs/2306.00528).\n"
        "- DANN: Ganin et al., Domain-adversarial training of neural networks, JMLR 17 (2016), "
        f"{_arxiv('1505.07818')}.\n"
        "- LSPIN: Yang, Lindenbaum, Kluger, Locally sparse neural networks for tabular biomedical data, ICML (2022), "
        f"{_arxiv('2106.06468')}.\n"
        "- SHAP: Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS (2017), "
        f"{_arxiv('1705.07874')}.\n"
        f"- UMAP: McInnes, Healy, Melville (2018), {_arxiv('1802.03426')}.\n"
        f"- Doubtful labels: Northcutt, Jiang, Chuang, Confident learning, JAIR 70 (2021), {_arxiv('1911.00068')}."
    )
    st.caption("MIT licence. The data keep their own terms of use.")
