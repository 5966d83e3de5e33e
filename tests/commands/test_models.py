"""``models`` on the command line, and ``--model`` in the commands that judge."""

import json
from pathlib import Path
from typing import Any

import pytest

from neuroclass.cli import main
from neuroclass.cohort.demo import load_demo
from neuroclass.commands.models import _file_name
from neuroclass.features import FEATURE_NAMES
from neuroclass.library.entry import SHIPPED
from neuroclass.library.library import ModelLibrary
from neuroclass.reports import own


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setattr(own, "N_SUBSETS", 60)
    monkeypatch.setattr(own, "EXPLAINED_CELLS", 3)


@pytest.fixture
def cell(tmp_path: Path) -> str:
    frame = load_demo().frame
    path = tmp_path / "cell.csv"
    frame[frame["species"] == "mouse"].head(1)[["species", *FEATURE_NAMES]].to_csv(path, index=False)
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_model_is_trained_listed_used_exported_deleted_and_imported(cell, tmp_path, capsys):
    made = said(capsys, "models", "train", "lda", "--name", "my lda")
    assert (made["system"], made["task"], made["trained_on"]["simulated"]) == ("lda", "subclass", True)
    listed = said(capsys, "models")
    assert [(one["id"], one["default"]) for one in listed] == [(SHIPPED, True), (made["id"], False)]
    (first,) = said(capsys, "classify", cell, "--model", "my lda", "--no-reasons")
    expected = {"name": "my lda", "id": made["id"], "system": "lda", "sha256": made["weights_sha256"]}
    assert first["models"]["subclass"] == expected
    assert first["models"]["broad"]["id"] == SHIPPED
    assert (sum(first["subclass"].values()), first["expected_accuracy"]["subclass"]) == (pytest.approx(1), {})
    path = tmp_path / "out.zip"
    said(capsys, "models", "export", "my lda", "--out", str(path))
    said(capsys, "models", "delete", "my lda")
    assert main(["classify", cell, "--model", "my lda"]) == 1
    assert "There is no model 'my lda'" in capsys.readouterr().err
    taken = said(capsys, "models", "import", str(path), "--name", "again")
    assert taken["id"] == made["id"]
    (second,) = said(capsys, "classify", cell, "--model", made["weights_sha256"][:10], "--no-reasons")
    assert second["subclass"] == first["subclass"]
    assert second["fingerprint"] == first["fingerprint"]


def test_the_labs_default_judges_unless_another_is_named(cell, capsys):
    made = said(capsys, "models", "train", "lda", "--name", "ours")
    said(capsys, "models", "default", "ours")
    assert said(capsys, "classify", cell, "--no-reasons")[0]["models"]["subclass"]["id"] == made["id"]
    named = said(capsys, "classify", cell, "--no-reasons", "--model", SHIPPED)
    assert named[0]["models"]["subclass"]["id"] == SHIPPED
    assert main(["classify", cell, "--model", "ours", "--models", "models"]) == 2
    assert "give one of them" in capsys.readouterr().err


def test_a_report_gives_a_model_its_expected_accuracy_and_a_paired_difference(cell, capsys):
    for system, name in (("lda", "first"), ("svc", "svc of ours")):
        said(capsys, "models", "train", system, "--name", name)
        described = said(capsys, "models", "report", name, "--jobs", "1")
        assert described["protocol"] == "donor-cv"
    found = said(capsys, "models", "compare", "first", "svc of ours", "--no-verdicts")
    assert found["paired"]["n_cells"] == found["models"][0]["n_tested"]
    assert found["paired"]["low"] <= found["paired"]["difference"] <= found["paired"]["high"]
    assert {"kernel", "solver"} <= set(found["settings"])
    (one,) = said(capsys, "classify", cell, "--model", "first", "--no-reasons")
    assert 0 < one["expected_accuracy"]["subclass"]["accuracy"] <= 1


def test_evaluate_trains_the_recipe_of_a_model_again(capsys):
    said(capsys, "models", "train", "lda", "--name", "ours")
    found = said(capsys, "evaluate", "--model", "ours", "--repeats", "1", "--jobs", "1")
    assert (found["model"], found["of_library"]["name"]) == ("lda", "ours")
    plain = said(capsys, "evaluate", "lda", "--repeats", "1", "--jobs", "1")
    assert found["n_cells"] == plain["n_cells"]
    assert found["sets"]["coverage"] == 0.9
    for words in (["evaluate"], ["evaluate", "lda", "--model", "ours"], ["evaluate", "--model", SHIPPED],
                  ["evaluate", "--model", "ours", "--protocol", "outside"]):  # fmt: skip
        assert main(words) == 2
        assert capsys.readouterr().err


def test_what_cannot_be_is_said_in_words(tmp_path, capsys):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"PK nothing")
    for words, message in (
        (["models", "import", str(bad)], "not a model that NeuroClass exported"),
        (["models", "import", str(tmp_path / "none.zip")], "cannot be read"),
        (["models", "delete", SHIPPED], "cannot be changed or deleted"),
        (["models", "export", SHIPPED], "come with NeuroClass"),
        (["models", "compare", SHIPPED, SHIPPED], "cannot be compared with itself"),
        (["models", "train", "lda", "--name", "svc"], "Choose another name"),
    ):
        assert main(words) == 1
        assert message in capsys.readouterr().err
    assert [one.id for one in ModelLibrary().entries()] == [SHIPPED]


def test_a_models_name_becomes_a_harmless_file_name(tmp_path):
    entry = ModelLibrary().get(SHIPPED)
    named = type(entry)(**{**vars(entry), "name": "../../a b/ü"})
    assert _file_name(named) == "a-b-ü"
