"""The library lists, names, notes, promotes and deletes models, also when several processes do so at once."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from neuroclass.config import PROJECT_DIR
from neuroclass.errors import LibraryError, ModelFileError
from neuroclass.library.entry import SHIPPED, Origin
from neuroclass.library.library import ModelLibrary
from tests.library.making import RUN, make_run, small_library


@pytest.fixture
def library(tmp_path: Path) -> ModelLibrary:
    return small_library(tmp_path)


def test_shipped_models_finished_runs_and_added_models_are_listed(library):
    make_run(library, RUN)
    make_run(library, "20260102-030405-dann-bbbbbb", finished=False)
    found = {entry.id: entry for entry in library.entries()}
    assert next(iter(found)) == SHIPPED
    assert {entry.origin for entry in found.values()} == set(Origin)
    assert found[RUN].name == "the run's name"
    assert found[RUN].owner == "f" * 64
    assert found[RUN].folder.parent == library.jobs / RUN / "model"
    assert "20260102-030405-dann-bbbbbb" not in found
    assert not any(entry.trouble for entry in found.values())


def test_a_model_is_found_by_id_name_and_first_digits_of_its_weights(library):
    entry = library.entries()[1]
    for wanted in (entry.id, entry.name, entry.weights[:8], entry.weights.upper()):
        assert library.get(wanted).id == entry.id
    for missing in (entry.weights[:7], "", "../library", entry.id.upper()):
        with pytest.raises(LibraryError, match="no model"):
            library.get(missing)


def test_a_name_of_two_models_is_answered_with_their_ids(library):
    make_run(library, RUN, name=library.entries()[1].name)
    with pytest.raises(LibraryError, match=f"{RUN}"):
        library.get(library.entries()[1].name)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\nb\x07", "svc", "DANN", SHIPPED, RUN])
def test_what_is_no_name_is_refused(library, name):
    make_run(library, RUN)
    entry = next(one for one in library.entries() if one.origin is Origin.ADDED)
    with pytest.raises(LibraryError):
        library.rename(entry.id, name)
    assert library.get(entry.id).name == entry.name


def test_names_and_notes_stay_and_the_default_is_what_was_promoted(library):
    entry = library.entries()[1]
    library.rename(entry.id, "ours")
    library.annotate("ours", "cells of 2026")
    assert library.default == SHIPPED
    library.promote("ours")
    again = ModelLibrary(library.folder, library.jobs)
    assert (again.get("ours").note, again.default) == ("cells of 2026", entry.id)
    library.delete("ours")
    assert again.default == SHIPPED
    assert not entry.folder.exists()
    assert [one.id for one in again.entries()] == [SHIPPED]
    assert list(library.folder.glob(".*")) == []


def test_deleting_a_run_keeps_its_record(library):
    make_run(library, RUN)
    library.delete(RUN)
    assert RUN not in [entry.id for entry in library.entries()]
    assert (library.jobs / RUN / "result.json").is_file()
    assert list((library.jobs / RUN / "model").iterdir()) == []


@pytest.mark.parametrize("change", [ModelLibrary.delete, lambda library, one: library.rename(one, "x y"),
                                    lambda library, one: library.annotate(one, "x")])  # fmt: skip
def test_the_shipped_models_stay_as_they_are(library, change: Callable[[ModelLibrary, str], object]):
    with pytest.raises(LibraryError, match="built-in models cannot be changed"):
        change(library, SHIPPED)


def test_a_damaged_model_is_listed_with_its_trouble_and_cannot_be_used_but_deleted(library):
    make_run(library, RUN)
    card = next((library.jobs / RUN / "model").glob("*/card.json"))
    card.write_text("{")
    assert "cannot be read" in library.get(RUN).trouble
    with pytest.raises(LibraryError, match="cannot be used"):
        library.usable(RUN)
    with pytest.raises(LibraryError, match="cannot be used"):
        library.promote(RUN)
    library.delete(RUN)


def test_a_default_that_is_gone_or_damaged_leaves_the_shipped_models(library):
    entry = library.entries()[1]
    library.promote(entry.id)
    (entry.folder / "card.json").write_text("[]")
    assert library.default == SHIPPED
    shutil.rmtree(entry.folder)
    assert library.default == SHIPPED


def test_a_damaged_index_is_named(library):
    (library.folder / "index.json").write_text("[1]")
    with pytest.raises(ModelFileError, match=r"index\.json"):
        library.entries()


def test_processes_that_note_at_once_lose_nothing(library):
    for number in range(4):
        make_run(library, f"2026010{number + 1}-030405-lda-aaaaa{number}")
    code = (
        "import sys; from pathlib import Path; from neuroclass.library.library import ModelLibrary\n"
        "library = ModelLibrary(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "for k in range(30):\n"
        "    library.annotate(sys.argv[3], f'note {k}'); library.rename(sys.argv[3], f'name {k} {sys.argv[4]}')"
    )
    ids = [entry.id for entry in library.entries() if entry.origin is Origin.RUN]
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(library.folder), str(library.jobs), one, str(number)],
                         cwd=PROJECT_DIR)
        for number, one in enumerate(ids)
    ]  # fmt: skip
    assert [process.wait(120) for process in running] == [0] * 4
    found = {entry.id: (entry.note, entry.name) for entry in library.entries() if entry.origin is Origin.RUN}
    assert found == {one: ("note 29", f"name 29 {number}") for number, one in enumerate(ids)}
    assert json.loads((library.folder / "index.json").read_text())["entries"].keys() >= set(ids)
