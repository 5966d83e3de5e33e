"""The figures that README states are those of the stored reports; variables and pictures are those of the code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import neuroclass as nc
from docs.scripts.feature_pictures import CELL
from neuroclass import config
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.config import MODELS_DIR, PROJECT_DIR
from neuroclass.features import FEATURES, FeatureSource
from neuroclass.report.places import value_text
from neuroclass.ui.methods.pictures import FOLDER, drawn_with

_ROW = re.compile(r"^\| \*\*(.+?)\*\*.*?\| ([.\d]+) \| ([.\d]+) \|", re.MULTILINE)
_VARIABLE = re.compile(r"NEUROCLASS_[A-Z_]+")


def _stored(model: str, document: str) -> Any:
    return json.loads((MODELS_DIR / model / "evaluation" / f"{document}.json").read_text(encoding="utf-8"))


def _laboratory(model: str, document: str, **wanted: str) -> dict[str, Any]:
    rows = _stored(model, document)["laboratories"]
    (row,) = (one for one in rows if all(one[key] == value for key, value in wanted.items()))
    return dict(row)


def _at_home(model: str, species: str) -> float:
    return float(_stored(model, "metrics")[0]["groups"][species]["accuracy"]["mean"])


def stored() -> dict[str, tuple[float, float]]:
    """The figures behind each row of the table: subclass, and excitatory or inhibitory."""
    human = _stored("human-subclass", "metrics")[0]["metrics"]["accuracy"]["mean"]
    partial = [_laboratory(name, "masked", laboratory="long_square", species="mouse") for name in ("lspin", "dann")]
    away = [_laboratory(name, "outside", laboratory="m1_mouse_25c", system="alone") for name in ("lspin", "dann")]
    return {
        "at home": (_at_home("lspin", "mouse"), _at_home("dann", "mouse")),
        "partial:": (partial[0]["mean"], partial[1]["mean"]),
        "another rig": (away[0]["accuracy"], away[1]["accuracy"]),
        "human": (human, _at_home("dann", "human")),
    }


def test_the_four_rows_of_readme_are_the_stored_figures() -> None:
    rows = {name: (a, b) for name, a, b in _ROW.findall((PROJECT_DIR / "README.md").read_text(encoding="utf-8"))}
    assert rows == {name: tuple(f"{value:.3f}"[1:] for value in values) for name, values in stored().items()}


def _figure(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


@pytest.mark.parametrize("model", ["lspin", "dann"])
def test_nested_figures_are_those_of_the_stored_search(model: str) -> None:
    stored = _stored(model, "search")
    outer, recipe, gain = stored["outer"], stored["recipe"], stored["difference"]
    interval = outer["balanced_accuracy"]
    expected = [
        _figure(stored["inner"]["balanced_accuracy"]["mean"]),
        f"{_figure(interval['mean'])} [{_figure(interval['low'])}, {_figure(interval['high'])}]",
        f"{_figure(outer['accuracy']['mean'])} / {_figure(outer['macro_f1']['mean'])}",
        _figure(recipe["balanced_accuracy"]["mean"]),
        f"{_figure(recipe['accuracy']['mean'])} / {_figure(recipe['macro_f1']['mean'])}",
    ]
    text = (PROJECT_DIR / "docs" / "performance.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {model.upper()}, nested \|(.+)\|$", text, re.MULTILINE)
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[: len(expected)] == expected
    assert cells[len(expected)] == f"{gain['difference']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]".replace(
        "0.", "."
    ).replace("-", "−")
    readme = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    assert f"{expected[1].split()[0]} (inner {expected[0]})" in readme


def test_every_variable_is_described_where_the_server_is() -> None:
    code = [*Path(config.__file__).parent.rglob("*.py")]
    used = {name for path in code for name in _VARIABLE.findall(path.read_text(encoding="utf-8"))}
    described = set(_VARIABLE.findall((PROJECT_DIR / "docs" / "serving.md").read_text(encoding="utf-8")))
    assert used == described


def test_the_wheel_to_install_is_this_version() -> None:
    wheels = re.findall(r"neuroclass-[^ ]*?\.whl", (PROJECT_DIR / "docs" / "start.md").read_text(encoding="utf-8"))
    assert wheels == [f"neuroclass-{nc.__version__}-py3-none-any.whl"]


@pytest.fixture(scope="module")
def values() -> dict[str, float]:
    """Features of the cell in the pictures."""
    return dict(nc.extract_features(simulate_demo_cell(CELL)).to_series())


def test_pictures_show_what_the_code_measures(values: dict[str, float]) -> None:
    folder = PROJECT_DIR / "docs" / "features"
    measured = [spec.name for spec in FEATURES if spec.source is FeatureSource.SWEEPS]
    assert {path.stem for path in folder.glob("*.svg")} == set(measured)
    stale = [
        name
        for name in measured
        if f">{value_text(name, values[name])} (simulated)<" not in (folder / f"{name}.svg").read_text("utf-8")
    ]
    assert stale == []


def test_figures_of_the_methods_page_show_what_the_code_measures(values: dict[str, float]) -> None:
    measured = {spec.name for spec in FEATURES if spec.source is FeatureSource.SWEEPS}
    assert {path.stem for path in FOLDER.glob("*.json")} == {drawn_with(name)[0] for name in measured}
    shown: dict[str, float] = {}
    for path in FOLDER.glob("*.json"):
        fig = json.loads(path.read_text(encoding="utf-8"))
        assert fig["layout"]["meta"]["cell"] == CELL
        shown |= fig["layout"]["meta"]["values"]
    assert shown == pytest.approx({name: values[name] for name in measured})
