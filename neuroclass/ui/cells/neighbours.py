"""The nearest neighbours of a cell within and across species, with their sweeps side by side."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import Species, label_of
from neuroclass.charts import cell_gallery, traces
from neuroclass.cohort.class_shape import ABOVE_RHEOBASE_PA
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.nearest import COMPARED, nearest_cells, standard_scores
from neuroclass.ephys.cell_features import recording_epochs
from neuroclass.ephys.sweep import Recording
from neuroclass.ephys.sweep_summary import summarise_sweeps
from neuroclass.errors import NeuroClassError
from neuroclass.features import Stimulus
from neuroclass.ui import cache, widgets
from neuroclass.ui.cells.sweep_summary import trace_of
from neuroclass.ui.selection import chosen_ids, table_key
from neuroclass.ui.text import escaped

N_LISTED, N_DRAWN = 5, 2
_LONGEST = 18
"""Letters of a name that fit above a panel."""


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=cache.HASHES)
def _scores(cells: Cohort) -> pd.DataFrame:
    return standard_scores(cells)


def show(cells: Cohort, row: pd.Series, open_cell: Any, predicted: Mapping[str, str]) -> None:
    """Show the nearest cells of both species.

    Parameters
    ----------
    cells : Cohort
        All cells.
    row : Series
        The cell in question.
    open_cell : callable
        Opens a cell by id, or none.
    predicted : mapping of str to str
        Predicted class of the cell by label column, ``subclass`` or ``broad``, as far as a model gave one.
    """
    scores = _scores(cells)
    own = str(row["species"])
    groups = [own, *(s.value for s in Species if s.value != own and (cells.frame["species"] == s.value).any())]
    found = {species: nearest_cells(cells, scores, str(row["id"]), species, N_LISTED) for species in groups}
    if finding := agreement(found, own, predicted):
        st.markdown(finding)
    with st.container(key="nearest"):  # one below the other where the page is narrow
        columns = st.columns(2)
    for column, (species, table) in zip(columns, found.items(), strict=False):
        with column:
            _list(species, species == own, table, open_cell, cells.simulated)
    near = [str(i) for species in groups for i in found[species]["id"].head(N_DRAWN)]
    _gallery(cells, row, near)


def _list(species: str, same: bool, table: pd.DataFrame, open_cell: Any, simulated: bool) -> None:
    st.markdown(f"**Nearest {species} cells in all {len(COMPARED)} measured features**")
    shown = table.assign(**{"class": [_class(one) for _, one in table.iterrows()]})
    ids = table["id"].astype(str).tolist()
    event: Any = st.dataframe(
        shown[["id", "class", "layer", "distance"]].rename(columns={"id": "Cell", "class": "Class", "layer": "Layer"}),
        hide_index=True,
        key=table_key(f"nearest-{species}", ids),
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Layer": st.column_config.TextColumn(width=52),
            "distance": st.column_config.NumberColumn("Distance (SD)", format="%.2f", help="Per feature"),
        },
    )
    picked = chosen_ids(event, ids)
    st.button(
        "Open the ticked cell",
        key=f"open-{species}",
        disabled=not picked,
        on_click=open_cell,
        args=(picked[0] if picked else None,),
    )
    scope = "" if same else ", each within its own species; the Domains page lists those nearest in DANN's features"
    widgets.figure_footer(
        f"nearest-{species}",
        shown,
        caption=f"Distance: root mean square difference of standard scores over the {len(COMPARED)} features that "
        f"sweeps give{scope}.",
        simulated=simulated,
    )


def agreement(found: Mapping[str, pd.DataFrame], own: str, predicted: Mapping[str, str]) -> str:
    """How many of the nearest cells carry the predicted class, and why the others need not contradict the model.

    Parameters
    ----------
    found : mapping of str to DataFrame
        The nearest cells of each species, with ``broad`` and ``subclass``.
    own : str
        The cell's species.
    predicted : mapping of str to str
        Predicted class by label column.

    Returns
    -------
    str
        Empty where no model gave a class that the nearest cells can carry.
    """
    parts, all_same = [], True
    for species, table in found.items():
        column = next((c for c in ("subclass", "broad") if c in predicted and (c == "broad" or species == own)), "")
        labels = table[column].dropna() if column else pd.Series(dtype=str)
        labels = labels[labels != ""]
        if not len(labels):
            continue
        n_same = int((labels == predicted[column]).sum())
        all_same &= n_same == len(labels)
        said = (
            f"{n_same} of the {len(labels)} nearest {species} cells {'is' if n_same == 1 else 'are'} "
            f"{label_of(predicted[column])}, as predicted"
        )
        commonest, n_cells = labels.value_counts().index[0], int(labels.value_counts().iloc[0])
        parts.append(f"{said}, {n_cells} are {label_of(str(commonest))}" if n_cells > max(n_same, 1) else said)
    if not parts:
        return ""
    text = f"{escaped('; '.join(parts))}."
    if all_same:
        return text
    return (
        f"{text} Nearness and model may disagree: distance counts all {len(COMPARED)} features alike, the model weighs "
        "them by how well they separate the classes."
    )


def _class(row: "pd.Series[Any]") -> str:
    return label_of(str(row["subclass"] or row["broad"] or "unknown"))


@st.cache_resource(max_entries=40, show_spinner=False)
def pair(source: str, cell_id: str) -> tuple[traces.Trace, ...]:
    """The most hyperpolarising long square and one about 50 pA above rheobase; empty without sweeps."""
    recording = _quick(source, cell_id)
    if recording is None:
        return ()
    summaries = [d for d in summarise_sweeps(recording, recording_epochs(recording)) if d.main is not None]
    squares = [d for d in summaries if d.stimulus == Stimulus.LONG_SQUARE]
    amplitude = {d.sweep.number: d.main.amplitude_pa for d in squares if d.main}
    spiking = [d for d in squares if len(d.spikes)]
    if not spiking:
        return tuple(trace_of(d) for d in squares[:1])
    wanted = min(amplitude[d.sweep.number] for d in spiking) + (0 if cache.cohort().simulated else ABOVE_RHEOBASE_PA)
    lowest = min(squares, key=lambda d: amplitude[d.sweep.number])
    nearest = min(spiking, key=lambda d: abs(amplitude[d.sweep.number] - wanted))
    return tuple(trace_of(d) for d in dict.fromkeys((lowest, nearest)))


def _quick(source: str, cell_id: str) -> Recording | None:
    """Sweeps of a cell of the cohort; None of another laboratory's cell, whose features alone are loaded."""
    cells = cache.cohort()
    if cells.source != source:
        return None
    if cells.simulated:
        from neuroclass.cohort.demo import simulate_demo_squares

        return simulate_demo_squares(cell_id, ABOVE_RHEOBASE_PA)
    try:
        found = cache.analysis(source, cell_id)
    except NeuroClassError:
        return None
    return None if isinstance(found, str) else found.recording


@st.fragment
def _gallery(cells: Cohort, row: pd.Series, near: list[str]) -> None:
    ids = [str(row["id"]), *near]
    names = cells.frame.set_index("id").loc[ids]
    panels = []
    for cell_id in ids:
        drawn = pair(cells.source, cell_id)
        if drawn:
            one = names.loc[cell_id]
            title = "this cell" if cell_id == ids[0] else _short(cell_id)
            panels.append(cell_gallery.Panel(title, f"{one['species']} {_class(one)}", drawn, window_of(drawn)))
    if len(panels) < 2:
        st.caption("Their sweeps are drawn here once their recordings are on this machine.")
        return
    widgets.figure(
        cell_gallery.gallery(panels, cells.simulated),
        "neighbours",
        caption=f"The most hyperpolarising long square, and one about {ABOVE_RHEOBASE_PA:g} pA above rheobase: this "
        f"cell, then the {N_DRAWN} nearest of each species whose sweeps are at hand.",
        simulated=cells.simulated,
        needs_room=True,
    )


def _short(cell_id: str) -> str:
    name = cell_id.removeprefix("simulated-")
    return name if len(name) <= _LONGEST else f"…{name[-_LONGEST:]}"


def window_of(pair: tuple[traces.Trace, ...]) -> tuple[float, float]:
    """From 0.1 s before the first step to 0.2 s after the last, s."""
    starts, ends = [], []
    for trace in pair:
        away = abs(trace.i_pa - trace.i_pa[0]) > 1.0
        if away.any():
            starts.append(float(away.argmax()) / trace.rate_hz)
            ends.append((away.size - float(away[::-1].argmax())) / trace.rate_hz)
    longest = max(trace.v_mv.size / trace.rate_hz for trace in pair)
    return (max(0.0, min(starts) - 0.1), min(longest, max(ends) + 0.2)) if starts else (0.0, longest)
