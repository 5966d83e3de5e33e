"""A recording on a page: its sweeps with their stimuli, spikes and where a feature was measured."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.charts import traces as charts
from neuroclass.charts.theme import download_config
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.ephys.sweep_summary import OTHER, SweepSummary
from neuroclass.features import BY_NAME, Stimulus
from neuroclass.ui import address as address_of
from neuroclass.ui import widgets
from neuroclass.ui.cells import panels, passive
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.cells.sweep_summary import spike_marks, spike_table, sweep_table, trace_of
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

OVERLAID = 12
ALL = "all overlaid"
_ORDER = (Stimulus.LONG_SQUARE.value, Stimulus.SHORT_SQUARE.value, Stimulus.RAMP.value, Stimulus.NOISE.value, OTHER)
ADDRESS = "sweep"
SPAN = ("from", "to")
LEAST_S = 0.001


def recording_view(
    key: str,
    analysis: Lent,
    simulated: bool = False,
    address: bool = False,
    mates: panels.Mates | None = None,
) -> None:
    """Sweeps by stimulus, overlaid or one with its spikes marked; then what they yield.

    Parameters
    ----------
    key : str
        Identifies the recording's widgets.
    analysis : Lent
        The measured recording.
    simulated : bool
        Whether the cell is simulated.
    address : bool
        Whether stimulus, sweep and window are kept in the page's address; only one such view per page.
    mates : Mates, optional
        The class to compare the spike with.
    """
    _sweeps(key, analysis, simulated, address)
    if analysis().sweeps:
        st.markdown("##### What the sweeps yield")
        panels.show(key, analysis, simulated, address, mates)


@st.fragment
def _sweeps(key: str, analysis: Lent, simulated: bool, address: bool) -> None:
    with guarded():
        summaries = analysis().sweeps
    offered = [name for name in _ORDER if any(d.stimulus == name for d in summaries)]
    if not offered:
        st.info("The recording has no sweep.", icon=":material/info:")
        return
    stimulus_key, sweep_key = _keys(key, address)
    if address:
        _from_address(summaries)
    address_of.take(stimulus_key, offered, offered[0], in_address=address)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        stimulus = st.segmented_control(
            "Stimulus",
            offered,
            required=True,
            key=stimulus_key,
            format_func=_stimulus_name,
            on_change=_new_sweep if address else None,
        )
    shown = [d for d in summaries if d.stimulus == stimulus]
    by_number = {str(d.sweep.number): d for d in shown}
    choices, titles = [ALL, *by_number], {name: d.title for name, d in by_number.items()}
    address_of.take(sweep_key, choices, ALL, in_address=address)
    with right, st.container(horizontal=True, vertical_alignment="bottom"):
        number = str(
            st.selectbox(
                "Sweep",
                choices,
                key=sweep_key,
                format_func=lambda n: titles.get(n, n),
                on_change=_new_sweep if address else None,
            )
        )
        for step, icon, label in ((-1, "chevron_left", "Previous sweep"), (1, "chevron_right", "Next sweep")):
            st.button(
                "",
                key=f"step{step}-{key}",
                icon=f":material/{icon}:",
                help=label,
                on_click=_step,
                args=(sweep_key, choices, step, address),
            )
    if address:
        address_of.put("stimulus", str(stimulus), offered[0])
        address_of.put(ADDRESS, number, ALL)
    table = partial(_table, analysis, str(stimulus), number)
    _draw(key, shown if number == ALL else [by_number[number]], shown, number == ALL, table, simulated, address)


def _table(lent: Lent, stimulus: str, number: str) -> pd.DataFrame:
    """The numbers behind the view: all sweeps of a stimulus, or the spikes of one."""
    shown = [d for d in lent().sweeps if d.stimulus == stimulus]
    if number == ALL:
        return sweep_table(shown)
    return spike_table(next(d for d in shown if str(d.sweep.number) == number))


def _keys(key: str, address: bool) -> tuple[str, str]:
    return ("stimulus", ADDRESS) if address else (f"stimulus-{key}", f"sweep-{key}")


def _from_address(summaries: Sequence[SweepSummary]) -> None:
    """A sweep in the address settles the stimulus where that is not given."""
    if "stimulus" not in st.session_state and "stimulus" not in st.query_params:
        wanted = st.query_params.get(ADDRESS)
        found = next((d.stimulus for d in summaries if str(d.sweep.number) == wanted), None)
        if found:
            st.session_state["stimulus"] = found


def _new_sweep() -> None:
    address_of.forget(*SPAN)


def _step(key: str, choices: Sequence[str], step: int, address: bool) -> None:
    st.session_state[key] = choices[(choices.index(st.session_state.get(key, ALL)) + step) % len(choices)]
    if address:
        _new_sweep()


def open_sweep(stimulus: str, number: int) -> None:
    """Show one sweep in the view that is kept in the address."""
    st.session_state["stimulus"], st.session_state[ADDRESS] = stimulus, str(number)
    _new_sweep()


def _stimulus_name(value: str) -> str:
    return "Other" if value == OTHER else Stimulus(value).label.capitalize()


def _draw(
    key: str,
    shown: Sequence[SweepSummary],
    shown_all: Sequence[SweepSummary],
    overlaid: bool,
    table: Callable[[], pd.DataFrame],
    simulated: bool,
    address: bool,
) -> None:
    picks = np.unique(np.linspace(0, len(shown) - 1, min(OVERLAID, len(shown))).astype(int))
    chosen = [shown[k] for k in picks]
    name = f"{key}-{chosen[0].stimulus}-{'all' if overlaid else chosen[0].sweep.number}"
    window = _window(name, chosen, address)
    marks = [] if overlaid else spike_marks(chosen[0], window)
    fig = charts.sweeps([trace_of(d) for d in chosen], marks=marks, window=window, simulated=simulated, select=True)
    if st.toggle("Same y axes for all sweeps of the stimulus", key=f"locked-{key}"):
        charts.lock_axes(fig, [trace_of(d) for d in shown_all])
    widgets.keep_figure(f"sweeps-{key}", fig, table, simulated)
    chart = f"sweeps-{name}-{window[0]:.4f}-{window[1]:.4f}"
    st.plotly_chart(
        fig,
        key=chart,
        config=download_config("sweeps", select=True),
        on_select=partial(_magnify, chart, f"window-{name}"),
        selection_mode="box",
        alt=f"{len(chosen)} sweeps, response above and stimulus beneath",
    )
    skipped = f" {len(chosen)} of {len(shown)} sweeps, evenly chosen." if len(chosen) < len(shown) else ""
    about = f"Colour runs with the amplitude.{skipped}" if overlaid else _caption(chosen[0])
    widgets.figure_footer(
        f"sweeps-{key}",
        table,
        caption=f"{about} Drag across a stretch to draw it from more samples; every drawn bin keeps its lowest and "
        "highest sample.",
        simulated=simulated,
    )


def _caption(one: SweepSummary) -> str:
    return f"{one.title[0].upper()}{one.title[1:]}. The CSV holds what was measured at every spike."


def _window(name: str, chosen: Sequence[SweepSummary], address: bool) -> tuple[float, float]:
    """The stretch of time to draw, s: a slider that a selection in the figure moves too."""
    key = f"window-{name}"
    high = round(max(d.sweep.duration_s for d in chosen), 4)
    spans = [d.window() for d in chosen]
    stimulus = (round(min(s[0] for s in spans), 4), round(min(max(s[1] for s in spans), high), 4))
    first = (0.0, high)
    if key not in st.session_state:
        st.session_state[key] = (address_of.take_span(SPAN, (0.0, high)) if address else None) or first
    low, top = st.session_state[key]
    slider = f"slider-{name}-{low:.4f}-{top:.4f}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.slider(
            "Window (s)",
            0.0,
            high,
            (low, top),
            step=0.0005,
            format="%.3f",
            key=slider,
            on_change=_slide,
            args=(slider, key),
        )
        for label, icon, span in (
            ("Whole sweep", "zoom_out_map", first),
            ("Stimulus", "center_focus_strong", stimulus),
        ):
            st.button(
                label,
                key=f"{label.split()[0].lower()}-{name}",
                icon=f":material/{icon}:",
                on_click=st.session_state.update,
                args=({key: span},),
                disabled=(low, top) == span,
            )
    if address and (low, top) != first:
        st.query_params.update(zip(SPAN, (f"{low:g}", f"{top:g}"), strict=True))
    elif address:
        address_of.forget(*SPAN)
    return low, top


def _slide(slider: str, window: str) -> None:
    """Draw the stretch of time that the slider holds."""
    low, high = st.session_state[slider]
    if high - low >= LEAST_S:
        st.session_state[window] = (low, high)


def _magnify(chart: str, window: str) -> None:
    """Draw the stretch of time that was selected in the figure."""
    boxes = st.session_state[chart].selection.get("box", [])
    if boxes:
        low, high = sorted(float(x) for x in boxes[-1]["x"][:2])
        low, high = max(low, st.session_state[window][0]), min(high, st.session_state[window][1])
        if high - low >= LEAST_S:
            st.session_state[window] = (round(low, 4), round(high, 4))


def measured_on(key: str, analysis: RecordingAnalysis, feature: str, entry: Mapping[str, Any], simulated: bool) -> None:
    """Draw the sweep and spike a feature was measured on.

    Parameters
    ----------
    key : str
        Identifies the figure.
    analysis : RecordingAnalysis
        The measured recording.
    feature : str
        Name of the feature.
    entry : mapping
        Its provenance: ``sweeps`` and, where it is measured at a spike, ``time_s``.
    simulated : bool
        Whether the cell is simulated.
    """
    wanted = list(entry.get("sweeps") or ())
    shown = [d for d in analysis.sweeps if d.sweep.number in wanted][:OVERLAID]
    if not shown:
        st.caption(f"{escaped(BY_NAME[feature].label)} was not measured on a sweep.")
        return
    curves, marks, window = passive.overlays(feature, analysis.recording, analysis.features)
    time_s = entry.get("time_s")
    if window is None and not marks and time_s is not None and len(shown) == 1:
        window = (max(0.0, float(time_s) - 0.02), float(time_s) + 0.03)
        marks = spike_marks(shown[0], window)
    elif window is None:
        windows = [d.window() for d in shown]
        window = min(w[0] for w in windows), max(w[1] for w in windows)
    fig = charts.sweeps(
        [trace_of(d) for d in shown], marks=marks, curves=curves, window=window, simulated=simulated, height=400
    )
    numbers = ", ".join(str(d.sweep.number) for d in shown)
    caption = f"{BY_NAME[feature].definition} Measured on sweep{'s' if len(shown) > 1 else ''} {numbers}."
    widgets.figure(fig, f"measured-{key}-{feature}", caption=caption, simulated=simulated)
