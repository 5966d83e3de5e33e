"""A cell whose recording is not at hand, drawn from its features."""

import pandas as pd
import streamlit as st

from neuroclass.charts import from_features as charts
from neuroclass.cohort.class_shape import median_landmarks, schematic_spike
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.schematic import square_responses
from neuroclass.features import FEATURE_NAMES, with_unit
from neuroclass.ui import widgets
from neuroclass.ui.cells.panels import Mates
from neuroclass.ui.text import escaped

RHEOBASE, SLOPE = "threshold_i_long_square", "f_i_curve_slope"
_CELL = "this cell"


def show(cells: Cohort, row: pd.Series, mates: Mates | None) -> None:
    """Schematic responses, spike and f–I line of the cell, with its class' medians; nothing if too little is known."""
    typical = _medians(cells, row) if mates else None
    every = {_CELL: row[list(FEATURE_NAMES)].astype(float)}
    shapes = {_CELL: median_landmarks(row.to_frame().T.infer_objects())}
    if mates and typical is not None:
        label = f"median {mates.label}"
        every[label], shapes[label] = typical, mates.landmarks
    responses = {name: square_responses(dict(values), shapes[name]) for name, values in every.items()}
    spikes = {name: spike for name, shape in shapes.items() if (spike := schematic_spike(shape)) is not None}
    rates = {
        name: (float(v[RHEOBASE]), float(v[SLOPE])) for name, v in every.items() if v[[RHEOBASE, SLOPE]].notna().all()
    }
    if not responses[_CELL] and _CELL not in spikes and _CELL not in rates:
        return
    st.markdown("**Drawn from its features, not from sweeps**")
    courses = [(name, "long square", *one) for name, found in responses.items() for one in found]
    courses += [(name, "spike under noise", *one) for name, one in spikes.items()]
    widgets.figure(
        charts.drawn(responses, spikes, rates, simulated=cells.simulated),
        f"from-features-{row['id']}",
        pd.DataFrame(
            [(name, what, t, v) for name, what, ts, vs in courses for t, v in zip(ts, vs, strict=True)],
            columns=["of", "drawn", "time (ms)", "potential (mV)"],
        ),
        caption="Schematic, by the table's numbers. Long squares: rest, time constant, sag, first-spike latency, up "
        "to the first spike. Spike: threshold, steepest rise, peak, steepest fall and fast trough "
        f"(measured width {escaped(with_unit('width', float(row['width'])))}). Rate: rheobase and f–I slope.",
        simulated=cells.simulated,
        needs_room=True,
    )


def _medians(cells: Cohort, row: pd.Series) -> "pd.Series[float]":
    """Median features of the cell's class."""
    column = "subclass" if row["subclass"] else "broad"
    frame = cells.frame
    mates = frame[(frame["species"] == row["species"]) & (frame[column] == row[column])]
    return mates[list(FEATURE_NAMES)].median()
