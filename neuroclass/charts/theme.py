"""Common style of all figures: colours, margins, axis titles and the download button.

Text and grid colours are left to the page's theme, so that one figure serves light and dark.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from neuroclass.cell_types import BROAD_ORDER, COLOURS, HUMAN_SUBCLASS_ORDER, SUBCLASS_ORDER, Species, label_of
from neuroclass.features import BY_NAME

PALETTE: tuple[str, ...] = (
    "#4C78B8",
    "#AA4499",
    "#44AA99",
    "#A09A2B",
    "#CC6677",
    "#A183D6",
    "#5E8C31",
    "#8C2D5C",
    "#4BA3A8",
    "#7F7F7F",
)
"""For everything that is neither a class nor a species, whose colours these are not."""
UNKNOWN = "#9AA5AB"
ACCENT = "#1A88AD"
NEGATIVE, POSITIVE = "#6E8B1F", "#7B4FA3"
"""Against and for, below and above; no class has these colours."""
LOW_TO_HIGH = [[0.0, "#4A6FB0"], [0.5, "#A3A08C"], [1.0, "#E0B000"]]
"""Colours of deciles, which stand out from a light and a dark page."""
SIMULATED_NOTE = "simulated cells"
WARNING = "#C05621"
TINT = 0.18
"""Opacity of the inside of an outlined bar."""
FONT_PX = 12
"""Least size of ticks and legends."""
TITLE_WIDTH = 34
"""Characters of an axis title on one line: what fits beside the labels of a figure on a telephone."""
OWN = ("#D81B60", "#8E5CF0", "#009688", "#F4511E", "#7CB342", "#B8860B", "#78909C")
"""Colours of the user's cells among the cohort's, seen on light and dark."""
_ORDER = tuple(dict.fromkeys((*BROAD_ORDER, *SUBCLASS_ORDER, *HUMAN_SUBCLASS_ORDER, *(s.value for s in Species))))


def colours_of(values: Iterable[object]) -> dict[str, str]:
    """Colour of each value: the project's for classes and species, else one of the palette's ten."""
    names = ordered(values)
    spare = iter(PALETTE * (1 + len(names) // len(PALETTE)))
    return {name: COLOURS.get(name) or (UNKNOWN if name == "unknown" else next(spare)) for name in names}


def ordered(values: Iterable[object]) -> list[str]:
    """Distinct values as text: classes in canonical order, numbers by size, others by name, unknown last."""
    names = {as_text(value) for value in values}
    known = [name for name in _ORDER if name in names]
    rest = sorted(names - set(known) - {"unknown"}, key=_sort_key)
    return [*known, *rest, *({"unknown"} & names)]


def _sort_key(name: str) -> tuple[float, str]:
    number = re.match(r"\d+(\.\d+)?", name)
    return (float(number.group()) if number else float("inf"), name)


def as_text(value: object) -> str:
    """Display text of a category; ``unknown`` if missing."""
    return "unknown" if value is None or value != value else str(value)


def category(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """A metadata column as text; ``unknown`` where missing."""
    return column.map(as_text)


def species_groups(frame: pd.DataFrame, column: str) -> tuple["pd.Series[Any]", dict[str, str]]:
    """Groups of cells by a metadata column, those of each species apart where there are several.

    Parameters
    ----------
    frame : DataFrame
        Cells with ``species`` and the column.
    column : str
        Metadata column.

    Returns
    -------
    groups : Series of str
        Name of each cell's group, such as ``mouse Pvalb``; without the species where there is one only.
    colours : dict of str to str
        The groups in display order with their colours.
    """
    values, species = category(frame[column]), category(frame["species"])
    labels, colours = values.map(label_of), colours_of(values)
    if column == "species" or species.nunique() < 2:
        return labels, {label_of(name): colour for name, colour in colours.items()}
    groups = species + " " + labels
    present = set(groups)
    names = {f"{one} {label_of(name)}": colour for one in ordered(species) for name, colour in colours.items()}
    return groups, {name: colour for name, colour in names.items() if name in present}


def shown(frame: pd.DataFrame, feature: str) -> "pd.Series[Any]":
    """A feature's values in its display unit."""
    return frame[feature] * BY_NAME[feature].display_factor


def escape(text: object) -> str:
    """Escape text that plotly would interpret as markup."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def class_label(name: object) -> str:
    """A class as the field writes it, safe in a figure."""
    return escape(label_of(as_text(name)))


def finish(
    fig: go.Figure,
    *,
    height: int,
    x: str | None = None,
    y: str | None = None,
    simulated: bool = False,
    legend: bool = True,
) -> go.Figure:
    """Apply the common style to a figure.

    Parameters
    ----------
    fig : Figure
        The figure, changed in place.
    height : int
        Height, px.
    x, y : str, optional
        Axis titles with units; unchanged if omitted.
    simulated : bool
        Whether to mark the figure as showing simulated cells.
    legend : bool
        Whether to show the legend, above the plot.

    Returns
    -------
    Figure
    """
    fig.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 44 if legend else 28, "b": 8},
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.01,
            "x": 0,
            "title": {"text": ""},
            "font": {"size": FONT_PX},
        },
        showlegend=legend,
        colorway=list(PALETTE),
        hoverlabel={"align": "left"},
        modebar={"orientation": "h"},
    )
    if x is not None:
        fig.update_xaxes(title_text=wrapped(x))
    if y is not None:
        fig.update_yaxes(title_text=wrapped(y))
    fig.update_xaxes(automargin=True, tickfont_size=FONT_PX)
    fig.update_yaxes(automargin=True, tickfont_size=FONT_PX)
    if simulated and legend and any(map(_in_legend, fig.data)):
        fig.update_layout(legend_title={"text": f"<span style='color:{WARNING}'>{SIMULATED_NOTE}</span>   "})
    elif simulated:
        fig.add_annotation(
            text=SIMULATED_NOTE,
            xref="paper",
            yref="paper",
            x=1,
            y=1,
            xanchor="right",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": WARNING},
        )
    return fig


def _in_legend(trace: Any) -> bool:
    """Whether a trace has an entry in the legend."""
    return trace.type != "heatmap" and trace.showlegend is not False


def hollow(colours: Sequence[str], full: Sequence[bool]) -> dict[str, Any]:
    """Marker of bars in their colours: full ones, and outlines with a tint, which light and dark pages show alike."""
    return {
        "color": [colour if whole else faded(colour, TINT) for colour, whole in zip(colours, full, strict=True)],
        "line": {"color": list(colours), "width": [0 if whole else 1.5 for whole in full]},
    }


def faded(colour: str, opacity: float) -> str:
    """A colour that what is behind it shines through."""
    return f"rgba({', '.join(str(int(colour[k : k + 2], 16)) for k in (1, 3, 5))}, {opacity})"


def wrapped(title: str, width: int = TITLE_WIDTH) -> str:
    """A title on as many lines as it needs on a narrow screen."""
    return title if "<" in title else "<br>".join(textwrap.wrap(title, width, break_long_words=False))


def own_colour(number: int) -> str:
    """Colour of one of the user's cells, unlike those of the classes."""
    return OWN[number % len(OWN)]


def readable_on(colour: str) -> str:
    """Black or white, whichever has the larger contrast on a colour (WCAG's relative luminance)."""
    shares = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#FFFFFF"


def lines(text: object, width: int) -> str:
    """Text on as many lines as it needs, escaped; a value stays beside its unit."""
    bound = re.sub(r"(?<=\d) (?=\D)|(?<==) ", "\u00a0", str(text))
    return "<br>".join(map(escape, textwrap.wrap(bound, width, break_long_words=False)))


def note(text: str, height: int = 180) -> go.Figure:
    """An empty figure with a note why."""
    fig = go.Figure()
    fig.add_annotation(text=escape(text), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False)
    return finish(fig, height=height, legend=False)


def download_config(name: str, *, select: bool = False) -> dict[str, Any]:
    """Plotly options: SVG from the camera button, no logo, no network requests.

    Parameters
    ----------
    name : str
        File name without its ending.
    select : bool
        Whether to offer box and lasso selection.
    """
    remove: Sequence[str] = () if select else ("lasso2d", "select2d")
    return {
        "displaylogo": False,
        "modeBarButtonsToRemove": [*remove, "autoScale2d"],
        "toImageButtonOptions": {"format": "svg", "filename": f"neuroclass-{name}"},
        "responsive": True,
    }
