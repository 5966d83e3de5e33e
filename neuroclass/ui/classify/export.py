"""Take it away: results, report, Methods paragraph and the command line of one verdict."""

import json
from typing import TYPE_CHECKING

import streamlit as st

from neuroclass.classification.classify import load_models
from neuroclass.reference.cells import ReferenceCell, with_sweeps
from neuroclass.report.content import gather
from neuroclass.report.methods import methods_paragraph
from neuroclass.report.tables import feature_table
from neuroclass.ui import cache, widgets
from neuroclass.ui.evidence import references, stress
from neuroclass.ui.text import escaped

if TYPE_CHECKING:
    from neuroclass.charts.comparison import Panel
    from neuroclass.ui.evidence.case import Case


def show(case: "Case", command: str) -> None:
    """Downloads and texts.

    Parameters
    ----------
    case : Case
        The verdict with what it rests on.
    command : str
        The command line that gives the same numbers.
    """
    st.subheader("Take it away", anchor=False)
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
        st.markdown(escaped(methods_paragraph(verdict, load_models()), 6000))
    st.caption("The command that gives the same numbers:")
    st.code(command, language="bash", wrap_lines=True)


def _place(case: "Case") -> str:
    """Identify a report by the file's name, the cell, its metadata and how far its stress test went."""
    return f"{case.verdict.source} {case.key} {case.metadata!r} {len(stress.results_of(case))}"


def _offer(case: "Case", command: str) -> None:
    html, pdf = _report(_place(case), command, case)
    st.download_button("Report (HTML)", html, file_name="neuroclass-report.html", mime="text/html",
                       icon=":material/download:", on_click="ignore")  # fmt: skip
    st.download_button("Report (PDF)", pdf, file_name="neuroclass-report.pdf", mime="application/pdf",
                       icon=":material/download:", on_click="ignore")  # fmt: skip


@st.cache_data(max_entries=6, show_spinner="Drawing the report")
def _report(key: str, command: str, _case: "Case") -> tuple[bytes, bytes]:  # noqa: ARG001 (the key of the cache)
    from neuroclass.report.html import html_report
    from neuroclass.report.pdf import pdf_report

    cohort = cache.cohort()

    def panel(cell: ReferenceCell, feature: str, title: str) -> "Panel | None":
        return references.panel(cell.cell_id, cell.simulated, cohort.source, feature, title)

    models = load_models()
    found = stress.results_of(_case)
    item = gather(_case.verdict, _case.analysis, models, with_sweeps(cohort), command, found, panel)
    return html_report([item], models).encode("utf-8"), pdf_report([item], models)
