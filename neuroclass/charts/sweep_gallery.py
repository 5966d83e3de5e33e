"""All sweeps of a recording as small multiples, with the recognised stimuli shaded."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from neuroclass.charts.theme import ACCENT, PALETTE, UNKNOWN, escape, finish, note
from neuroclass.charts.traces import envelope
from neuroclass.types.arrays import Floats

COLUMNS = 6
TILE_PX = 104
POINTS_A_TILE = 480
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.04, 0.96, 0.06, 0.74  # of a tile, that its trace takes
_HOVER_WIDTH = 60
FADED = 0.35


@dataclass(frozen=True)
class Shade:
    """A stretch of a sweep: its stimulus' name, empty where none was recognised, and its start and end, s."""

    stimulus: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Tile:
    """One sweep to draw.

    Attributes
    ----------
    number : int
        The sweep's number.
    title : str
        Short text above the trace.
    about : str
        What was recognised and why, shown on hovering.
    v_mv : ndarray, shape (n_times,)
        Response, mV.
    rate_hz : float
        Sampling rate, Hz.
    shades : sequence of Shade
        Its stimuli.
    faded : bool
        Whether the sweep is left out.
    """

    number: int
    title: str
    about: str
    v_mv: Floats
    rate_hz: float
    shades: Sequence[Shade] = ()
    faded: bool = False


def sweep_gallery(tiles: Sequence[Tile], chosen: int | None = None, simulated: bool = False) -> go.Figure:
    """Draw every sweep in a tile of its own, on one scale of potential; a tile is chosen by clicking it.

    Parameters
    ----------
    tiles : sequence of Tile
        The sweeps, in order.
    chosen : int, optional
        Number of the sweep to frame.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
        Its last trace holds one point a tile, with the sweep's number as customdata.
    """
    if not tiles:
        return note("No sweep to draw.")
    stimuli = list(dict.fromkeys(s.stimulus for tile in tiles for s in tile.shades if s.stimulus))
    colours = dict(zip(stimuli, PALETTE, strict=False))
    finite = [tile.v_mv[np.isfinite(tile.v_mv)] for tile in tiles]
    low = min((float(v.min()) for v in finite if v.size), default=0.0)
    high = max((float(v.max()) for v in finite if v.size), default=1.0)
    fig = go.Figure()
    lines: dict[tuple[str, bool], tuple[list[float | None], list[float | None]]] = {}
    for place, tile in enumerate(tiles):
        main = next((s.stimulus for s in tile.shades if s.stimulus), "")
        x, y = lines.setdefault((main, tile.faded), ([], []))
        _trace(tile, place, low, max(high - low, 1e-9), x, y)
        _frame(fig, tile, place, colours, tile.number == chosen)
    for (stimulus, faded), (x, y) in lines.items():
        fig.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name="left out" if faded else escape(stimulus) or "not recognised",
            line={"width": 1, "color": colours.get(stimulus, UNKNOWN)},
            opacity=FADED if faded else 1.0,
            hoverinfo="skip",
        )
    fig.add_scatter(
        x=[place % COLUMNS + 0.5 for place in range(len(tiles))],
        y=[-(place // COLUMNS) - 0.5 for place in range(len(tiles))],
        mode="markers",
        marker={"size": TILE_PX - 14, "symbol": "square", "opacity": 0.001, "color": UNKNOWN},
        customdata=[[tile.number] for tile in tiles],
        text=[_about(tile) for tile in tiles],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    rows = -(-len(tiles) // COLUMNS)
    finish(fig, height=56 + TILE_PX * rows, simulated=simulated)
    fig.update_xaxes(visible=False, range=[0, COLUMNS], fixedrange=True)
    fig.update_yaxes(visible=False, range=[-rows, 0.02], fixedrange=True)
    fig.update_layout(clickmode="event+select", dragmode=False, hovermode="closest")
    return fig


def _trace(tile: Tile, place: int, low: float, span: float, x: list[float | None], y: list[float | None]) -> None:
    """Add a tile's response, thinned, and a gap after it."""
    index, kept = envelope(tile.v_mv, POINTS_A_TILE)
    across = _LEFT + (_RIGHT - _LEFT) * index / max(tile.v_mv.size - 1, 1)
    up = _BOTTOM + (_TOP - _BOTTOM) * (kept - low) / span
    x += [*np.round(place % COLUMNS + across, 4).tolist(), None]
    y += [*np.round(up - place // COLUMNS - 1, 4).tolist(), None]


def _frame(fig: go.Figure, tile: Tile, place: int, colours: dict[str, str], chosen: bool) -> None:
    """Shade a tile's stimuli, write its title, and frame it if it is chosen."""
    left, bottom = place % COLUMNS, -(place // COLUMNS) - 1
    duration = max(tile.v_mv.size / tile.rate_hz, 1e-9)
    for shade in tile.shades:
        start, end = (left + _LEFT + (_RIGHT - _LEFT) * s / duration for s in (shade.start_s, shade.end_s))
        colour = colours.get(shade.stimulus, UNKNOWN)
        box = {"x0": start, "x1": max(end, start + 0.012), "y0": bottom + _BOTTOM, "y1": bottom + _TOP}
        fig.add_shape(type="rect", **box, fillcolor=colour, opacity=0.18, line={"width": 0}, layer="below")
    if chosen:
        box = {"x0": left + 0.01, "x1": left + 0.99, "y0": bottom + 0.01, "y1": bottom + 0.99}
        fig.add_shape(type="rect", **box, line={"width": 2, "color": ACCENT})
    fig.add_annotation(
        x=left + _LEFT,
        y=bottom + 0.97,
        text=escape(tile.title),
        showarrow=False,
        xanchor="left",
        yanchor="top",
        font={"size": 11},
    )


def _about(tile: Tile) -> str:
    return "<br>".join(escape(line) for line in textwrap.wrap(f"Sweep {tile.number}: {tile.about}", _HOVER_WIDTH))
