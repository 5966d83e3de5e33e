"""A cell whose recording is not at hand, drawn from its features."""

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.charts import from_features as charts
from neuroclass.cohort.class_shape import median_landmarks, schematic_spike
from neuroclass.cohort.cohort import Cohort
from neuroclass.features import with_unit
from neuroclass.ui import widgets
from neuroclass.ui.cells.panels import Mates
from neuroclass.ui.text import escaped

RHEOBASE, SLOPE = "threshold_i_long_square", "f_i_curve_slope"
_CELL = "this cell"


def show(cells: Cohort, row: pd.Series, mates: Mates | None) -> None:
    """A schematic spike and the f–I line of the cell, with the medians of its class; nothing if too little is known."""
    alone = row.to_frame().T.infer_objects()
    label = "" if mates is None else f"median {mates.label}"
    shapes = {_CELL: median_landmarks(alone), **({label: mates.landmarks} if mates else {})}
    spikes = {name: spike for name, shape in shapes.items() if (spike := schematic_spike(shape)) is not None}
    rates = {}
    if np.isfinite(float(row[RHEOBASE])) and np.isfinite(float(row[SLOPE])):
        rates[_CELL] = float(row[RHEOBASE]), float(row[SLOPE])
    if _CELL not in spikes and not rates:
        return
    if mates and rates and (middle := _medians(cells, row)):
        rates[label] = middle
    st.markdown("**Drawn from its features, not from sweeps**")
    widgets.figure(
        charts.drawn(spikes, rates, simulated=cells.simulated),
        f"from-features-{row['id']}",
        pd.DataFrame(
            [(name, t, v) for name, (ts, vs) in spikes.items() for t, v in zip(ts, vs, strict=True)],
            columns=["of", "time from threshold (ms)", "potential (mV)"],
        ),
        caption="A schematic: the spike under noise through its threshold, steepest rise, peak, steepest fall and fast "
        f"trough (width {escaped(with_unit('width', float(row['width'])))} in the table); the rate by rheobase and f–I "
        "slope, whose number of spiking sweeps the table does not hold.",
        simulated=cells.simulated,
    )


def _medians(cells: Cohort, row: pd.Series) -> tuple[float, float] | None:
    """Median rheobase and f–I slope of the cell's class, pA and Hz/pA."""
    column = "subclass" if row["subclass"] else "broad"
    frame = cells.frame
    mates = frame[(frame["species"] == row["species"]) & (frame[column] == row[column])]
    rheobase, slope = (float(mates[name].median()) for name in (RHEOBASE, SLOPE))
    return (rheobase, slope) if np.isfinite(rheobase) and np.isfinite(slope) else None
