"""A model as one file: what goes out comes in unchanged, and nothing else comes in."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load, save

from neuroclass.errors import LibraryError, ModelFileError, NeuroClassError, UnsafeFileError
from neuroclass.io.artifacts import load_artifact, save_model
from neuroclass.library import package
from neuroclass.library.entry import SHIPPED
from neuroclass.library.library import ModelLibrary
from neuroclass.library.package import MANIFEST, export_model, import_model
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.training.fit_dann import train_dann
from tests.library.making import small_library
from tests.planted import planted_cohort
from tests.tiny_report import TinyDann


@pytest.fixture
def library(tmp_path: Path) -> ModelLibrary:
    return small_library(tmp_path)


@pytest.fixture
def elsewhere(tmp_path: Path) -> ModelLibrary:
    return ModelLibrary(tmp_path / "elsewhere", tmp_path / "no jobs")


def network(library: ModelLibrary) -> bytes:
    """An exported network."""
    cohort = planted_cohort(120)
    card = {"task": "broad", "training_cells": {"n_cells": 120}, "settings": {}}
    draft = library.draft()
    save_model(train_dann(cohort, TinyDann()), draft, card)
    return export_model(library.adopt(draft, "dann-0123456789ab", "net"))


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes], honest: bool = True) -> bytes:
    """A package of other files, its manifest made to fit them."""
    manifest = json.loads(files[MANIFEST])
    if honest:
        listed = {name: blob for name, blob in files.items() if name != MANIFEST}
        manifest["files"] = {n: {"bytes": len(b), "sha256": sha256(b).hexdigest()} for n, b in listed.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, blob in {**files, MANIFEST: json.dumps(manifest).encode()}.items():
            archive.writestr(name, blob)
    return out.getvalue()


def with_card(content: bytes, **changes: Any) -> bytes:
    files = parts(content)
    return packed({**files, "card.json": json.dumps({**json.loads(files["card.json"]), **changes}).encode()})


def test_a_model_comes_back_unchanged_with_its_report_its_name_and_its_note(library, elsewhere):
    entry = library.annotate("mine", "our cells")
    report = ReportStore("mine", entry.folder)
    table = pd.DataFrame(
        {"id": ["a", "b"], "repeat": [0, 1], "p_Sst": np.array([0.25, np.nan], np.float32), "right": [True, False],
         "note": ["x", None]}
    )  # fmt: skip
    report.write(Table.PREDICTIONS, table)
    report.write(Document.METRICS, [{"model": "lda", "accuracy": 0.5}])
    taken = import_model(elsewhere, export_model(library.get("mine")), owner="me")
    assert (taken.name, taken.note, taken.id) == ("mine", "our cells", entry.id)
    assert taken.belongs_to("me")
    assert not taken.belongs_to("you")
    x = planted_cohort(40).matrix()
    before, after = (load_artifact(one.folder).predict_proba(x) for one in (entry, taken))
    assert np.array_equal(before, after)
    again = ReportStore("mine", taken.folder)
    pd.testing.assert_frame_equal(again.table(Table.PREDICTIONS), table)
    assert again.metrics() == report.metrics()


def test_the_same_model_again_is_the_same_entry_and_a_deleted_one_returns_under_its_id(library, elsewhere):
    content = export_model(library.get("mine"))
    first = import_model(elsewhere, content)
    elsewhere.rename(first.id, "kept")
    assert import_model(elsewhere, content).name == "kept"
    assert len(elsewhere.entries()) == 2
    elsewhere.delete(first.id)
    assert import_model(elsewhere, content).id == first.id
    assert not list(elsewhere.folder.glob(".draft*"))


def test_a_taken_name_gets_a_number_unless_it_was_asked_for(library):
    content = with_card(export_model(library.get("mine")), seeds=[9])
    files = parts(content)
    arrays = load(files["weights.safetensors"])
    blob = save({**arrays, "background": arrays["background"] + 0.01})
    card = {**json.loads(files["card.json"]), "weights_sha256": sha256(blob).hexdigest()}
    other = packed({**files, "weights.safetensors": blob, "card.json": json.dumps(card).encode()})
    with pytest.raises(LibraryError, match="Another model"):
        import_model(library, other, "mine")
    assert import_model(library, other).name == "mine 2"


def test_the_shipped_models_are_not_exported(library):
    with pytest.raises(LibraryError, match="come with NeuroClass"):
        export_model(library.get(SHIPPED))


def test_a_network_travels_too(library, elsewhere):
    assert import_model(elsewhere, network(library)).system == "dann"


def added(name: str) -> Callable[[bytes], bytes]:
    return lambda content: packed({**parts(content), name: b"{}"})


def without(name: str) -> Callable[[bytes], bytes]:
    return lambda content: packed({n: b for n, b in parts(content).items() if n != name})


def altered(content: bytes) -> bytes:
    files = parts(content)
    return packed({**files, "weights.safetensors": files["weights.safetensors"][:-1] + b"\x01"}, honest=False)


def twice(content: bytes) -> bytes:
    out = io.BytesIO(content)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr("card.json", "{}")
    return out.getvalue()


def bomb(content: bytes) -> bytes:
    """Says that it is small and unpacks to 200 MB."""
    files = parts(content)
    manifest = json.loads(files[MANIFEST])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, blob in {**files, "weights.safetensors": bytes(200_000_000)}.items():
            archive.writestr(name, json.dumps(manifest) if name == MANIFEST else blob)
    assert len(out.getvalue()) < 1_000_000
    return out.getvalue()


def huge(content: bytes) -> bytes:
    files = parts(content)
    manifest = json.loads(files[MANIFEST])
    manifest["files"]["weights.safetensors"]["bytes"] = 10**12
    return packed({**files, MANIFEST: json.dumps(manifest).encode()}, honest=False)


def not_finite(content: bytes) -> bytes:
    files = parts(content)
    arrays = dict(load(files["weights.safetensors"]))
    arrays["calibration.parameters"] = np.full_like(arrays["calibration.parameters"], np.nan)
    blob = save(arrays)
    card = {**json.loads(files["card.json"]), "weights_sha256": sha256(blob).hexdigest()}
    return packed({**files, "weights.safetensors": blob, "card.json": json.dumps(card).encode()})


HOSTILE: dict[str, tuple[Callable[[bytes], bytes], type[NeuroClassError], str]] = {
    "outside": (added("../../card.json"), UnsafeFileError, "holds"),
    "absolute": (added("/tmp/card.json"), UnsafeFileError, "holds"),
    "below": (added("evaluation/../../x.json"), UnsafeFileError, "holds"),
    "pickle": (added("model.pkl"), UnsafeFileError, "holds"),
    "parquet": (added("evaluation/predictions.parquet"), UnsafeFileError, "holds"),
    "folder": (added("evaluation/"), UnsafeFileError, "holds"),
    "no weights": (without("weights.safetensors"), UnsafeFileError, "lacks"),
    "no estimator": (without("estimator.skops"), ModelFileError, "cannot be read"),
    "altered": (altered, ModelFileError, "changed or damaged"),
    "twice": (twice, UnsafeFileError, "twice"),
    "bomb": (bomb, UnsafeFileError, "larger than its manifest says"),
    "huge": (huge, UnsafeFileError, "unpacks to more"),
    "not finite": (not_finite, ModelFileError, "not finite"),
    "half": (lambda content: content[: len(content) // 2], UnsafeFileError, "BadZipFile"),
    "other": (lambda _: b"PK\x03\x04" + bytes(50), UnsafeFileError, "not a model"),
    "table": (lambda c: packed({**parts(c), "evaluation/shap.table.json": b'{"rows": 2, "columns": 3}'}),
              ModelFileError, "no part of a report"),
    "no system": (lambda c: with_card(c, model="forest"), ModelFileError, "does not know"),
    "other system": (lambda c: with_card(c, model="svc"), ModelFileError, "does not fit"),
    "other task": (lambda c: with_card(c, task="broad"), ModelFileError, "classes"),
    "human": (lambda c: with_card(c, task="human_subclass"), ModelFileError, "can be chosen"),
    "other features": (lambda c: with_card(c, features=["width"]), ModelFileError, "features"),
    "other file": (lambda c: with_card(c, estimator={"file": "../../etc", "sha256": "0"}), ModelFileError, "names"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_such_file_is_refused_and_leaves_nothing(library, elsewhere, kind: str) -> None:
    change, error, message = HOSTILE[kind]
    with pytest.raises(error, match=message):
        import_model(elsewhere, change(export_model(library.get("mine"))))
    assert [entry.id for entry in elsewhere.entries()] == [SHIPPED]
    assert not elsewhere.folder.exists() or not [p for p in elsewhere.folder.iterdir() if p.is_dir()]


@pytest.mark.parametrize("change", [{"n_members": 10**9}, {"hidden": [10**6, 10**6]}, {"hidden": [4] * 5000},
                                    {"activation": "x"}])  # fmt: skip
def test_an_architecture_that_is_not_that_of_the_weights_takes_no_memory(library, elsewhere, change):
    content = network(library)
    architecture = json.loads(parts(content)["card.json"])["architecture"]
    with pytest.raises(ModelFileError, match="architecture"):
        import_model(elsewhere, with_card(content, architecture={**architecture, **change}))


def test_a_file_that_is_too_large_is_not_opened(elsewhere, monkeypatch):
    monkeypatch.setattr(package, "MOST_UPLOADED", 100)
    with pytest.raises(UnsafeFileError, match="at most 100"):
        import_model(elsewhere, bytes(101))


def test_a_damaged_model_is_not_exported(library):
    entry = library.get("mine")
    (entry.folder / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(ModelFileError):
        export_model(entry)
    shutil.rmtree(entry.folder)
