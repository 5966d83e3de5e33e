"""Titles of a figure's axes, and those that lack a unit."""

import plotly.graph_objects as go

ORDINALS = ("Epoch", "Trial", "Outer fold")


def axis_titles(figure: go.Figure) -> dict[str, str]:
    """Title of every axis that has one, by the axis' name in the layout."""
    layout = figure.to_plotly_json()["layout"]
    titles = {key: value.get("title", {}).get("text") for key, value in layout.items() if "axis" in key}
    return {key: title for key, title in titles.items() if title}


def without_unit(figure: go.Figure) -> dict[str, str]:
    """Titles of axes that show numbers and name no unit; names and ordinals need none, percent stands at the ticks."""
    return {
        key: title
        for key, title in axis_titles(figure).items()
        if "(" not in title
        and title not in ORDINALS
        and figure.layout[key].showticklabels is not False
        and _holds_numbers(figure, key)
        and not _in_percent(figure, key)
    }


def needs_titles(figure: go.Figure) -> bool:
    """Whether numbers stand at an axis; names, as of features and classes, say themselves what they are."""
    axes = [name for name in figure.to_plotly_json()["layout"] if "axis" in name]
    return any(figure.layout[name].showticklabels is not False and _holds_numbers(figure, name) for name in axes)


def _in_percent(figure: go.Figure, axis: str) -> bool:
    return (figure.layout[axis].tickformat or "").endswith("%")


def _holds_numbers(figure: go.Figure, axis: str) -> bool:
    letter, short = axis[0], axis.replace("axis", "")
    own = [trace for trace in figure.data if letter in trace and (trace[f"{letter}axis"] or letter) == short]
    values = [value for trace in own if trace[letter] is not None for value in trace[letter]]
    named = bool(figure.layout[axis].ticktext)
    return not named and not any(isinstance(value, str) for value in values)
