"""What a recording's sweeps yield, drawn where it was measured: firing, passive response, spike, noise."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.charts import cell_plots as plots
from neuroclass.charts import session as session_charts
from neuroclass.charts import traces
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.ephys.firing import adaptation_index, average_spike, instantaneous_rate, power_spectrum
from neuroclass.ephys.fitted import rate_current
from neuroclass.ephys.session import RESISTANCE, TIME, drift_mv, session_table
from neuroclass.ephys.sweep_summary import SweepSummary
from neuroclass.features import Stimulus, rounded, signed
from neuroclass.types.arrays import Floats
from neuroclass.ui import address as address_of
from neuroclass.ui import widgets
from neuroclass.ui.cells import passive
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

PANELS = ("firing", "passive", "spike", "noise", "session")
SHOWN_TRAINS = 6


@dataclass(frozen=True)
class Mates:
    """The class a cell's spike is drawn against.

    Attributes
    ----------
    label : str
        The class, with its species.
    spike : Waveform, optional
        Its average spike, where its cells have sweeps.
    levels, landmarks : mapping
        See `neuroclass.cohort.class_shape`.
    """

    label: str
    spike: plots.Waveform | None = None
    levels: dict[str, float] = field(default_factory=dict)
    landmarks: dict[str, tuple[float, float]] = field(default_factory=dict)


@st.fragment
def show(key: str, lent: Lent, simulated: bool = False, address: bool = False, mates: Mates | None = None) -> None:
    """Firing, passive response, spike or noise, as chosen; the parameters are those of `sweeps.recording_view`."""
    with guarded():
        analysis = lent()
    name = "panel" if address else f"panel-{key}"
    address_of.take(name, PANELS, PANELS[0], in_address=address)
    chosen = str(
        st.segmented_control(
            "Measured",
            PANELS,
            required=True,
            key=name,
            format_func=str.capitalize,
        )
    )
    if address:
        address_of.put(name, chosen, PANELS[0])
    if chosen == "firing":
        _firing(key, analysis, simulated)
    elif chosen == "passive":
        passive.show(key, analysis.recording, analysis.features, simulated)
    elif chosen == "spike":
        _spike(key, analysis.sweeps, simulated, mates)
    elif chosen == "session":
        _session(key, analysis.sweeps, simulated)
    else:
        _noise(key, analysis.sweeps, simulated)


def _session(key: str, summaries: Sequence[SweepSummary], simulated: bool) -> None:
    """Rest, holding current and access of each sweep in the order of recording, and their drift."""
    table = session_table(summaries)
    if len(table) < 2:
        st.caption("Fewer than two sweeps have a stretch before the stimulus, so no drift can be shown.")
        return
    change = round(drift_mv(table), 1) + 0.0
    minutes, known = table[TIME].max(), table[RESISTANCE].dropna()
    span = f" in {minutes:.1f} min" if minutes == minutes else ""
    access = (
        f" The bridge leaves {rounded(known.iloc[0])} MΩ at first, {rounded(known.iloc[-1])} MΩ at last."
        if len(known)
        else ""
    )
    drift = (
        f"The potential before the stimulus {f'drifts by {signed(change)} mV' if change else 'does not drift'} over "
        f"{len(table)} sweeps{span}."
    )
    widgets.figure(
        session_charts.session(table, simulated),
        f"session-{key}",
        table,
        finding=f"{drift}{access}",
        caption="Median potential and current before each sweep's stimulus; resistance across which the potential "
        "jumps at the onset of squares, which is the access resistance less what the bridge balance takes. "
        + (
            "Times are the file's."
            if span
            else "The file does not tell when each sweep was recorded; they are numbered as in it."
        ),
        simulated=simulated,
    )


def _long_squares(summaries: Sequence[SweepSummary]) -> list[SweepSummary]:
    return [d for d in summaries if d.stimulus == Stimulus.LONG_SQUARE and d.main is not None]


def _firing(key: str, analysis: RecordingAnalysis, simulated: bool) -> None:
    left, right = st.columns(2)
    line = rate_current(analysis.recording, analysis.features)
    with left:
        if line is None:
            st.caption("No long square, no f–I curve.")
        else:
            place = analysis.features.provenance.get("f_i_curve_slope")
            used = [number in place.sweeps for number in line.sweeps] if place else [False] * len(line.sweeps)
            widgets.figure(
                plots.line_through(
                    line.x,
                    line.y,
                    (plots.AMPLITUDE, plots.RATE),
                    line=(line.slope, line.intercept) if np.isfinite(line.slope) else None,
                    fitted=used,
                    sweeps=line.sweeps,
                    legend=f"f–I slope {line.slope:.3g} Hz/pA",
                    simulated=simulated,
                ),
                f"rate-{key}",
                pd.DataFrame(
                    {"sweep": line.sweeps, "amplitude (pA)": line.x, "rate (Hz)": line.y, "in the slope": used}
                ),
                caption="Spikes over the square's duration; the line runs through the spiking squares."
                f"{few_points(sum(used))}",
                simulated=simulated,
            )
    with right:
        _rates(key, analysis.sweeps, simulated)


def few_points(n_used: int) -> str:
    """That a slope rests on very few sweeps, where it does."""
    return " **It rests on two spiking squares only**: read the slope with care." if n_used == 2 else ""


def trains_of(summaries: Sequence[SweepSummary]) -> tuple[pd.DataFrame, dict[str, tuple[Floats, Floats]], list[float]]:
    """Adaptation on every spiking long square, and the rates on some of them, evenly chosen.

    Parameters
    ----------
    summaries : sequence of SweepSummary
        The sweeps of a cell.

    Returns
    -------
    table : DataFrame
        Sweep, amplitude, number of spikes and adaptation index of each.
    trains : dict of title to (time in s, rate in Hz)
        Those that are drawn; several of one amplitude by their sweeps.
    amplitudes : list of float
        Of the trains, pA.
    """
    found, rows = [], []
    for one in _long_squares(summaries):
        if one.main is None or len(one.spikes) < 2:
            continue
        times = one.spikes.time_s("threshold") - one.main.start_s
        times = times[(times >= 0) & (times <= one.main.duration_s)]
        if times.size < 2:
            continue
        found.append((one.sweep.number, one.main.amplitude_pa, times))
        rows.append((one.sweep.number, one.main.amplitude_pa, times.size, adaptation_index(times)))
    table = pd.DataFrame(rows, columns=["sweep", "amplitude (pA)", "spikes", "adaptation index (ratio)"])
    picks = np.unique(np.linspace(0, len(found) - 1, min(SHOWN_TRAINS, len(found))).astype(int)) if found else []
    drawn = [found[k] for k in picks]
    alike = Counter(f"{amplitude:+.0f} pA" for _, amplitude, _ in drawn)
    trains = {}
    for number, amplitude, times in drawn:
        title = f"{amplitude:+.0f} pA"
        trains[title if alike[title] == 1 else f"{title}, sweep {number}"] = instantaneous_rate(times)
    return table, trains, [float(amplitude) for _, amplitude, _ in drawn]


def _rates(key: str, summaries: Sequence[SweepSummary], simulated: bool) -> None:
    table, trains, amplitudes = trains_of(summaries)
    known = table["adaptation index (ratio)"].dropna()
    middle = f" Median adaptation index {known.median():.3f} over {len(known)} sweeps" if len(known) else ""
    middle += f", {len(trains)} of them drawn." if middle and len(trains) < len(known) else "." if middle else ""
    widgets.figure(
        plots.firing(trains, traces.amplitude_colours(amplitudes), simulated),
        f"firing-{key}",
        table,
        caption=f"One over each interval between spikes; colour runs with the amplitude.{middle}",
        simulated=simulated,
    )


def _spike(key: str, summaries: Sequence[SweepSummary], simulated: bool, mates: Mates | None) -> None:
    first = [average_spike(d.sweep.v_mv, d.sweep.rate_hz, d.evoked_peaks[:1]) for d in _spiking(summaries)]
    cell = None
    if whole := [(t, mean) for t, mean, _, n in first if n and t.size == first[0][0].size]:
        shapes = np.array([mean for _, mean in whole])
        cell = plots.Waveform(f"this cell, {len(whole)} sweeps", whole[0][0], shapes.mean(axis=0), shapes.std(axis=0))
    left, right = st.columns(2)
    with left:
        against = mates.spike if mates else None
        levels = mates.levels if mates and against is None else None
        medians = (
            f" Dotted: median potentials of {escaped(mates.label)} cells in the table, which holds no sweeps."
            if mates and levels
            else ""
        )
        widgets.figure(
            plots.waveforms(cell, against, levels, simulated),
            f"waveform-{key}",
            None if cell is None else pd.DataFrame({"t (ms)": cell.t_ms, "V (mV)": cell.mean_mv, "sd": cell.sd_mv}),
            caption="First spike of each spiking long square, mean ± standard deviation, aligned at the peak."
            + (
                " Grey: mean ± standard deviation over cells of the class, 50 pA above rheobase."
                if against
                else medians
            ),
            simulated=simulated,
        )
    with right:
        _phase(key, summaries, simulated, mates)


def _spiking(summaries: Sequence[SweepSummary]) -> list[SweepSummary]:
    return [d for d in _long_squares(summaries) if d.evoked_peaks.size]


def _phase(key: str, summaries: Sequence[SweepSummary], simulated: bool, mates: Mates | None) -> None:
    noisy = [d for d in summaries if d.stimulus == Stimulus.NOISE and d.evoked_peaks.size > 10][:1]
    chosen = noisy or _spiking(summaries)[:1]
    loops = {}
    for one in chosen:
        t, mean, _, n_spikes = average_spike(one.sweep.v_mv, one.sweep.rate_hz, one.evoked_peaks)
        if n_spikes:
            name = f"this cell, mean of {n_spikes} spikes, sweep {one.sweep.number}"
            loops[name] = (mean, np.gradient(mean) / (t[1] - t[0]))
    label = f" Crosses: {escaped(mates.label)} medians of the features under noise." if mates else ""
    widgets.figure(
        plots.phase_plane(loops, mates.landmarks if mates else None, simulated),
        f"phase-{key}",
        pd.concat([pd.DataFrame({"loop": k, "V (mV)": v, "dV/dt (mV/ms)": s}) for k, (v, s) in loops.items()])
        if loops
        else None,
        caption=f"Average spike{' under noise' if noisy else ''}, aligned at the peak.{label}",
        simulated=simulated,
    )


def _noise(key: str, summaries: Sequence[SweepSummary], simulated: bool) -> None:
    noisy = [d for d in summaries if d.stimulus == Stimulus.NOISE]
    if not noisy:
        st.caption("No noise in the recording, so no spectrum.")
        return
    response, current = {}, {}
    for one in noisy[:3]:
        name = f"sweep {one.sweep.number}"
        inside = np.zeros(one.sweep.n_times, dtype=bool)
        for epoch in (e for e in one.epochs if e.stimulus is Stimulus.NOISE):
            inside[int(epoch.start_s * one.sweep.rate_hz) : int(epoch.end_s * one.sweep.rate_hz)] = True
        response[name] = power_spectrum(one.sweep.v_mv[inside], one.sweep.rate_hz)
        current[name] = power_spectrum(one.sweep.i_pa[inside], one.sweep.rate_hz)
    left, right = st.columns(2)
    for column, densities, unit, what in (
        (left, response, "mV", "Response"),
        (right, current, "pA", "Stimulus"),
    ):
        with column:
            widgets.figure(
                plots.spectrum(densities, unit, simulated),
                f"spectrum-{unit}-{key}",
                pd.concat([pd.DataFrame({"sweep": k, "Hz": f, f"{unit}²/Hz": d}) for k, (f, d) in densities.items()]),
                caption=f"{what}: power spectral density (Welch, 1 s segments) of the noise epochs, spikes included.",
                simulated=simulated,
            )
