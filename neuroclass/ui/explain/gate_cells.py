"""Parts of the Gates page: one held-out cell."""

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import gate_curves as charts
from neuroclass.evaluation.summaries import percentile_in
from neuroclass.features import with_unit
from neuroclass.reports.store import Table
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import findings
from neuroclass.ui.explain.gates import BY_STIMULUS_NAMES
from neuroclass.ui.text import escaped


def one_cell(gates: pd.DataFrame, model: str) -> None:
    """One held-out cell's gates, values, and what shutting each gate does."""
    index = gates.drop_duplicates("id").set_index("id")

    def described(cell: str) -> str:
        row = index.loc[cell]
        wrong = "" if row["truth"] == row["predicted"] else f", predicted {label_of(row['predicted'])}"
        return f"{cell}: {label_of(row['truth'])}{wrong}"

    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        cell = widgets.pick("Cell", list(index.index), "cell", format_func=described)
    if not cache.cohort().simulated:
        right.link_button("Open its sweeps", f"explore?cell={cell}", icon=":material/show_chart:")
    row = index.loc[cell]
    percentiles, shown, where = _standing(cell, model)
    opened = row[BY_STIMULUS_NAMES].astype(float)
    verdict = "classified correctly" if row["truth"] == row["predicted"] else f"predicted {label_of(row['predicted'])}"
    table = pd.DataFrame(
        {"feature": BY_STIMULUS_NAMES, "gate": opened.to_numpy(), "percentile": percentiles, "value": shown}
    )
    every = st.toggle(f"All {len(opened)} features", key="every", bind="query-params") or not (opened > 0).any()
    drawn = [k for k, gate in enumerate(opened) if every or gate > 0]
    widgets.figure(
        charts.of_cell(opened.iloc[drawn], percentiles.iloc[drawn], [shown[k] for k in drawn]),
        f"cell-gates-{cell}",
        table,
        finding=findings.open_gates(opened),
        caption=f"Held-out cell {escaped(cell)}, {label_of(row['truth'])}, {verdict}: gates at the left, percentiles "
        f"{where} at the right (band: middle half).",
        needs_room=True,
    )
    _what_if(cell, model)


def _standing(cell: str, model: str) -> tuple["pd.Series[float]", list[str], str]:
    """Percentiles of a cell's values, the values as text, and among which cells; deciles where it is not loaded."""
    cells = cache.cohort()
    rows = cells.frame[cells.frame["id"] == cell]
    if not cells.simulated and len(rows):
        mine = rows.iloc[0]
        frame = cells.frame[cells.frame["species"] == mine["species"]]
        values = {name: percentile_in(frame[name], float(mine[name])) for name in BY_STIMULUS_NAMES}
        texts = [with_unit(name, float(mine[name])) for name in BY_STIMULUS_NAMES]
        return pd.Series(values), texts, f"among {mine['species']} cells"
    deciles = cache.table(model, Table.DECILES).drop_duplicates("id").set_index("id")
    found = deciles.loc[cell, BY_STIMULUS_NAMES].astype(float) if cell in deciles.index else None
    if found is None:
        found = pd.Series(np.nan, index=BY_STIMULUS_NAMES)
    known = found.where(found >= 1)
    texts = [f"decile {value:.0f}" if value >= 1 else "missing" for value in found]
    return 10 * known - 5, texts, "among mouse cells, by decile"


def _what_if(cell: str, model: str) -> None:
    """What shutting each open gate alone does."""
    table = cache.table_if_stored(model, Table.GATE_ABLATION)
    if table is None:
        st.info("What shutting a gate does is not stored with this model.", icon=":material/info:")
        return
    mine = table[table["id"] == cell]
    if mine.empty:
        st.caption("No gate of this cell is open.")
        return
    gates = cache.table(model, Table.GATES)
    label = str(gates.loc[gates["id"] == cell, "predicted"].iloc[0])
    flips = mine[mine["becomes"] != label]
    text = "Shutting a single gate does not change the label."
    if len(flips):
        listed = ", ".join(
            f"{findings.named(f)} (then {label_of(b)})" for f, b in zip(flips["feature"], flips["becomes"], strict=True)
        )
        text = f"Shutting any one of these changes the label: {listed}."
    widgets.figure(
        charts.ablation(mine, label),
        f"ablation-{cell}",
        mine,
        finding=text,
        caption=f"Each gate shut alone, all others as they are. The network that did not see the cell gives "
        f"{label_of(label)} a probability of {float(mine['probability'].iloc[0]):.1%}.",
    )
