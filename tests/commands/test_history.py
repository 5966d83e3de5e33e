"""The history on the command line: backed up, restored elsewhere, and refused in words."""

import io
import json
from pathlib import Path

import pytest

from neuroclass.cli import main
from neuroclass.io.history import History, StoredFile
from neuroclass.io.history_place import HISTORY_FILE_VARIABLE, HISTORY_VARIABLE, place
from neuroclass.io.spool import Spool


def keep(folder: Path, content: bytes = b"sweeps") -> str:
    history = History(f"sqlite:///{folder / 'history.sqlite'}", Spool(folder / "files"))
    digest, size = history.spool.put(io.BytesIO(content))
    return history.begin("me", [StoredFile("a.abf", digest, size)], {})


def test_a_history_moves_to_another_place(tmp_path, monkeypatch, capsys):
    entry, backup = keep(tmp_path / "from"), str(tmp_path / "backup.zip")
    monkeypatch.setenv(HISTORY_VARIABLE, str(tmp_path / "from"))
    assert main(["history", "backup", backup]) == 0
    assert "1 entries and 1 files" in capsys.readouterr().out
    assert main(["history", "backup", backup]) == 1
    assert "exists" in capsys.readouterr().err
    monkeypatch.setenv(HISTORY_VARIABLE, str(tmp_path / "to"))
    assert main(["history", "restore", backup, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 1
    assert main(["history", "restore", backup]) == 1
    assert main(["history", "restore", backup, "--overwrite"]) == 0
    capsys.readouterr()
    assert main(["history", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["entries"], shown["owners"], shown["bytes"], shown["database"]) == (1, 1, 6, "sqlite")
    where = place()
    assert History(where.url, Spool(where.folder)).get("me", entry) is not None


@pytest.mark.parametrize(
    "words, history, told",
    [
        (["backup"], "", "needs the name of a file"),
        (["show", "x.zip"], "", "takes no file"),
        (["show"], "off", "is off"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, monkeypatch, capsys, words, history, told):
    monkeypatch.setenv(HISTORY_VARIABLE, history or str(tmp_path))
    assert main(["history", *words]) == 2
    assert told in capsys.readouterr().err


def test_the_address_can_lie_in_a_file(tmp_path, monkeypatch):
    secret = tmp_path / "address"
    secret.write_text("postgresql://me:secret@db/neuroclass\n")
    monkeypatch.setenv(HISTORY_FILE_VARIABLE, str(secret))
    assert place().url == "postgresql://me:secret@db/neuroclass"


def test_an_address_in_a_file_and_beside_it_or_a_file_that_is_gone_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(HISTORY_FILE_VARIABLE, str(tmp_path / "gone"))
    assert main(["history", "show"]) == 2
    assert "cannot be read" in capsys.readouterr().err
    monkeypatch.setenv(HISTORY_VARIABLE, str(tmp_path))
    assert main(["history", "show"]) == 2
    assert "both set" in capsys.readouterr().err
