"""Words and numbers of the reproduced paper's sections: what one holds, and how a metric is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from neuroclass.evaluation.names import SYSTEM_TITLES
from neuroclass.types.shares import DASH, percent, with_interval

TITLES = {**SYSTEM_TITLES, "dann-paper": "DANN, the paper's recipe"}
NOT_PRINTED, NOT_SELECTED, NOT_KEPT = "not printed", "not selected", "not kept"
"""In place of a number: the paper has none; nothing was chosen on the test cells; it was computed but not stored."""
SYSTEM, PRINTED, SELECTED, UNSELECTED, GROUPED = (
    "System",
    "Published",
    "Selected on the test cells (optimistic)",
    "Without selection",
    "Donor-grouped",
)
COLUMNS = (SYSTEM, PRINTED, SELECTED, UNSELECTED, GROUPED)
METRICS = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}
REPRODUCED, WITH_SELECTION, NOT_REPRODUCED, NOTHING = (
    "Reproduced",
    "Only with selection on the test cells",
    "Not reproduced",
    "Nothing printed to compare",
)
TOLERANCE = 0.005
"""How far below the published accuracy one may be to count as reproduced, fraction of the cells."""
RULE = (
    f"{REPRODUCED}: without selection at most {100 * TOLERANCE:.1f} percentage points below the published accuracy. "
    f"{WITH_SELECTION}: so near only if chosen on the test cells."
)
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
    finding : str
        What it shows, in one sentence.
    shows : str
        What it is drawn from.
    tables : mapping of str to DataFrame
        Published, ours by the paper's protocol, ours donor-grouped; by metric where there are several, else under an
        empty name.
    why : tuple of str
        Why they differ, point by point.
    outcomes : mapping of str to str
        Whether each printed number was reproduced, by what it is of; under an empty name where there is one alone.
    heading : str
        What stands above the points.
    note : str
        What the numbers of the tables are; empty where they say so themselves.
    drawings : tuple of Drawing
        Its figures.
    """

    key: str
    title: str
    finding: str
    shows: str
    tables: Mapping[str, pd.DataFrame]
    why: tuple[str, ...]
    drawings: tuple[Drawing, ...] = ()
    note: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    heading: str = "Why they differ"

    @property
    def together(self) -> pd.DataFrame:
        """All tables in one, with the metric in a column where there are several."""
        if len(self.tables) == 1:
            return next(iter(self.tables.values()))
        named = (table.assign(Metric=metric) for metric, table in self.tables.items())
        rows = pd.concat(named, ignore_index=True)
        return rows[[rows.columns[0], "Metric", *rows.columns[1:-1]]]


def number(value: float) -> str:
    """A fraction as it is shown, in percent."""
    return percent(value)


def shown(metrics: Mapping[str, Any] | None, name: str, absent: str = DASH, missing: str = NOT_KEPT) -> str:
    """One of several metrics with its spread; else why there are none at all, or not this one."""
    if not metrics:
        return absent
    return metric(metrics[name]) if name in metrics else missing


def outcome(row: Mapping[str, Any]) -> str:
    """Whether a row's published accuracy was reached without selection, with it only, or not; see `RULE`."""
    if not row["published"]:
        return NOTHING
    least = row["published"]["accuracy"] - TOLERANCE
    for ways, found in ((row["unchosen"], REPRODUCED), (row["chosen"], WITH_SELECTION)):
        if ways and ways["accuracy"]["mean"] >= least:
            return found
    return NOT_REPRODUCED


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
