"""Parts of the Gates page."""

import pandas as pd
import streamlit as st

from neuroclass.charts import gates as charts
from neuroclass.charts.theme import ordered
from neuroclass.features import FEATURES, Stimulus
from neuroclass.ui import cache, widgets

SHOWN_CELLS = 600
WITHIN, ACROSS = "within classes", "across classes"


def matrix() -> None:
    """The clustered gate matrix."""
    order = widgets.choice("Cluster cells", [WITHIN, ACROSS], "cluster")
    gates, rows, columns = cache.gate_trees(order == WITHIN, SHOWN_CELLS)
    names = [spec.name for spec in FEATURES]
    total = len(cache.table("lspin", "gates"))
    sampled = (
        f"{len(gates):,} of {total:,} held-out mouse cells, drawn with a fixed seed"
        if len(gates) < total
        else (f"{total:,} held-out mouse cells")
    )
    widgets.figure(
        charts.matrix(gates.set_index("id")[names], gates["truth"], rows, columns),
        "gate-matrix",
        lambda: gates.iloc[rows.order],
        caption=f"{sampled}; LSPIN, donor-grouped cross-validation. Black: shut, white: open. Average-linkage "
        f"clustering {order}; left: true class, top: stimulus of the feature. Laid out as the paper's Figure 9.",
    )


def by_class(gates: pd.DataFrame) -> None:
    """Open gates a cell, and mean gates by class."""
    names = [spec.name for stimulus in Stimulus for spec in FEATURES if spec.stimulus is stimulus]
    means = gates.groupby("truth")[names].mean().loc[ordered(gates["truth"])]
    widgets.figure(
        charts.mean_by_class(means),
        "mean-gates",
        means.reset_index(),
        caption=f"Mean gate over {gates['id'].nunique():,} held-out mouse cells by true class, features by stimulus.",
    )
    widgets.figure(
        charts.open_count(gates[names], gates["truth"]),
        "open-gates",
        lambda: gates[["id", "truth", "predicted"]].assign(open=(gates[names] > 0).sum(axis=1)),
        caption="Number of gates that are not shut (above 0) in each held-out cell; box: median and quartiles.",
    )


def tiles(gates: pd.DataFrame) -> None:
    """Sparsity in numbers."""
    names = [spec.name for spec in FEATURES]
    n_open = (gates[names] > 0).sum(axis=1)
    always = int((gates[names] > 0).mean().gt(0.95).sum())
    never = int((gates[names] > 0).mean().lt(0.05).sum())
    columns = st.columns(4)
    columns[0].metric("Open gates a cell, median", f"{n_open.median():.0f} of {len(names)}", border=True)
    columns[1].metric("Middle 90% of cells", f"{n_open.quantile(0.05):.0f} to {n_open.quantile(0.95):.0f}", border=True)
    columns[2].metric("Features open in over 95% of cells", f"{always} of {len(names)}", border=True)
    columns[3].metric("Features open in under 5% of cells", f"{never} of {len(names)}", border=True)


def one_cell(gates: pd.DataFrame) -> None:
    """One held-out cell's gates."""
    ids = gates["id"].drop_duplicates().tolist()
    cell = widgets.pick("Cell", ids, "cell")
    row = gates[gates["id"] == cell].iloc[0]
    names = [spec.name for stimulus in Stimulus for spec in FEATURES if spec.stimulus is stimulus]
    right = "rightly" if row["truth"] == row["predicted"] else "wrongly"
    widgets.figure(
        charts.of_cell(row[names].astype(float)),
        "cell-gates",
        row[names].rename_axis("feature").rename("gate").reset_index(),
        caption=f"Held-out cell {cell}: {row['truth']}, {right} predicted as {row['predicted']}. Colours: stimulus.",
    )
