"""The server's training runs, shared by all sessions."""

import streamlit as st

from neuroclass.training.job import Job
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.table import started_at

JOB = "job"
"""The run in the address."""
SEARCH = "search"
"""The search in the address."""


@st.cache_resource(show_spinner=False)
def registry() -> JobRegistry:
    """The server's training runs, shared by all sessions."""
    return JobRegistry()


def run_title(job: Job) -> str:
    """Display title of a run: name or system, and when it was asked for."""
    started = started_at(job.id)
    what = f"{job.model.upper()} search" if job.is_search else job.model.upper()
    title = f"{job.name} ({what})" if job.name else what
    return f"{title}, {started:%d %b %Y %H:%M:%S}" if started else job.id
