"""Words and numbers of the reproduced paper's sections: what one holds, and how a metric is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from neuroclass.evaluation.names import SYSTEM_TITLES
from neuroclass.types.shares import DASH, percent, with_interval

TITLES = {**SYSTEM_TITLES, "dann-paper": "DANN, the paper's recipe"}
NOT_PRINTED = "no number printed"
GROUPED = "donor-grouped protocol"
COLUMNS = (
    "system",
    "published",
    "published protocol, best on the test cells",
    "published protocol, no selection",
    GROUPED,
)
METRICS = ("accuracy", "macro_f1")
FIGURE = "The paper prints this as a picture, so there are no published numbers to compare with."


@dataclass(frozen=True)
class Drawing:
    """A figure with its caption; drawn when it is asked for."""

    name: str
    draw: Callable[[], go.Figure]
    caption: str


@dataclass(frozen=True)
class Section:
    """One table or figure of the paper.

    Attributes
    ----------
    key, title : str
        For links, and for people.
    shows : str
        What it is drawn from.
    table : DataFrame
        Published, ours by the published protocol, ours donor-grouped.
    why : str
        Why they differ.
    note : str
        What the numbers of the table are; empty where they say so themselves.
    drawings : tuple of Drawing
        Its figures.
    """

    key: str
    title: str
    shows: str
    table: pd.DataFrame
    why: str
    drawings: tuple[Drawing, ...] = ()
    note: str = ""


def number(value: float) -> str:
    """A fraction as it is shown, in percent."""
    return percent(value)


def shown(metrics: Mapping[str, Any] | None) -> str:
    """Accuracy / macro F1 with their spread; a dash where there are none."""
    if not metrics:
        return DASH
    return " / ".join(metric(metrics[name]).removesuffix("%") for name in METRICS if name in metrics) + "%"


def metric(value: Any) -> str:
    """One metric in percent, with the spread over runs where there are several."""
    if isinstance(value, int | float):
        return number(float(value))
    if "sd" not in value or value["sd"] == 0:
        return number(float(value["mean"]))
    return f"{100 * float(value['mean']):.1f} ± {100 * float(value['sd']):.1f}%"


def interval(value: Mapping[str, float]) -> str:
    """A metric in percent with its 95% interval over donors."""
    return with_interval(value)
