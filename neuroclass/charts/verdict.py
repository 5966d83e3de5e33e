"""Figures of one verdict: its probabilities in little room, and before and after a change."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from neuroclass.cell_types import COLOURS
from neuroclass.charts.theme import ACCENT, class_label, escape, finish
from neuroclass.classification.result import Prediction

_LETTERS = 48
"""Letters that fit into the whole bar at its narrowest."""
_PALE = 0.35


def strips(predictions: Mapping[str, Prediction], height: int = 92) -> go.Figure:
    """Calibrated probabilities of each task as one bar from 0 to 1; classes outside the prediction set are pale.

    Parameters
    ----------
    predictions : mapping of title to Prediction
        From top to bottom.
    height : int
        Height, px.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    for title, prediction in predictions.items():
        for name in sorted(prediction.probabilities, key=lambda one: -prediction.probabilities[one]):
            share = prediction.probabilities[name]
            inside = name in prediction.prediction_set and not prediction.abstain
            colour = COLOURS.get(name, ACCENT)
            fig.add_bar(
                x=[share],
                y=[escape(title)],
                orientation="h",
                marker={"color": colour if inside else _pale(colour), "line": {"width": 1, "color": "white"}},
                text=_written(class_label(name), share),
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                constraintext="none",
                textfont={"size": 12, "color": _readable_on(colour) if inside else "#000000"},
                hovertemplate=f"{class_label(name)}: {share:.1%}{'' if inside else ', outside the set'}<extra></extra>",
            )
    finish(fig, height=height, legend=False)
    fig.update_layout(barmode="stack", bargap=0.18, margin={"t": 4, "b": 4, "l": 4, "r": 4})
    fig.update_xaxes(visible=False, range=[0, 1])
    return fig.update_yaxes(title_text="", autorange="reversed", showticklabels=False)


def _written(label: str, share: float) -> str:
    """A class and its probability as far as they fit into its part of the bar."""
    return next((text for text in (f"{label} {_percent(share)}", label) if len(text) <= share * _LETTERS), "")


def _percent(share: float) -> str:
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def _pale(colour: str) -> str:
    """A colour mixed with white."""
    parts = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 - _PALE * (255 - part)):02X}" for part in parts)


def _readable_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#FFFFFF"


def before_after(
    before: Mapping[str, float],
    after: Mapping[str, float],
    names: Sequence[str] = ("before", "after"),
    *,
    simulated: bool = False,
) -> go.Figure:
    """Probabilities of the classes before (pale) and after a change.

    Parameters
    ----------
    before, after : mapping of class to float
        Probabilities of the same classes.
    names : sequence of str
        What the two are called.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    classes = list(before)
    fig = go.Figure()
    for name, shares, opacity in ((names[0], before, _PALE), (names[1], after, 1.0)):
        fig.add_bar(
            y=[class_label(one) for one in classes],
            x=[shares[one] for one in classes],
            name=escape(name),
            orientation="h",
            marker={"color": [COLOURS.get(one, ACCENT) for one in classes], "opacity": opacity},
            text=[f"{shares[one]:.1%}" for one in classes],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}, {escape(name)}: %{{x:.3f}}<extra></extra>",
        )
    fig.update_xaxes(range=[0, 1.14], tickvals=[0, 0.25, 0.5, 0.75, 1])
    finish(fig, height=84 + 44 * len(classes), x="Calibrated probability", y="Class", legend=False, simulated=simulated)
    return fig.update_yaxes(autorange="reversed")
