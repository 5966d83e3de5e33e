"""Export of one verdict: results, report, Methods paragraph and the command line."""

import json
from typing import TYPE_CHECKING

import streamlit as st

from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.stress import StressResult
from neuroclass.cohort.cohort import Cohort
from neuroclass.reference.cells import ReferenceCell, with_sweeps
from neuroclass.report.content import gather
from neuroclass.report.methods import methods_paragraph
from neuroclass.report.tables import feature_table
from neuroclass.ui import cache, widgets
from neuroclass.ui.evidence import references, stress
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

if TYPE_CHECKING:
    from neuroclass.charts.comparison import Panel


def show(case: Case, command: str) -> None:
    """Downloads and texts.

    Parameters
    ----------
    case : Case
        The verdict with what it rests on.
    command : str
        The command line that gives the same numbers.
    """
    verdict = case.verdict
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "This cell (JSON)",
            lambda: json.dumps(verdict.to_json(), indent=1),
            file_name="neuroclass-verdict.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        widgets.csv_button("verdict-features", lambda: feature_table(verdict), label="Its features (CSV)")
        if st.button("Prepare the report", key=f"report-{case.key}", icon=":material/description:", help=(
            "One HTML file with interactive figures, and the same as PDF. Figures need a few seconds; a stress test "
            "that was run is included."
        )):  # fmt: skip
            st.session_state["report-of"] = _place(case)
        if st.session_state.get("report-of") == _place(case):
            _offer(case, command)
    with st.expander("Methods paragraph"):
        st.markdown(escaped(methods_paragraph(verdict, case.models), 6000))
    st.caption("The command that gives the same numbers:")
    st.code(command, language=None, wrap_lines=True)


def _place(case: Case) -> str:
    """Identify a report by the case and what its stress test has found so far."""
    return fingerprint(case=case.fingerprint, stress=stress.results_of(case))


def _offer(case: Case, command: str) -> None:
    html, pdf = _report(case, cache.cohort(), command, tuple(stress.results_of(case)))
    st.download_button("Report (HTML)", html, file_name="neuroclass-report.html", mime="text/html",
                       icon=":material/download:", on_click="ignore")  # fmt: skip
    st.download_button("Report (PDF)", pdf, file_name="neuroclass-report.pdf", mime="application/pdf",
                       icon=":material/download:", on_click="ignore")  # fmt: skip


@st.cache_data(
    max_entries=6,
    show_spinner="Drawing the report",
    hash_funcs={**cache.HASHES, "neuroclass.ui.evidence.case.Case": lambda case: case.fingerprint},
)
def _report(case: Case, cohort: Cohort, command: str, found: tuple[StressResult, ...]) -> tuple[bytes, bytes]:
    from neuroclass.report.html import html_report
    from neuroclass.report.pdf import pdf_report

    def panel(cell: ReferenceCell, feature: str, title: str) -> "Panel | None":
        return references.panel(cell.cell_id, cell.simulated, cohort.source, feature, title)

    models = case.models
    item = gather(case.verdict, case.analysis, models, with_sweeps(cohort), command, found, panel)
    return html_report([item], models).encode("utf-8"), pdf_report([item], models)
