"""Estimators are written and read without pickle: every one judges as before, and hostile files are refused."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from neuroclass.config import PROJECT_DIR
from neuroclass.errors import UnsafeFileError
from neuroclass.io.estimators import MAIN_TYPE, SKOPS_FILE, SYSTEMS, XGBOOST_FILE, dump_estimator, load_estimator
from neuroclass.training.baselines import ESTIMATORS

N_FEATURES, N_CLASSES = 41, 5


@lru_cache
def cells(n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(150) % n_classes
    return rng.normal(size=(150, N_FEATURES)) + 2 * np.eye(n_classes, N_FEATURES)[y], y


@lru_cache
def fitted(system: str, n_classes: int = N_CLASSES) -> Any:
    return ESTIMATORS[system](0).fit(*cells(n_classes))


def load(system: str, content: bytes) -> Any:
    return load_estimator(system, XGBOOST_FILE if system == "xgboost" else SKOPS_FILE, content, N_FEATURES, N_CLASSES)


def test_every_estimator_of_the_registry_has_a_file():
    assert set(SYSTEMS) == set(ESTIMATORS)


@pytest.mark.parametrize("n_classes", [2, N_CLASSES])
@pytest.mark.parametrize("system", SYSTEMS)
def test_an_estimator_read_judges_exactly_as_the_one_written(system: str, n_classes: int) -> None:
    model = fitted(system, n_classes)
    before = model.predict_proba(cells(n_classes)[0])
    file, content = dump_estimator(system, model)
    again = load_estimator(system, file, content, N_FEATURES, N_CLASSES)
    assert np.array_equal(again.predict_proba(cells(n_classes)[0]), before)
    assert np.array_equal(model.predict_proba(cells(n_classes)[0]), before)


def test_a_process_that_trained_nothing_reads_them(tmp_path):
    for system in ("gbdt", "etypes"):
        (tmp_path / system).write_bytes(dump_estimator(system, fitted(system))[1])
    code = (
        "import sys, pathlib; from neuroclass.io.estimators import *\n"
        "for one in ('gbdt', 'etypes'):\n"
        "    load_estimator(one, SKOPS_FILE, (pathlib.Path(sys.argv[1]) / one).read_bytes(), 41, 5)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=PROJECT_DIR)


def touched(path: str) -> Any:
    """An estimator whose file, loaded carelessly, would write a file."""
    return make_pipeline(FunctionTransformer(partial(open, path, "w")))


def changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    """A skops file with another description."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            blob = old.read(name)
            if name == "schema.json":
                schema = json.loads(blob)
                change(schema)
                blob = json.dumps(schema).encode()
            new.writestr(name, blob)
    return out.getvalue()


def attribute(schema: Any, name: str, node: Any) -> None:
    schema["content"]["content"][name] = node


METHOD = {
    "__class__": "method",
    "__module__": "builtins",
    "__loader__": "MethodNode",
    "__id__": 1,
    "content": {"func": "__class__", "obj": {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode",
                                             "content": '"x"', "is_json": True, "__id__": 2}},
}  # fmt: skip
OPERATOR = {
    "__class__": "methodcaller",
    "__module__": "operator",
    "__loader__": "OperatorFuncNode",
    "__id__": 3,
    "attrs": {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [], "__id__": 4},
}
FUNCTION = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "__id__": 5}
KIND = {"__class__": "Popen", "__module__": "subprocess", "__loader__": "TypeNode", "__id__": 6}
DISGUISED = {**KIND, "__loader__": "NdArrayNode", "type": "numpy", "file": "x.npy"}


@pytest.mark.parametrize("node", [METHOD, OPERATOR, FUNCTION, KIND, DISGUISED], ids=lambda node: node["__loader__"])
def test_nodes_that_could_call_something_are_refused(node: Any) -> None:
    content = dump_estimator("lda", fitted("lda"))[1]
    assert load("lda", changed(content, lambda schema: None)) is not None
    with pytest.raises(UnsafeFileError, match="not on the list"):
        load("lda", changed(content, lambda schema: attribute(schema, "solver", node)))


def test_a_file_of_another_estimator_or_of_code_is_refused(tmp_path):
    hostile = skops.io.dumps(touched(str(tmp_path / "touched")))
    for content in (hostile, skops.io.dumps(fitted("rf")), b"\x80\x04cposix\nsystem\n", b"PK\x05\x06" + bytes(18)):
        with pytest.raises(UnsafeFileError):
            load("lda", content)
    assert not (tmp_path / "touched").exists()


def test_an_older_protocol_is_refused():
    content = dump_estimator("lda", fitted("lda"))[1]
    with pytest.raises(UnsafeFileError, match="protocol"):
        load("lda", changed(content, lambda schema: schema.update(protocol=0)))


def test_a_bomb_is_refused_before_it_is_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"{number}.npy", bytes(100_000_000))
        archive.writestr("schema.json", "{}")
    assert len(out.getvalue()) < 1_000_000
    with pytest.raises(UnsafeFileError, match="unpacks to"):
        load("lda", out.getvalue())


def _wild_tree(model: Any) -> None:
    state = model.estimators_[0].tree_.__getstate__()
    state["nodes"]["left_child"][0] = 10**6
    model.estimators_[0].tree_.__setstate__(state)


def _endless_tree(model: Any) -> None:
    state = model.estimators_[0].tree_.__getstate__()
    state["nodes"]["left_child"][0] = 0
    model.estimators_[0].tree_.__setstate__(state)


def _other_feature(model: Any) -> None:
    state = model.estimators_[0].tree_.__getstate__()
    state["nodes"]["feature"][0] = 4000
    model.estimators_[0].tree_.__setstate__(state)


def _wild_boosting(model: Any) -> None:
    model._predictors[0][0].nodes["left"][0] = 10**6


def _short_svc(model: Any) -> None:
    model.support_vectors_ = model.support_vectors_[:2]


def _fewer_probabilities(model: Any) -> None:
    model._probA = model._probA[:1]


def _infinite(model: Any) -> None:
    model.coef_ = model.coef_ * np.inf


def _other_classes(model: Any) -> None:
    model.classes_ = model.classes_ + 3


def _many_processes(model: Any) -> None:
    model.n_jobs = 10_000


WILD = (
    ("rf", _wild_tree, "leads nowhere"),
    ("rf", _endless_tree, "leads nowhere"),
    ("rf", _other_feature, "leads nowhere"),
    ("rf", _many_processes, "n_jobs"),
    ("gbdt", _wild_boosting, "leads nowhere"),
    ("svc", _short_svc, "support_vectors_"),
    ("svc", _fewer_probabilities, "_probA"),
    ("lda", _infinite, "not finite"),
    ("lda", _other_classes, "classes"),
)


@pytest.mark.parametrize(("system", "damage", "message"), WILD)
def test_arrays_that_lead_compiled_code_astray_are_refused(system: str, damage: Any, message: str) -> None:
    model = ESTIMATORS[system](0).fit(*cells(N_CLASSES))
    damage(model)
    with pytest.raises(UnsafeFileError, match=message):
        load(system, dump_estimator(system, model)[1])


@pytest.mark.parametrize("change", ["child", "feature", "length", "group", "inputs"])
def test_a_boosted_forest_that_leads_astray_is_refused(change: str) -> None:
    document = json.loads(dump_estimator("xgboost", fitted("xgboost"))[1])
    model = document["learner"]["gradient_booster"]["model"]
    tree = model["trees"][0]
    if change == "child":
        tree["left_children"][0] = 10**6
    elif change == "feature":
        tree["split_indices"][0] = 41
    elif change == "length":
        tree["split_conditions"].pop()
    elif change == "group":
        model["tree_info"][0] = 9
    else:
        document["learner"]["learner_model_param"]["num_feature"] = "40"
    with pytest.raises(UnsafeFileError):
        load("xgboost", json.dumps(document).encode())


def test_a_system_has_one_kind_of_file():
    content = dump_estimator("lda", fitted("lda"))[1]
    for system, file in (("lda", XGBOOST_FILE), ("lda", "../lda"), ("dann", SKOPS_FILE)):
        with pytest.raises(UnsafeFileError, match="no such file"):
            load_estimator(system, file, content, N_FEATURES, N_CLASSES)
    assert set(MAIN_TYPE) < set(SYSTEMS)
