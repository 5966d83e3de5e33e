"""What overruling stimuli and leaving out sweeps changed: the verdict and the features before and after."""

import streamlit as st

from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import CellVerdict
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.ui.cells import changed
from neuroclass.ui.classify import uploads


def note(cell_input: CellInput, verdict: CellVerdict, metadata: CellMetadata) -> None:
    """Verdict and features after the user's corrections against those of all sweeps; nothing without any."""
    how = _corrected(len(uploads.corrections(cell_input)), verdict)
    if not how:
        return
    before = uploads.uncorrected(cell_input, verdict.cell, metadata)
    if before is None:
        st.info(f"{how}; with all sweeps, as recognised, there is no verdict.", icon=":material/edit:")
        return
    changed.show(how, before, verdict, uploads.loaded_models().dann.predictor.preprocessor)


def _corrected(n_epochs: int, verdict: CellVerdict) -> str:
    parts = [f"with {n_epochs} corrected epoch{'s' if n_epochs > 1 else ''}"] if n_epochs else []
    parts += [f"without {sweeps_text(set(verdict.without_sweeps))}"] if verdict.without_sweeps else []
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}"
