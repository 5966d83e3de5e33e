"""All runs in a table, the curves of some of them together, and in which settings they differ."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import training as charts
from neuroclass.training.job import Job
from neuroclass.training.settings import written_setting
from neuroclass.training.table import differences, run_row
from neuroclass.ui import cache, widgets
from neuroclass.ui.train.registry import registry, run_title

MOST = 100
MOST_COMPARED = 6
COMPARED = "compare"
QUANTITIES = {
    "validation_macro_f1": "Macro F1, validation donors (fraction of 1)",
    "validation_accuracy": "Accuracy, validation donors (fraction of 1)",
    "validation_label": "Cross-entropy, validation donors (nats)",
    "training_accuracy": "Accuracy, training cells (fraction of 1)",
    "label": "Cross-entropy, training batch (nats)",
    "open_gates": "Open gates (number of 41)",
    "domain_accuracy": "Accuracy of the domain (fraction of 1)",
}


def show() -> None:
    """The table, and the comparison of the chosen runs."""
    jobs = {job.id: job for job in registry().recent(MOST) if not job.is_search}
    with st.expander(f"All runs ({len(jobs)})", icon=":material/table_rows:"):
        table = pd.DataFrame([_row(job) for job in jobs.values()])
        st.dataframe(
            table,
            hide_index=True,
            column_config={
                "started": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
                "accuracy": st.column_config.NumberColumn(format="%.3f", help="on validation donors, fraction"),
                "macro F1": st.column_config.NumberColumn(format="%.3f", help="on validation donors, fraction"),
            },
        )
        chosen = st.multiselect(
            "Runs to compare", list(jobs), key=COMPARED, max_selections=MOST_COMPARED,
            format_func=lambda job_id: run_title(jobs[job_id]), bind="query-params",
        )  # fmt: skip
        if len(chosen) > 1:
            _compared([jobs[job_id] for job_id in chosen])
        elif jobs:
            st.caption("Choose two or more to lay their curves over each other and see in which settings they differ.")


def _row(job: Job) -> dict[str, Any]:
    row = run_row(job)
    settings = ", ".join(written_setting(name, value) for name, value in row["settings"].items())
    return {
        "name": row["name"],
        "model": row["system"].upper(),
        "state": row["state"],
        "started": pd.to_datetime(row["started"]),
        "accuracy": row["accuracy"],
        "macro F1": row["macro_f1"],
        "best epoch": row["best_epoch"],
        "epochs": row["epochs"],
        "time (s)": row["seconds"],
        "cells": row["cells"],
        "settings unlike the recipe's": settings,
        "id": row["id"],
    }


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
            caption="By epoch. Runs with other seeds, cells or validation shares judge on other donors.",
            simulated=simulated,
        )
    found = differences(jobs)
    if not found:
        st.caption("Their settings are the same.")
        return
    names = [_short(job) for job in jobs]
    rows = [{"setting": name, **dict(zip(names, map(str, values), strict=True))} for name, values in found.items()]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def _short(job: Job) -> str:
    return f"{job.name or job.model.upper()} {job.id[-6:]}"
