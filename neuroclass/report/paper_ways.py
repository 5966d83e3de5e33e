"""The paper's tables as figures: each system by every way of training and testing."""

from typing import Any

import pandas as pd

from neuroclass.charts.paper import ways
from neuroclass.report.paper_format import GROUPED, PRINTED, SELECTED, TITLES, UNSELECTED, Drawing


def _ways(rows: list[dict[str, Any]], name: str, both: bool) -> pd.DataFrame:
    """The numbers of a table with their spread: over runs one standard deviation, over donors the 95% interval."""
    found = []
    for row in rows:
        system = TITLES[row["system"]] + (f", {row['cells']}" if both else "")
        for way, metrics in ((PRINTED, row["published"]), (SELECTED, row["chosen"]), (UNSELECTED, row["unchosen"])):
            if metrics and name in metrics:
                mean, sd = _mean_of(metrics[name])
                found.append((system, way, mean, mean - sd, mean + sd))
        honest = row["honest"][name]
        found.append((system, GROUPED, honest["mean"], honest.get("low"), honest.get("high")))
    return pd.DataFrame(found, columns=["system", "way", "value", "low", "high"])


def _mean_of(value: Any) -> tuple[float, float]:
    """A metric and its standard deviation over runs, NaN where there is one."""
    if isinstance(value, int | float):
        return float(value), float("nan")
    return float(value["mean"]), float(value.get("sd") or "nan")


def drawn(key: str, rows: list[dict[str, Any]], both: bool, simulated: bool) -> tuple[Drawing, ...]:
    """Draw the accuracies of a table.

    Parameters
    ----------
    key : str
        Name of the figure.
    rows : list of dict
        The table's rows, as the reproduction holds them.
    both : bool
        Whether the rows are of both species.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    tuple of Drawing
    """
    numbers = _ways(rows, "accuracy", both)
    return (
        Drawing(
            key,
            lambda: ways(numbers, x="Accuracy (%)", simulated=simulated),
            "The accuracies of the table. Bars: one standard deviation over runs (without selection), 95% confidence "
            "interval over donors (donor-grouped).",
        ),
    )
