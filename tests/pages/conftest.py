"""Tiny models with the reports that ``train --report`` wrote of them, and a runner of pages."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.cohort.demo import load_demo
from neuroclass.config import PROJECT_DIR
from neuroclass.reports import store

TIMEOUT_S = 300.0


@pytest.fixture
def tiny_models(tiny_reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a copy of the tiny models, used instead of those that ship; a test may change it."""
    import streamlit as st

    folder = tmp_path / "models"
    shutil.copytree(tiny_reports, folder)
    monkeypatch.setattr(store, "MODELS_DIR", folder)
    st.cache_resource.clear()
    st.cache_data.clear()
    return folder


@pytest.fixture
def open_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Run a page on the demo cohort, with query parameters, until it stands."""
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))

    def run(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT_DIR / "pages" / f"{name}.py"), default_timeout=TIMEOUT_S)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return run


@pytest.fixture(scope="session")
def demo_id() -> str:
    """Id of a demo cell."""
    return str(load_demo().frame["id"].iloc[0])


@pytest.fixture
def shipped_models() -> None:
    """The models that ship; skips where they are not built yet."""
    if not (PROJECT_DIR / "models" / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
