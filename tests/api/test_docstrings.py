"""Every public name has an example that runs."""

import doctest
from pathlib import Path
from typing import Any

import pytest

import neuroclass as nc
from neuroclass.config import CACHE_VARIABLE, DATA_VARIABLE
from neuroclass.ephys import compiled

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FIGURES = sorted(
    name for name, value in vars(nc.plot).items()
    if not name.startswith("_") and getattr(value, "__module__", "") == nc.plot.__name__
)  # fmt: skip
NAMES = [*(name for name in nc.__all__ if name != "plot"), *(f"plot.{name}" for name in FIGURES)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the examples share, with the kernels that are compiled already."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "kernels").symlink_to(compiled._CACHE.parent)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_example_runs(name: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    value: Any = nc
    for part in name.split("."):
        value = getattr(value, part)
    found = [test for test in doctest.DocTestFinder().find(value, name, globs={}) if test.examples]
    assert found, f"{name} has no example"
    printed: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for test in found:
        runner.run(test, out=printed.append)
    assert runner.failures == 0, "".join(printed)


def test_figures_are_named() -> None:
    assert {"sweeps", "reasons"} <= set(FIGURES)
