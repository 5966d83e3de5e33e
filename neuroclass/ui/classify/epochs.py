"""The stimulus found in each sweep: a gallery of all sweeps, and how to correct what was recognised."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from neuroclass.charts.sweep_gallery import Shade, Tile, sweep_gallery
from neuroclass.charts.theme import download_config
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.result import CellVerdict
from neuroclass.ephys.sweep_summary import SweepSummary
from neuroclass.features import Stimulus
from neuroclass.ui import widgets
from neuroclass.ui.cells import left_out
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.classify import uploads
from neuroclass.ui.text import escaped

TILES_A_PAGE = 60
_STIMULI = {"none": None, **{s.value: s for s in Stimulus if s is not Stimulus.NONE}}
_CLICK = "; click it to correct what was recognised, or to leave the sweep out."


@st.fragment
def gallery(key: str, cell_input: CellInput, lent: Lent, read_only: bool = False) -> None:
    """Every sweep with its stimuli shaded; a click on one opens the form that corrects it, unless it is `read_only`."""
    analysis = lent()
    tiles = _tiles(analysis)
    pages = [tiles[k : k + TILES_A_PAGE] for k in range(0, len(tiles), TILES_A_PAGE)]
    if not pages:
        return
    page = 0
    if len(pages) > 1:
        names = [f"{part[0].number} to {part[-1].number}" for part in pages]
        page = names.index(str(st.selectbox("Sweeps", names, key=f"gallery-page-{key}")))
    chosen = st.session_state.get(f"gallery-chosen-{key}")
    fig = sweep_gallery(pages[page], chosen, analysis.simulated)
    widgets.keep_figure(f"gallery-{key}", fig, None, analysis.simulated)
    chart = f"gallery-chart-{key}-{page}-{chosen}"
    with widgets.wide(f"gallery-{key}"):
        st.plotly_chart(
            fig,
            key=chart,
            config=download_config("gallery"),
            on_select="ignore" if read_only else lambda: _choose(chart, key),
            selection_mode="points",
            alt=f"{len(pages[page])} sweeps as small multiples, recognised stimuli shaded",
        )
    st.caption(
        "Every sweep on one scale of potential, with its number, current and spikes (sp.), its stimuli shaded; grey "
        f"where none was recognised. Point at a sweep to read why{'.' if read_only else _CLICK}"
    )
    if read_only:
        return
    one = next((s for s in analysis.sweeps if s.sweep.number == chosen), None)
    if one is not None:
        _correction(key, cell_input, one)
    left_out.controls(
        key, analysis.recording, chosen, uploads.left_out(cell_input), partial(uploads.leave_out, cell_input)
    )


def _tiles(analysis: RecordingAnalysis) -> list[Tile]:
    """A tile for every sweep of the file, also for those that are left out."""
    gone = [
        Tile(sweep.number, f"{sweep.number}: left out", "left out by hand", sweep.v_mv, sweep.rate_hz, faded=True)
        for sweep in analysis.recording.left_out
    ]
    return sorted([*map(_tile, analysis.sweeps), *gone], key=lambda tile: tile.number)


def _tile(one: SweepSummary) -> Tile:
    shades = [Shade(e.stimulus.label if e.stimulus else "", e.start_s, e.end_s) for e in one.epochs]
    amplitude = [f"{one.main.amplitude_pa:+.0f} pA"] if one.main and one.main.stimulus else []
    spikes = [f"{len(one.spikes)} sp."] if one.spikes else []
    title = f"{one.sweep.number}: {', '.join([*amplitude, *spikes])}" if amplitude or spikes else str(one.sweep.number)
    return Tile(one.sweep.number, title, one.recognised, one.sweep.v_mv, one.sweep.rate_hz, shades)


def _choose(chart: str, key: str) -> None:
    """Keep the sweep whose tile was clicked."""
    points = st.session_state[chart].selection.get("points", [])
    numbers = [point["customdata"] for point in points if point.get("customdata")]
    if numbers:
        first = numbers[-1]
        st.session_state[f"gallery-chosen-{key}"] = int(first[0] if isinstance(first, list) else first)


def _correction(key: str, cell_input: CellInput, one: SweepSummary) -> None:
    """A small form: the stimulus of each epoch of one sweep."""
    number = one.sweep.number
    with st.form(f"correct-{key}-{number}"):
        st.markdown(f"**Sweep {number}**: {escaped(one.recognised, 600)}")
        if not one.epochs:
            st.caption("There is no epoch to correct: the current never leaves its holding level, or was not recorded.")
        names = list(_STIMULI)
        assigned = {}
        for epoch in one.epochs:
            found = epoch.stimulus.value if epoch.stimulus else "none"
            label = f"Epoch {epoch.index}: {epoch.start_s:.4g} to {epoch.end_s:.4g} s, {epoch.amplitude_pa:+.4g} pA"
            picked = st.selectbox(
                label, names, names.index(found), key=f"correct-{key}-{number}-{epoch.index}", format_func=_name
            )
            if picked != found:
                assigned[(number, epoch.index)] = _STIMULI[str(picked)]
        if st.form_submit_button("Measure and classify again", disabled=not one.epochs):
            _apply(cell_input, assigned)


def _name(value: str) -> str:
    return "no stimulus" if value == "none" else value.replace("_", " ")


def _apply(cell_input: CellInput, assigned: Mapping[tuple[int, int], Stimulus | None]) -> None:
    """Keep corrections and measure anew."""
    uploads.correct(cell_input, {**uploads.corrections(cell_input), **assigned})
    st.rerun(scope="app")


def table(cell_input: CellInput, verdict: CellVerdict, read_only: bool = False) -> None:
    """What was recognised in each sweep and epoch, to be corrected unless `read_only`; then all is measured anew."""
    rows = [
        {
            "sweep": sweep["number"],
            "epoch": index,
            "stimulus": epoch.get("stimulus") or "none",
            "start (s)": epoch.get("start_s"),
            "end (s)": epoch.get("end_s"),
            "amplitude (pA)": epoch.get("amplitude_pa"),
            "with holding (pA)": epoch.get("absolute_pa"),
            "spikes in the sweep": sweep.get("n_spikes"),
            "recognised": sweep.get("recognised", ""),
        }
        for sweep in verdict.sweeps
        for index, epoch in enumerate(sweep.get("epochs", ()))
    ]
    if not rows:
        return
    found = pd.DataFrame(rows)
    if read_only:
        with st.expander("Stimulus found in each sweep"):
            st.dataframe(found, hide_index=True)
        return
    fixed = [c for c in found.columns if c != "stimulus"]
    with (
        st.expander("Stimulus found in each sweep: correct it here"),
        st.form(f"protocols-{cell_input.digest[:16]}", border=False),
    ):
        edited = st.data_editor(
            found,
            hide_index=True,
            disabled=fixed,
            column_config={"stimulus": st.column_config.SelectboxColumn(options=list(_STIMULI), required=True)},
            key=f"editor-{cell_input.digest[:16]}-{verdict.cell}",
        )
        if st.form_submit_button("Measure and classify again"):
            changed = edited["stimulus"] != found["stimulus"]
            assigned = {
                (int(row["sweep"]), int(row["epoch"])): _STIMULI[row["stimulus"]]
                for _, row in edited[changed].iterrows()
            }
            _apply(cell_input, assigned)
    if uploads.corrections(cell_input) and st.button("Forget the corrections", key=f"forget-{cell_input.digest[:16]}"):
        uploads.correct(cell_input, {})
        st.rerun()
