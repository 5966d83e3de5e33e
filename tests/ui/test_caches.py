"""What pages cache depends on all that is shown, and on nothing that a signature hides."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from neuroclass.adaptation.labelled_table import LabelledTable
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Model, Models, load_models
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.demo import load_demo
from neuroclass.config import PROJECT_DIR
from neuroclass.ui import cache
from neuroclass.ui.classify import uploads
from neuroclass.ui.evidence import counterfactual, references
from neuroclass.ui.performance import own_table

pytestmark = pytest.mark.usefixtures("clean")
UI = PROJECT_DIR / "neuroclass" / "ui"
OF_ANSWERS = [*(UI / "evidence").glob("*.py"), *(UI / "classify").glob("*.py"), UI / "performance" / "own_table.py"]


@pytest.fixture
def clean() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield


@pytest.fixture(scope="module")
def models() -> Models:
    if not (PROJECT_DIR / "models" / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
    return load_models()


def others(models: Models) -> Models:
    """The same models under another checksum, as if trained anew."""
    network = replace(models.lspin.network, card={**models.lspin.network.card, "weights_sha256": "0" * 64})
    return replace(models, lspin=Model(models.lspin.predictor, network, models.lspin.subsets))


def cached(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and any("st.cache_" in ast.unparse(d) for d in node.decorator_list):
            yield node


def test_no_cache_of_an_answer_hides_an_argument_from_its_key():
    found = [(path.name, one) for path in OF_ANSWERS for one in cached(path)]
    assert len(found) >= 8
    hidden = [(name, one.name, a.arg) for name, one in found for a in one.args.args if a.arg.startswith("_")]
    assert hidden == []


def calls(monkeypatch: pytest.MonkeyPatch, module: object, name: str, answer: object = None) -> list[tuple]:
    seen: list[tuple] = []
    monkeypatch.setattr(module, name, lambda *args, **_: seen.append(args) or answer)
    return seen


def test_counterfactuals_and_reference_cells_are_those_of_the_species_and_of_the_models_asked(models, monkeypatch):
    cells, features = load_demo(), {"tau": 20.0, "sag": 0.1}
    changes = calls(monkeypatch, counterfactual, "counterfactual")
    near = calls(monkeypatch, references, "nearest_references", {})
    for one in (models, others(models)):
        for species in ("mouse", "human"):
            for _ in range(2):
                counterfactual._counterfactual(
                    one, cells, species, features, "dann", "inhibitory", counterfactual._QUANTILES, False
                )
                references._nearest(one, (cells,), species, features, "dann", ("inhibitory",), "")
    assert len(changes) == len(near) == 4
    assert [args[2] for args in changes] == ["mouse", "human"] * 2


def test_counterfactuals_are_those_of_the_loaded_cells(models, monkeypatch):
    seen = calls(monkeypatch, counterfactual, "counterfactual")
    demo = load_demo()
    for cells in (demo, replace(demo, frame=demo.frame.assign(tau=demo.frame["tau"] * 1.01))):
        counterfactual._counterfactual(
            models, cells, "mouse", {"tau": 20.0}, "dann", "inhibitory", counterfactual._CELLS, False
        )
    assert len(seen) == 2 and not np.array_equal(seen[0][4], seen[1][4], equal_nan=True)


def test_a_cohort_cell_is_judged_anew_by_other_models_and_in_another_cohort(models, monkeypatch):
    demo = load_demo()
    cell_id = str(demo.frame["id"].iloc[0])
    moved = replace(demo, frame=demo.frame.assign(vrest=demo.frame["vrest"] + 5.0))
    first = cache._verdict(demo, cell_id, models)
    assert cache._verdict(demo, cell_id, models) is first
    other = cache._verdict(demo, cell_id, others(models))
    assert (first.models["lspin"], other.models["lspin"]) == (models.weights["lspin"], "0" * 64)
    assert cache._verdict(moved, cell_id, models).features["vrest"] == first.features["vrest"] + 5.0


def table(tau: float) -> bytes:
    return f"cell,species,tau,sag,vrest\nA,mouse,{tau},0.1,-70\n".encode()


@pytest.mark.parametrize("name", ["first.csv", "second.csv"])
def test_the_same_content_under_another_name_carries_its_own_name_and_the_same_numbers(models, name):
    uploads.answers_under(CellInput.single("first.csv", table(20)), CellMetadata(), models)
    (found,) = uploads.answers_under(CellInput.single(name, table(20)), CellMetadata(), models)
    (fresh,) = uploads._computed(CellInput.single(name, table(20)), CellMetadata(), models)
    assert isinstance(found, CellVerdict) and found.source == name
    assert found.to_json() == fresh.to_json()


def test_another_visitors_table_of_the_same_content_is_shown_under_ones_own_name(models, monkeypatch):
    calls(monkeypatch, own_table, "evaluate_tables")
    calls(monkeypatch, own_table, "shipped_systems")
    demo = load_demo()
    names = [
        own_table._measured(LabelledTable(name, demo), "dann", models, demo).table.name for name in ("theirs", "mine")
    ]
    assert names == ["theirs", "mine"]


OF_REPORTS = (
    "cache.table",
    "cache.table_if_stored",
    "cache.cell_verdicts",
    "report_of",
    "report(model).table",
    "_rows",
    "_frame",
    "summarise(table(",
)


def test_every_cache_of_a_report_is_keyed_by_its_files():
    found = [(path.name, one) for path in UI.rglob("*.py") for one in cached(path)]
    of_reports = [(name, one) for name, one in found if any(word in ast.unparse(one) for word in OF_REPORTS)]
    assert {one.name for _, one in of_reports} >= {
        *("_table", "_cell_verdicts", "_compared", "_trees", "_tests", "_gap", "_ordered_rows", "_summary"),
        *("_decorated", "_options"),
    }
    for name, one in of_reports:
        names = {a.arg for a in (*one.args.args, *([one.args.vararg] if one.args.vararg else []))}
        assert names & {"stamp", "stamps"}, f"{name}: {one.name}"


def test_a_replaced_report_or_model_is_read_anew(tmp_path, monkeypatch):
    import pandas as pd

    from neuroclass.reports import store
    from neuroclass.reports.store import Table, report_of

    monkeypatch.setattr(store, "MODELS_DIR", tmp_path)
    (tmp_path / "lspin").mkdir()
    (tmp_path / "lspin" / "weights.safetensors").write_bytes(b"first")
    for value in (1.0, 2.0):
        report_of("lspin").write(Table.GATES, pd.DataFrame({"id": ["a"], "tau": [value]}))
        assert cache.table("lspin", Table.GATES)["tau"].tolist() == [value]
    shown = cache.table("lspin", Table.GATES)
    assert cache.table("lspin", Table.GATES) is shown
    (tmp_path / "lspin" / "weights.safetensors").write_bytes(b"other weights")
    assert cache.table("lspin", Table.GATES) is not shown
