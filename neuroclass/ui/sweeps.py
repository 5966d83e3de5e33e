"""A recording on a page: its sweeps with their stimuli, spikes and where a feature was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.charts import traces as charts
from neuroclass.charts.theme import PALETTE
from neuroclass.ephys.cell_features import recording_epochs
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.spikes import POINTS, Spikes, detect_spikes
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.features import BY_NAME, Stimulus
from neuroclass.ui import widgets
from neuroclass.ui.text import escaped

OVERLAID = 12
ALL = "all overlaid"
OTHER = "other"
_ORDER = (Stimulus.LONG_SQUARE.value, Stimulus.SHORT_SQUARE.value, Stimulus.RAMP.value, Stimulus.NOISE.value, OTHER)
_SYMBOLS = ("circle", "triangle-up", "star", "triangle-down", "square", "diamond")


@dataclass(frozen=True, eq=False)
class Described:
    """A sweep with its epochs, its main one and its spikes."""

    sweep: Sweep
    epochs: tuple[Epoch, ...]
    spikes: Spikes

    @property
    def main(self) -> Epoch | None:
        """The first epoch with a stimulus; else the first."""
        known = [epoch for epoch in self.epochs if epoch.stimulus is not None]
        return next(iter([*known, *self.epochs]), None)

    @property
    def stimulus(self) -> str:
        """Name of the main epoch's stimulus."""
        return self.main.stimulus.value if self.main and self.main.stimulus else OTHER

    @property
    def title(self) -> str:
        """Number, amplitude and spikes, for people."""
        amplitude = f", {self.main.amplitude_pa:+.0f} pA" if self.main else ""
        n_spikes = len(self.spikes)
        return f"sweep {self.sweep.number}{amplitude}, {n_spikes} spike{'' if n_spikes == 1 else 's'}"

    def trace(self) -> charts.Trace:
        """The sweep to draw."""
        amplitude = self.main.amplitude_pa if self.main else 0.0
        return charts.Trace(self.title, self.sweep.v_mv, self.sweep.i_pa, self.sweep.rate_hz, amplitude)

    def window(self) -> tuple[float, float]:
        """What to show at first, s: the epochs of the main stimulus and a little around them."""
        if self.main is None:
            return 0.0, self.sweep.duration_s
        alike = [epoch for epoch in self.epochs if epoch.stimulus is self.main.stimulus]
        start, end = alike[0].start_s, alike[-1].end_s
        margin = max(0.05, min(0.3, 0.3 * (end - start)))
        return max(0.0, start - margin), min(self.sweep.duration_s, end + margin)


@st.cache_resource(max_entries=12, show_spinner="Finding stimuli and spikes")
def describe(key: str, _recording: Recording) -> tuple[Described, ...]:  # noqa: ARG001 (the key of the cache)
    """Epochs and spikes of every sweep; `key` names the recording in the cache."""
    epochs = recording_epochs(_recording)
    return tuple(
        Described(sweep, tuple(e for e in epochs if e.sweep_number == sweep.number), _spikes(sweep))
        for sweep in _recording.sweeps
    )


def _spikes(sweep: Sweep) -> Spikes:
    filled = sweep.v_mv
    if not np.isfinite(filled).all():
        filled = pd.Series(filled).interpolate(limit_direction="both").fillna(0.0).to_numpy()
    return detect_spikes(filled, sweep.i_pa, sweep.rate_hz)


@st.fragment
def recording_view(key: str, recording: Recording, simulated: bool = False) -> None:
    """Sweeps by stimulus: overlaid, or one with its spikes marked.

    Parameters
    ----------
    key : str
        Names the recording in the cache and its widgets.
    recording : Recording
        The sweeps.
    simulated : bool
        Whether the cell is simulated.
    """
    described = describe(key, recording)
    offered = [name for name in _ORDER if any(d.stimulus == name for d in described)]
    if not offered:
        st.info("The recording has no sweep.", icon=":material/info:")
        return
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        stimulus = st.segmented_control(
            "Stimulus", offered, default=offered[0], required=True, key=f"stimulus-{key}", format_func=_stimulus_name
        )
    shown = [d for d in described if d.stimulus == stimulus]
    titles = {d.title: d for d in shown}
    with right:
        title = st.selectbox("Sweep", [ALL, *titles], key=f"sweep-{key}-{stimulus}")
    if title == ALL:
        _overlay(key, shown, simulated)
    else:
        _single(key, titles[title], simulated)


def _stimulus_name(value: str) -> str:
    return "Other" if value == OTHER else Stimulus(value).label.capitalize()


def _overlay(key: str, shown: Sequence[Described], simulated: bool) -> None:
    chosen = [shown[k] for k in np.unique(np.linspace(0, len(shown) - 1, min(OVERLAID, len(shown))).astype(int))]
    windows = [d.window() for d in chosen]
    window = min(w[0] for w in windows), max(w[1] for w in windows)
    fig = charts.sweeps([d.trace() for d in chosen], window=window, simulated=simulated)
    skipped = f" {len(chosen)} of {len(shown)} sweeps, evenly chosen." if len(chosen) < len(shown) else ""
    widgets.figure(
        fig,
        f"sweeps-{key}",
        sweep_table(shown),
        caption=f"Response above, stimulus beneath; colour runs with the amplitude.{skipped}",
        simulated=simulated,
    )
    amplitudes = [d.main.amplitude_pa for d in shown if d.main and d.stimulus == Stimulus.LONG_SQUARE]
    if len(amplitudes) > 1:
        rates = [_rate_hz(d) for d in shown if d.main]
        first, second = st.columns(2)
        with first:
            widgets.figure(
                charts.rate_curve(amplitudes, rates, simulated), f"rate-{key}", caption="Firing rate by step."
            )
        with second:
            _phase(key, shown, simulated)


def _rate_hz(described: Described) -> float:
    main, times = described.main, described.spikes.time_s("peak")
    if main is None or main.duration_s <= 0:
        return 0.0
    return float(((times >= main.start_s) & (times <= main.end_s)).sum() / main.duration_s)


def _phase(key: str, shown: Sequence[Described], simulated: bool) -> None:
    spiking = next((d for d in shown if len(d.spikes)), None)
    if spiking is None:
        st.caption("No spike, no phase plot.")
        return
    peak = float(spiking.spikes.time_s("peak")[0])
    piece = charts.crop(spiking.trace(), peak - 0.003, peak + 0.005)
    caption = f"First spike of sweep {spiking.sweep.number}."
    widgets.figure(charts.phase([piece], simulated), f"phase-{key}", caption=caption)


def _single(key: str, described: Described, simulated: bool) -> None:
    low, high = 0.0, round(described.sweep.duration_s, 4)
    start, end = described.window()
    window = st.slider(
        "Window (s)", low, high, (start, min(end, high)), step=0.001, format="%.3f", key=f"w-{key}-{described.title}"
    )
    trace = described.trace()
    fig = charts.sweeps([trace], marks=spike_marks(described, window), window=window, simulated=simulated)
    widgets.figure(
        fig,
        f"sweep-{key}",
        spike_table(described),
        caption="A narrower window is drawn from more samples. The CSV holds what was measured at every spike.",
        simulated=simulated,
    )


def spike_marks(described: Described, window: tuple[float, float]) -> list[charts.Mark]:
    """The six points of every spike within a window."""
    marks = []
    for point, symbol, colour in zip(POINTS, _SYMBOLS, PALETTE, strict=False):
        times = described.spikes.time_s(point)
        inside = (times >= window[0]) & (times <= window[1])
        if inside.any():
            label = point.replace("_", " ")
            values = described.spikes.v_mv[point][inside].tolist()
            marks.append(charts.Mark(label, times[inside].tolist(), values, symbol, colour))
    return marks


def spike_table(described: Described) -> pd.DataFrame:
    """What was measured at each spike of a sweep."""
    spikes = described.spikes
    columns: dict[str, Any] = {"spike": range(len(spikes))}
    for point in POINTS:
        columns[f"{point} (s)"] = spikes.time_s(point)
        columns[f"{point} (mV)"] = spikes.v_mv[point]
    columns |= {f"{name} (mV/ms)": slope for name, slope in spikes.slope.items()}
    columns["width (ms)"] = spikes.width_s * 1e3
    return pd.DataFrame(columns)


def sweep_table(described: Sequence[Described]) -> pd.DataFrame:
    """Every epoch of every sweep: its stimulus, times, amplitude and spikes."""
    rows = []
    for one in described:
        for epoch in one.epochs:
            times = one.spikes.time_s("threshold")
            rows.append(
                {
                    "sweep": one.sweep.number,
                    "stimulus": epoch.stimulus.label if epoch.stimulus else OTHER,
                    "start (s)": round(epoch.start_s, 5),
                    "end (s)": round(epoch.end_s, 5),
                    "amplitude (pA)": round(epoch.amplitude_pa, 2),
                    "holding (pA)": round(epoch.holding_pa, 2),
                    "spikes": int(((times >= epoch.start_s) & (times <= epoch.end_s)).sum()),
                    "recognised by": epoch.note,
                }
            )
    return pd.DataFrame(rows)


def measured_on(key: str, recording: Recording, feature: str, entry: Mapping[str, Any], simulated: bool) -> None:
    """Draw the sweep and spike a feature was measured on.

    Parameters
    ----------
    key : str
        Names the recording in the cache.
    recording : Recording
        The sweeps.
    feature : str
        Name of the feature.
    entry : mapping
        Its provenance: ``sweeps`` and, where it is measured at a spike, ``time_s``.
    simulated : bool
        Whether the cell is simulated.
    """
    wanted = list(entry.get("sweeps") or ())
    shown = [d for d in describe(key, recording) if d.sweep.number in wanted][:OVERLAID]
    if not shown:
        st.caption(f"{escaped(BY_NAME[feature].label)} was not measured on a sweep.")
        return
    time_s = entry.get("time_s")
    if time_s is None or len(shown) > 1:
        windows = [d.window() for d in shown]
        window = min(w[0] for w in windows), max(w[1] for w in windows)
        marks: list[charts.Mark] = []
    else:
        window = (max(0.0, float(time_s) - 0.02), float(time_s) + 0.03)
        marks = spike_marks(shown[0], window)
    fig = charts.sweeps([d.trace() for d in shown], marks=marks, window=window, simulated=simulated, height=380)
    numbers = ", ".join(str(d.sweep.number) for d in shown)
    caption = f"{BY_NAME[feature].definition} Measured on sweep{'s' if len(shown) > 1 else ''} {numbers}."
    widgets.figure(fig, f"measured-{key}-{feature}", caption=caption, simulated=simulated)
