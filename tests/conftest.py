"""Fixtures that every test may use: the real tables and recordings, skipped where they are absent."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.config import CACHE_VARIABLE, DATA_VARIABLE, PROJECT_DIR, data_folder
from neuroclass.work.threads import one_thread_each
from tests.databases import postgresql_database, postgresql_server

# One thread from the start: evaluation sets torch to one for the whole process, and results must not depend on when.
one_thread_each()
KEPT = (CACHE_VARIABLE, DATA_VARIABLE, "NEUROCLASS_MLFLOW")
for name in [n for n in os.environ if n.startswith("NEUROCLASS_") and n not in KEPT]:
    del os.environ[name]  # a developer's own history or server is no part of a test


LONGEST = (
    "tests/browser/test_every_page.py",
    "tests/browser/test_train_story.py",
    "tests/docs/test_blocks.py",
    "tests/pages/test_classify.py",
    "tests/browser",
    "tests/pages/test_cell.py",
    "tests/commands",
    "tests/evaluation/test_on_a_cluster.py",
)
"""Files that take minutes, the longest first: begun first, so that no process is left with one of them at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, in whatever order the others are."""

    def place(item: pytest.Item) -> int:
        return next((k for k, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def jobs_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let jobs, which stand back behind all else, run beside the tests as other processes do: a test waits for them."""
    folder = tmp_path_factory.mktemp("priorities")
    (folder / "nice").write_text('#!/bin/sh\nshift 2  # -n 10\nexec "$@"\n')
    (folder / "nice").chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def allensdk() -> None:
    """Skip where allensdk is not installed: it exists for Python 3.11 and older packages only."""
    pytest.importorskip("allensdk", reason="allensdk is not installed (neuroclass[allen], on Python 3.11)")


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """Folder of the published tables."""
    folder = data_folder() or PROJECT_DIR.parent / "shared" / "data"
    if not (folder / "actb_mouse_ephys_features.csv").is_file():
        pytest.skip("the published tables are not here (set NEUROCLASS_DATA)")
    return folder


@pytest.fixture(scope="session")
def real_cohort(real_data_dir: Path) -> Cohort:
    """Mouse and human cells of the published tables."""
    return load_cohort(real_data_dir)


@pytest.fixture(scope="session")
def shared_recordings() -> Path:
    """Folder of real recordings."""
    folder = PROJECT_DIR.parent / "shared" / "recordings"
    if not folder.is_dir():
        pytest.skip("the real recordings are not here")
    return folder


@pytest.fixture(scope="session")
def tiny_reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of tiny models with their reports, made once a session by one of the workers; do not change it."""
    from tests.tiny_report import write_tiny_models

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    done = folder / "tiny" / "done"
    with FileLock(folder / "tiny.lock"):
        if not done.is_file():
            write_tiny_models(folder / "tiny" / "models")
            done.touch()
    return folder / "tiny" / "models"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """A PostgreSQL server of the tests' own; skipped where none can run."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a new database: a file, and one on a server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'h' / 'history.sqlite'}"
        return
    with postgresql_database(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers of one test, the same in whatever order tests run."""
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Give ``__main__`` back after a page's test has put its script there; processes started later import it."""
    module = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = module


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Forget what pages and `load_models` keep, for a test may put another folder of models there."""
    yield
    if (streamlit := sys.modules.get("streamlit")) is not None:
        streamlit.cache_data.clear()
        streamlit.cache_resource.clear()
    if (models := sys.modules.get("neuroclass.classification.models")) is not None:
        models._loaded.cache_clear()
