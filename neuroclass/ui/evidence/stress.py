"""The recording stress test on a page, with progress and a stop button."""

import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import evidence as charts
from neuroclass.classification.result import Prediction
from neuroclass.classification.stress import UNITS, StressResult, stress, variants
from neuroclass.ephys.sweep import Recording
from neuroclass.report.tables import holds_table, stress_table
from neuroclass.types.models import title_of
from neuroclass.ui import widgets
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

_KEPT = "stress-results"
_MOST_KEPT = 20


def results_of(case: Case) -> list[StressResult]:
    """Results for a case in this session so far; the list grows as variants are tried."""
    kept: dict[str, list[StressResult]] = st.session_state.setdefault(_KEPT, {})
    while len(kept) > _MOST_KEPT:
        kept.pop(next(iter(kept)))
    return kept.setdefault(case.fingerprint, [])


def show(case: Case, prediction: Prediction) -> None:
    """Offer the test, run it, and draw the results."""
    analysis = case.analysis
    if analysis is None:
        st.info("The stress test measures the sweeps again; this cell has none here.", icon=":material/info:")
        return
    found = results_of(case)
    tried = variants(analysis.recording, case.metadata)
    st.caption(
        "The sweeps are altered as a worse or another rig would have recorded them; all features are measured and "
        "classified again."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button(
            "Run the stress test" if not found else "Run again",
            key=f"stress-{case.key}",
            icon=":material/play_arrow:",
            disabled=False,
        )
        place = st.empty()
    if start:
        found.clear()
        place.button("Stop", key=f"stop-{case.key}", icon=":material/stop:")
        _run(case, analysis.recording, found, len(tried) + 1)
        place.empty()
    if len(found) > 1:
        _draw(case, prediction, found, len(tried) + 1)


def _run(case: Case, recording: Recording, found: list[StressResult], total: int) -> None:
    """Try the variants; a click on Stop, like any other, ends the script here and keeps the results."""
    bar = st.progress(0.0, text="Measuring the recording as it is")
    both = (case.models.dann.predictor, case.models.lspin.predictor)
    for result in stress(recording, case.verdict.species, both, case.metadata):
        found.append(result)
        bar.progress(min(1.0, len(found) / total), text=f"{len(found)} of {total}: {escaped(result.label)}")
    bar.empty()


def _draw(case: Case, prediction: Prediction, found: list[StressResult], total: int) -> None:
    label = found[0].top(prediction.model)
    table = stress_table(found, prediction.model)
    if len(found) < total:
        st.caption(f"Stopped after {len(found)} of {total}.")
    st.dataframe(holds_table(found, prediction.model), hide_index=True)
    as_recorded = float(table["probability"].iloc[0])
    widgets.figure(
        charts.stress(table.iloc[1:], label, UNITS, as_recorded, simulated=case.simulated),
        f"stress-{prediction.model}",
        table,
        caption=f"Calibrated probability of {escaped(label_of(label))} by {title_of(prediction.model)} under each "
        "variant; dotted: as recorded. Circle: the label holds; cross: it flips, in the colour of the class it flips "
        "to.",
        simulated=case.simulated,
    )
