"""All runs in a table, the curves of some of them together, and in which settings they differ."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import training as charts
from neuroclass.training.job import Job
from neuroclass.training.settings import TITLES, written_setting
from neuroclass.training.table import differences, run_row
from neuroclass.types.shares import DASH
from neuroclass.ui import cache, widgets
from neuroclass.ui.train.registry import registry, run_title

MOST = 100
MOST_COMPARED = 6
COMPARED = "compare"
QUANTITIES = {
    "validation_macro_f1": "Macro F1, validation donors",
    "validation_accuracy": "Accuracy, validation donors",
    "validation_label": "Cross-entropy, validation donors (nats)",
    "training_accuracy": "Accuracy, training cells",
    "label": "Cross-entropy, training batch (nats)",
    "open_gates": "Open gates (of 41)",
    "domain_accuracy": "Accuracy of the domain classifier",
}


def show() -> None:
    """The table, and the comparison of the chosen runs."""
    jobs = {job.id: job for job in registry().recent(MOST) if not job.is_search}
    with st.expander(f"All runs ({len(jobs)})", icon=":material/table_rows:"):
        table = pd.DataFrame([_row(job) for job in jobs.values()])
        st.dataframe(
            table,
            hide_index=True,
            placeholder=DASH,
            column_config={
                "Started": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
                "Accuracy": st.column_config.NumberColumn(format="%.1f%%", help="On validation donors."),
                "Macro F1": st.column_config.NumberColumn(format="%.1f%%", help="On validation donors."),
            },
        )
        chosen = st.multiselect(
            "Runs to compare", list(jobs), key=COMPARED, max_selections=MOST_COMPARED,
            format_func=lambda job_id: run_title(jobs[job_id]), bind="query-params",
        )  # fmt: skip
        if len(chosen) > 1:
            _compared([jobs[job_id] for job_id in chosen])
        elif jobs:
            st.caption("Choose two or more to compare their curves and settings.")


def _row(job: Job) -> dict[str, Any]:
    row = run_row(job)
    settings = ", ".join(written_setting(name, value) for name, value in row["settings"].items())
    return {
        "Name": row["name"],
        "Model": row["system"].upper(),
        "State": row["state"],
        "Started": pd.to_datetime(row["started"]),
        "Accuracy": _in_percent(row["accuracy"]),
        "Macro F1": _in_percent(row["macro_f1"]),
        "Best epoch": row["best_epoch"],
        "Epochs": row["epochs"],
        "Time (s)": row["seconds"],
        "Cells": row["cells"],
        "Changed settings": settings or DASH,
        "Id": row["id"],
    }


def _in_percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _compared(jobs: list[Job]) -> None:
    tables = {_short(job): pd.DataFrame(list(job.history)) for job in jobs}
    there = [name for name in QUANTITIES if any(name in table for table in tables.values())]
    if there:
        quantity = str(
            st.selectbox("Quantity", there, format_func=lambda one: QUANTITIES[one], key="compared_quantity")
        )
        together = pd.concat([table.assign(run=name) for name, table in tables.items()], ignore_index=True)
        simulated = cache.cohort().simulated
        widgets.figure(
            charts.overlaid(tables, quantity, QUANTITIES[quantity], simulated),
            "training-compared",
            together,
            caption="Runs with other seeds, cells or validation donors are judged on different donors.",
            simulated=simulated,
        )
    found = differences(jobs)
    if not found:
        st.caption("Their settings are the same.")
        return
    names = [_short(job) for job in jobs]
    rows = [
        {"Setting": TITLES.get(name, name), **dict(zip(names, map(str, values), strict=True))}
        for name, values in found.items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def _short(job: Job) -> str:
    return f"{job.name or job.model.upper()} {job.id[-6:]}"
