"""Figures of one verdict: its probabilities in little room, and before and after a change."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from neuroclass.cell_types import COLOURS
from neuroclass.charts.theme import ACCENT, class_label, escape, finish, hollow, readable_on
from neuroclass.classification.result import Prediction

LETTERS = 48
"""Letters that fit into the whole bar at its narrowest."""
_LEAST_WRITTEN = 0.01
"""Probability from which a class that has no room in the bar is written below it."""


def strips(
    predictions: Mapping[str, Prediction], height: int = 92, named: bool = False, letters: int = LETTERS
) -> go.Figure:
    """Calibrated probabilities of each task as one bar from 0 to 1; classes outside the prediction set are outlines.

    Parameters
    ----------
    predictions : mapping of title to Prediction
        From top to bottom.
    height : int
        Height, px.
    named : bool
        Whether each bar has its title at the left.
    letters : int
        Letters that fit into the whole bar at its narrowest; a class that has no room is written below it.

    Returns
    -------
    Figure
        Classes inside the set are written into their parts of the bar, where there is room; others below it, each with
        its colour.
    """
    fig = go.Figure()
    for title, prediction in predictions.items():
        below = []
        for name in sorted(prediction.probabilities, key=lambda one: -prediction.probabilities[one]):
            share = prediction.probabilities[name]
            inside = name in prediction.prediction_set and not prediction.abstain
            colour, label = COLOURS.get(name, ACCENT), class_label(name)
            text = _written(label, share, letters) if inside else ""
            if not text and share >= _LEAST_WRITTEN:
                square = f"<span style='color:{colour}'>{'■' if inside else '□'}</span>"
                below.append(f"{square} {label} {_percent(share)}")
            fig.add_bar(
                x=[share],
                y=[escape(title)],
                orientation="h",
                marker=hollow([colour], [inside]),
                text=text,
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                constraintext="none",
                textfont={"size": 12, "color": readable_on(colour)},
                hovertemplate=f"{label}: {share:.1%}{'' if inside else ', outside the set'}<extra></extra>",
            )
        fig.add_annotation(
            x=1,
            y=escape(title),
            yshift=-19,
            text="   ".join(below),
            showarrow=False,
            xanchor="right",
            font={"size": 12},
            visible=bool(below),
        )
    finish(fig, height=height, legend=False)
    fig.update_layout(barmode="stack", bargap=0.54, margin={"t": 0, "b": 8, "l": 4, "r": 4})
    fig.update_xaxes(visible=False, range=[0, 1])
    return fig.update_yaxes(title_text="", range=[len(predictions) - 0.5, -0.5], showticklabels=named)


def _written(label: str, share: float, letters: int) -> str:
    """A class and its probability where they fit into its part of the bar."""
    text = f"{label} {_percent(share)}"
    return text if len(text) <= share * letters else ""


def _percent(share: float) -> str:
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def before_after(
    before: Mapping[str, float],
    after: Mapping[str, float],
    names: Sequence[str] = ("before", "after"),
    *,
    simulated: bool = False,
) -> go.Figure:
    """Probabilities of the classes before (outlines) and after a change.

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
    for name, shares, full in ((names[0], before, False), (names[1], after, True)):
        fig.add_bar(
            y=[class_label(one) for one in classes],
            x=[100 * shares[one] for one in classes],
            name=escape(name),
            orientation="h",
            marker=hollow([COLOURS.get(one, ACCENT) for one in classes], [full] * len(classes)),
            text=[f"{shares[one]:.1%}" for one in classes],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}, {escape(name)}: %{{x:.1f}}%<extra></extra>",
        )
    fig.update_xaxes(range=[0, 114], tickvals=[0, 25, 50, 75, 100])
    finish(fig, height=84 + 44 * len(classes), x="Probability (%)", y="Class", legend=False, simulated=simulated)
    return fig.update_yaxes(autorange="reversed")
