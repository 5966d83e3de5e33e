"""The passive response of a cell: time constant and sag on their traces, and the V–I curve."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.charts import cell_plots as plots
from neuroclass.charts import traces
from neuroclass.charts.theme import PALETTE
from neuroclass.ephys.cell_features import CellFeatures, sweep_of
from neuroclass.ephys.fitted import (
    Sag,
    TauFit,
    lowest_point,
    rest_levels,
    sag_levels,
    tau_fits,
    voltage_current,
)
from neuroclass.ephys.sweep import Recording
from neuroclass.ui import widgets
from neuroclass.ui.text import escaped


def show(key: str, recording: Recording, features: CellFeatures, simulated: bool) -> None:
    """Time constant and sag on their traces, and the V–I curve."""
    left, right = st.columns(2)
    with left:
        _tau(key, recording, features, simulated)
    with right:
        _sag(key, recording, features, simulated)
    line = voltage_current(recording, features)
    if line is None:
        st.caption(f"No V–I curve: {escaped(features.missing.get('ri', 'not measured'))}.")
        return
    widgets.figure(
        plots.line_through(
            line.x,
            line.y,
            (plots.CURRENT, plots.LOWEST),
            line=(line.slope, line.intercept),
            sweeps=line.sweeps,
            legend=f"input resistance {1e3 * line.slope:.3g} MΩ",
            simulated=simulated,
        ),
        f"vi-{key}",
        pd.DataFrame({"sweep": line.sweeps, "current (pA)": line.x, "lowest potential (mV)": line.y}),
        caption="Lowest potential of each non-spiking long square between −100 and 0 pA; the slope is the input "
        "resistance.",
        simulated=simulated,
    )


def _trace(recording: Recording, features: CellFeatures, number: int) -> traces.Trace:
    sweep = sweep_of(recording, number)
    amplitude = next((e.amplitude_pa for e in features.epochs if e.sweep_number == number), 0.0)
    return traces.Trace(f"sweep {number}, {amplitude:+.0f} pA", sweep.v_mv, sweep.i_pa, sweep.rate_hz, amplitude)


def _tau(key: str, recording: Recording, features: CellFeatures, simulated: bool) -> None:
    fits = tau_fits(recording, features)
    if not fits:
        st.caption(f"No time constant: {escaped(features.missing.get('tau', 'not measured'))}.")
        return
    fig = traces.sweeps(
        [_trace(recording, features, f.sweep) for f in fits],
        curves=tau_curves(fits),
        window=tau_window(fits),
        simulated=simulated,
        height=400,
    )
    mean = float(np.mean([f.tau_ms for f in fits]))
    widgets.figure(
        fig.update_layout(showlegend=False),
        f"tau-{key}",
        pd.DataFrame({"sweep": [f.sweep for f in fits], "time constant (ms)": [f.tau_ms for f in fits]}),
        caption=f"Exponential fits (orange) from 10% of the deflection to its lowest point; their mean is tau, "
        f"{mean:.3g} ms.",
        simulated=simulated,
    )


def tau_window(fits: Sequence[TauFit]) -> tuple[float, float]:
    """Window, s, from just before the fits to eight time constants later."""
    start, stop = min(f.t_s[0] for f in fits), max(f.t_s[-1] for f in fits)
    return max(0.0, start - 0.03), min(stop + 0.05, start + 8 * max(f.tau_ms for f in fits) / 1e3)


def tau_curves(fits: Sequence[TauFit]) -> list[traces.Curve]:
    """The fitted exponentials within `tau_window`."""
    end = tau_window(fits)[1]
    thinned = [(f, np.flatnonzero(f.t_s <= end)[::10]) for f in fits]
    return [traces.Curve(f"fit, {f.tau_ms:.3g} ms", f.t_s[k], f.v_mv[k]) for f, k in thinned]


def _sag(key: str, recording: Recording, features: CellFeatures, simulated: bool) -> None:
    sag = sag_levels(recording, features)
    if sag is None:
        st.caption(f"No sag: {escaped(features.missing.get('sag', 'not measured'))}.")
        return
    fig = traces.sweeps(
        [_trace(recording, features, sag.sweep)],
        curves=sag_curves(sag),
        window=(max(0.0, sag.baseline[0] - 0.05), sag.steady[1] + 0.1),
        simulated=simulated,
        height=400,
    )
    widgets.figure(
        fig,
        f"sag-{key}",
        pd.DataFrame(
            [(name, *getattr(sag, name)) for name in ("baseline", "peak", "steady")],
            columns=["level", "start (s)", "end (s)", "mean potential (mV)"],
        ),
        caption=f"Sweep {sag.sweep}: ({sag.peak[2]:.1f} − {sag.steady[2]:.1f}) / ({sag.peak[2]:.1f} − "
        f"{sag.baseline[2]:.1f}) mV = sag {sag.value:.3f}.",
        simulated=simulated,
    )


def sag_curves(sag: Sag) -> list[traces.Curve]:
    """The three levels of a sag, each over the stretch it is the mean of, and carried to the steady state."""
    end = sag.steady[1]
    return [
        traces.Curve("baseline", [sag.baseline[0], end], [sag.baseline[2]] * 2, PALETTE[2], "dot"),
        traces.Curve("peak", [sag.peak[0], end], [sag.peak[2]] * 2, PALETTE[1], "dot"),
        traces.Curve("steady state", [sag.steady[0], end], [sag.steady[2]] * 2, PALETTE[3]),
    ]


def overlays(
    feature: str, recording: Recording, features: CellFeatures
) -> tuple[list[traces.Curve], list[traces.Mark], tuple[float, float] | None]:
    """What to draw over the sweeps a passive feature was measured on: curves, points and the stretch of time, s."""
    if feature in ("sag", "vm_for_sag") and (sag := sag_levels(recording, features)):
        return sag_curves(sag), [], (max(0.0, sag.baseline[0] - 0.05), sag.steady[1] + 0.1)
    if feature == "tau" and (fits := tau_fits(recording, features)):
        return tau_curves(fits), [], tau_window(fits)
    if feature == "ri" and (line := voltage_current(recording, features)):
        points = [lowest_point(recording, features, number) for number in dict.fromkeys(line.sweeps)]
        mark = traces.Mark(
            "lowest potential", [t for t, _ in points], [v for _, v in points], "triangle-down", PALETTE[1]
        )
        return [], [mark], None
    if feature == "vrest":
        spans = rest_levels(recording, features)
        return [traces.Curve("rest", [a, b], [v, v], PALETTE[1]) for _, a, b, v in spans], [], None
    return [], [], None
