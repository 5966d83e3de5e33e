"""``train search``: a run as others, killed and continued, with an honest score beside the optimistic one."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neuroclass.cli import build_parser, main
from neuroclass.commands import training_run
from neuroclass.commands.search_arguments import search_settings
from neuroclass.commands.train import _config
from neuroclass.config import PROJECT_DIR, SearchSettings, ValidationSettings
from neuroclass.reports.store import ReportStore
from neuroclass.training import runs
from neuroclass.training.command_line import command
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.runs import RunConfig, create_run, runs_folder
from tests.planted import planted_cohort

N_CELLS = 180
FIXED = {"n_members": 1, "inner_folds": 2, "batch_cells": 16, "steps": 6}
SMALL = SearchSettings(trials=5, outer_folds=2, inner_folds=2, members=1)
WORDS = ["--trials", "5", "--outer", "2", "--inner", "2", "--search-members", "1", "--members", "1", "--steps", "6"]
WORDS += ["--set", "inner_folds=2", "--set", "batch_cells=16", "--jobs", "1"]


@pytest.fixture(autouse=True)
def cells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(training_run, "load_cohort", lambda _: planted_cohort(N_CELLS))


def test_a_search_says_what_is_honest_and_how_to_train_with_what_it_found(capsys, tmp_path: Path) -> None:
    assert main(["train", "search", "lspin", *WORDS, "--out", str(tmp_path / "models")]) == 0
    out, err = capsys.readouterr()
    assert "so optimistic" in out and "never saw" in out and "simulated cells" in out
    assert "search: about" in err and "train --resume" in err
    asked = shlex.split(out.strip().splitlines()[-1])
    args = build_parser("train").parse_args(asked[asked.index("train") :])
    folder = next(runs_folder().glob("*-lspin-*"))
    answer = json.loads((folder / runs.RESULT).read_text())
    config = _config(args, None)
    recipe = training_run.with_values("lspin", {})
    assert training_run.with_values("lspin", config.settings) == training_run.with_values("lspin", answer["chosen"])
    assert training_run.with_values("lspin", config.settings) != recipe
    stored = ReportStore("lspin", tmp_path / "models" / "lspin").search()
    assert stored == json.loads((folder / runs.SEARCH).read_text())
    assert stored["outer"] == answer["outer"] and stored["fixed"] == FIXED
    assert not (folder / training_run.KEPT).exists()
    assert main(["runs"]) == 0
    assert "(search): done" in capsys.readouterr().out


SCRIPT = f"""
import sys
from neuroclass.cli import main
from neuroclass.commands import training_run
from tests.planted import planted_cohort
training_run.load_cohort = lambda _: planted_cohort({N_CELLS})
sys.exit(main(["train", "--resume", sys.argv[1]]))
"""


def _search() -> Path:
    config = RunConfig("dann", FIXED, ValidationSettings(0.0), search=SMALL)
    return create_run(config, runs_folder(), {}, None, queued=False)


def _n_trials(folder: Path) -> int:
    return sum(len(study["trials"]) for study in runs.read_json(folder / runs.SEARCH).get("studies", ()))


def test_killed_and_resumed_it_finds_what_one_that_was_not_finds(rng: np.random.Generator) -> None:
    whole, cut = _search(), _search()
    assert main(["train", "--resume", whole.name]) == 0
    for reached in (1, 6):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, cut.name], cwd=PROJECT_DIR, stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        deadline = time.monotonic() + 240
        while process.poll() is None and time.monotonic() < deadline and _n_trials(cut) < reached:
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0, 0.3)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert JobRegistry().look(cut.name).state.value == "interrupted"
        assert reached <= _n_trials(cut) < 3 * SMALL.trials
    assert main(["train", "--resume", cut.name]) == 0
    one, other = ((folder / runs.SEARCH).read_bytes() for folder in (whole, cut))
    assert one == other and _n_trials(cut) == 3 * SMALL.trials


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["search"], "needs the model"),
        (["lspin", "--trials", "5"], "--trials is for a search"),
        (["lspin", "dann"], "two models"),
        (["search", "lspin", "--trials", "1"], "from 2 to 1000 trials"),
        (["search", "lspin", "--report"], "leave out --own, --report"),
        (["search", "dann", "--protocol", "donor-cv"], "leave out --own, --report"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_written(words: list[str], says: str, capsys) -> None:
    assert main(["train", *words]) == 2
    assert says in capsys.readouterr().err
    assert not list(runs_folder().glob("*"))


def test_the_page_and_the_command_line_ask_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    config = RunConfig("dann", {"steps": 50}, ValidationSettings(0.0), jobs=2, search=SearchSettings(9, 4, 2, 5, 7))
    words = shlex.split(command(config))
    args = build_parser("train").parse_args(words[words.index("train") :])
    search = search_settings(args)
    args.model = args.searched
    assert _config(args, search) == config
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
