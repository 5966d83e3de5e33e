"""A study tries the same settings however often its process dies, and counts each trial once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroclass.training.search_space import search_space
from neuroclass.training.studies import COMPLETE, PRUNED, SettingsStudy, TrialRecord

SPACE = search_space("lspin", {})
N_FOLDS = 3


def opened(path: Path, seed: int = 3) -> SettingsStudy:
    return SettingsStudy(path, "lspin", SPACE, N_FOLDS, seed)


def score_of(setting: Mapping[str, Any], fold: int) -> float:
    """Best at a high dropout and a wide net."""
    return 0.5 + setting["dropout"] - 0.1 * abs(np.log10(setting["learning_rate"]) + 2.4) + 0.01 * fold


def run(study: SettingsStudy, n_trials: int, most_fits: int = 10_000) -> int:
    fits = 0
    while study.n_done < n_trials and fits < most_fits:
        setting, fold = study.setting(), study.fold
        study.note(score_of(setting, fold))
        fits += 1
    return fits


def whole(tmp_path: Path, n_trials: int = 16) -> list[TrialRecord]:
    study = opened(tmp_path / "whole.log")
    run(study, n_trials)
    return study.trials()


def test_killed_anywhere_it_comes_to_the_same_trials(tmp_path: Path, rng: np.random.Generator) -> None:
    expected = whole(tmp_path)
    path = tmp_path / "cut.log"
    deaths = 0
    while True:
        study = opened(path)
        if study.n_done >= 16:
            break
        run(study, 16, int(rng.integers(1, 6)))
        if study.n_done < 16:
            study.setting()  # a trial has begun when the process dies
            if deaths % 2:
                with path.open("ab") as file:
                    file.write(b'{"op_code": 6, "trial')  # and half a line was written
            path.with_name("cut.log.lock").touch()
            deaths += 1
    assert deaths > 3
    assert opened(path).trials() == expected
    assert [trial.number for trial in expected] == list(range(16))


def test_the_seed_decides_what_is_tried(tmp_path: Path) -> None:
    one, other, same = (opened(tmp_path / f"{k}.log", seed) for k, seed in enumerate((1, 2, 1)))
    for study in (one, other, same):
        run(study, 6)
    assert one.trials() == same.trials() != other.trials()
    assert one.trials()[0].settings == other.trials()[0].settings  # the recipe


def test_poor_trials_are_pruned_and_the_best_is_complete(tmp_path: Path) -> None:
    trials = whole(tmp_path, 24)
    states = [trial.state for trial in trials]
    assert states[:4] == [COMPLETE] * 4 and states.count(PRUNED) > 2
    for trial in trials:
        assert len(trial.inner) == N_FOLDS if trial.state == COMPLETE else len(trial.inner) < N_FOLDS
    best = opened(tmp_path / "whole.log").best()
    assert best.state == COMPLETE
    assert best.score == max(trial.score for trial in trials if trial.state == COMPLETE)


def test_importance_finds_what_the_score_depends_on(tmp_path: Path) -> None:
    study = opened(tmp_path / "a.log")
    run(study, 3)
    assert study.importance() == {}
    run(study, 30)
    shares = study.importance()
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert max(shares, key=lambda name: shares[name]) == "dropout"
    assert opened(tmp_path / "a.log").importance() == shares
