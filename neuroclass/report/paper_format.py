"""Words and numbers of the reproduced paper's sections: what one holds, and how a metric is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from neuroclass.evaluation.names import SYSTEM_TITLES

TITLES = {**SYSTEM_TITLES, "dann-paper": "DANN, the paper's recipe"}
NOT_PRINTED = "no number known to us"
COLUMNS = (
    "system",
    "published",
    "published protocol, chosen on the test cells",
    "published protocol, not chosen",
    "honest protocol",
)
METRICS = ("accuracy", "macro_f1")
FIGURE = "The paper prints a picture; its numbers are not known to us, so none stands here as published."


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
        Published, ours as published, ours honest.
    why : str
        Why they differ.
    drawings : tuple of Drawing
        Its figures.
    """

    key: str
    title: str
    shows: str
    table: pd.DataFrame
    why: str
    drawings: tuple[Drawing, ...] = ()


def number(value: float) -> str:
    """A fraction as it is shown."""
    return f"{value:.3f}"


def shown(metrics: Mapping[str, Any] | None) -> str:
    """Accuracy / macro F1 with their interval or spread; a dash where there are none."""
    if not metrics:
        return "–"
    return " / ".join(metric(metrics[name]) for name in METRICS if name in metrics)


def metric(value: Any) -> str:
    """One metric, with the spread over runs where there are several."""
    if isinstance(value, int | float):
        return number(float(value))
    mean = number(float(value["mean"]))
    if "sd" not in value or value["sd"] == 0:
        return mean
    return f"{mean} ± {number(float(value['sd']))}"


def interval(value: Mapping[str, float]) -> str:
    """A metric with its 95% interval over donors."""
    return f"{number(value['mean'])} [{number(value['low'])}, {number(value['high'])}]"
