"""A chosen model judges its task, the shipped one the other; answers of two models are never confused."""

import json
from collections.abc import Iterator

import jsonschema
import numpy as np
import pandas as pd
import pytest

from neuroclass.classification.agreement import UNSAID, agreement, compare_labels, measured_cells
from neuroclass.classification.classify import classify_cells, reasons_for
from neuroclass.classification.doubt import contradiction
from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.models import Models, load_models
from neuroclass.classification.result import Prediction
from neuroclass.classification.wording import NOT_MEASURED, promise_line
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.config import MODELS_DIR, PROJECT_DIR
from neuroclass.errors import LibraryError, ModelFileError
from neuroclass.io.artifacts import read_card
from neuroclass.library.entry import ModelEntry, Origin
from neuroclass.library.library import ModelLibrary
from neuroclass.reports.own import train_into

SCHEMA = json.loads((PROJECT_DIR / "docs" / "classify.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ModelLibrary:
    """An SVC and two LDA of subclasses, and an LDA of broad classes, trained on demo cells."""
    if not (MODELS_DIR / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
    folder = tmp_path_factory.mktemp("models")
    library, demo = ModelLibrary(folder / "library", folder / "jobs"), load_demo()
    for name, system, task, cells in (
        ("svc", "svc", "subclass", demo), ("lda", "lda", "subclass", demo), ("broad lda", "lda", "broad", demo),
        ("half", "lda", "subclass", demo.take(np.arange(0, len(demo), 2))),
    ):  # fmt: skip
        train_into(library, system, cells, task, f"my {name}")
    return library


@pytest.fixture
def cells() -> Cohort:
    demo = load_demo()
    rows = [np.flatnonzero(demo.column("species") == name)[:3] for name in ("mouse", "human")]
    return demo.take(np.concatenate(rows))


def judged(library: ModelLibrary, *names: str) -> Models:
    return load_models(chosen=[library.get(name) for name in names])


def test_the_chosen_model_judges_its_task_and_the_shipped_one_the_other(library, cells):
    measured = measured_cells(cells)
    plain, chosen = (classify_cells(measured, models, False) for models in (load_models(), judged(library, "my svc")))
    svc = judged(library, "my svc").lspin.network
    for before, after in zip(plain, chosen, strict=True):
        assert after.broad.probabilities == before.broad.probabilities
        if after.species == "human":
            assert after.subclass.probabilities == before.subclass.probabilities
            assert after.judged_by["subclass"]["name"] == "human-subclass"
            continue
        x = np.array([[after.features.get(name, np.nan) for name in before.features]])
        assert list(after.subclass.probabilities.values()) == pytest.approx(svc.predict_proba(x, ["mouse"])[0])
        assert after.subclass.prediction_set == svc.prediction_set(x, ["mouse"])[0]
        assert after.subclass.typicality == pytest.approx(svc.typicality_of(x)[0])
        entry = library.get("my svc")
        assert after.judged_by["subclass"] == {
            "name": "my svc", "id": entry.id, "system": "svc", "sha256": entry.weights
        }  # fmt: skip
        assert (after.models["chosen subclass"], after.models["dann"]) == (entry.weights, before.models["dann"])
        assert "lspin" not in after.models


def test_json_of_a_chosen_model_fits_the_schema_and_names_both_models(library, cells):
    answers = classify_cells(measured_cells(cells), judged(library, "my svc", "my broad lda"), False)
    jsonschema.validate([one.to_json() for one in answers], SCHEMA)
    named = answers[0].to_json()["models"]
    assert (named["broad"]["name"], named["subclass"]["name"]) == ("my broad lda", "my svc")
    assert {"dann", "lspin", "feature-set"}.isdisjoint(named)


def test_reasons_of_an_estimator_add_up_and_name_measured_features(library, cells):
    one = classify_cells(measured_cells(cells)[:1], judged(library, "my lda"), False)[0]
    explained = reasons_for(one, judged(library, "my lda"))
    assert explained.subclass.reasons
    assert {reason.feature for reason in explained.subclass.reasons} <= set(one.features)
    assert all(reason.gate is None for reason in explained.subclass.reasons)
    assert explained.broad.reasons


CHOICES = ((), ("my svc",), ("my lda",), ("my broad lda",), ("my half",), ("my svc", "my broad lda"))


def test_no_two_models_share_a_fingerprint_a_version_or_a_verdicts_fingerprint(library, cells):
    every = [judged(library, *names) for names in CHOICES]
    measured = measured_cells(cells)[:1]
    verdicts = [classify_cells(measured, models, False)[0] for models in every]
    for found in (
        [fingerprint(models=models) for models in every],
        [models.version for models in every],
        [one.fingerprint for one in verdicts],
    ):
        assert len(set(found)) == len(CHOICES)


def test_the_shipped_network_alone_is_another_model_than_the_shipped_models(cells):
    folder = MODELS_DIR / "lspin"
    entry = ModelEntry("lspin-alone", "alone", Origin.ADDED, folder, read_card(folder))
    alone, shipped = load_models(chosen=[entry]), load_models()
    assert alone.lspin.network.card["weights_sha256"] == shipped.lspin.network.card["weights_sha256"]
    assert fingerprint(models=alone) != fingerprint(models=shipped)
    a, b = (classify_cells(measured_cells(cells)[:1], models, False)[0] for models in (alone, shipped))
    assert a.fingerprint != b.fingerprint


def test_renaming_changes_the_answers_that_pages_cache_but_not_their_numbers(library):
    before = judged(library, "my half")
    library.rename("my half", "renamed")
    try:
        after = judged(library, "renamed")
        assert fingerprint(models=before) != fingerprint(models=after)
        assert before.version == after.version
    finally:
        library.rename("renamed", "my half")


def test_two_models_of_one_task_are_refused(library):
    with pytest.raises(LibraryError, match="same task"):
        judged(library, "my svc", "my lda")


def test_a_model_replaced_on_disk_is_read_again_and_a_damaged_one_named(library, tmp_path):
    entry = library.get("my half")
    models = judged(library, "my half")
    assert judged(library, "my half").lspin.network is models.lspin.network
    weights = entry.folder / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-8] + b"12345678")
    try:
        with pytest.raises(ModelFileError, match="SHA-256"):
            judged(library, "my half")
    finally:
        weights.write_bytes(content)


def test_an_unmeasured_promise_is_said_and_a_stated_one_needs_a_report(library, cells):
    (one,) = classify_cells(measured_cells(cells)[:1], judged(library, "my svc"), False)
    assert one.subclass.expected == {}
    assert promise_line(one.subclass) == NOT_MEASURED
    assert promise_line(one.broad) not in ("", NOT_MEASURED)


def test_answers_of_a_chosen_model_that_contradict_the_other_task_are_flagged(library, cells):
    broad = Prediction("my broad lda", {"excitatory": 0.9, "inhibitory": 0.1})
    for label, flagged in (("Sst", True), ("Glutamatergic", False)):
        found = contradiction(broad, Prediction("lspin", {label: 0.8}))
        assert bool(found) == flagged
        assert not flagged or ("my broad lda" in found[0] and "contradict each other" in found[0])


def test_agreement_is_that_of_the_labels(library, cells):
    table = pd.DataFrame({"first": ["Sst", "Sst", "Pvalb", UNSAID], "second": ["Sst", "Pvalb", "Pvalb", "Sst"]})
    found = compare_labels(table, "subclass")
    assert (found.n_labelled, found.same) == (3, pytest.approx(2 / 3))
    assert found.kappa == pytest.approx(0.4)
    assert found.confusion().loc["Sst", "Pvalb"] == 1
    assert found.confusion().loc[UNSAID, "Sst"] == 1


def test_models_of_different_tasks_are_compared_as_broad_classes_on_mouse_cells(library, cells):
    models = [judged(library, name) for name in ("my svc", "my broad lda")]
    found = agreement(models[0], models[1], ("subclass", "broad"), cells)
    assert found.task == "broad"
    assert set(found.verdicts["species"]) == {"mouse"}
    assert set(found.verdicts["first"]) <= {"excitatory", "inhibitory", UNSAID}
    same = agreement(models[0], models[0], ("subclass", ""), cells)
    assert (same.task, same.same) == ("subclass", 1.0)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    from neuroclass.classification import models

    models._loaded_entry.cache_clear()
    yield
