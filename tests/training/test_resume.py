"""A training that was cut off and continued gives the weights of one that never stopped, to the last bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import donor_folds
from neuroclass.config import DannSettings, LspinSettings, OptimiserSettings
from neuroclass.errors import TrainingPaused
from neuroclass.io.checkpoints import read_arrays, write_arrays
from neuroclass.predictors.predictor import Predictor
from neuroclass.training.snapshots import snapshot_epochs
from neuroclass.training.train import TRAINERS
from neuroclass.training.watch import Watch, best_epoch, is_over
from neuroclass.types.progress import Progress
from tests.planted import planted_cohort

SHORT = OptimiserSettings(steps=44, batch_cells=48, learning_rate=1e-2, steps_an_epoch=4)
SETTINGS = {
    "lspin": LspinSettings(n_members=2, inner_folds=2, optimiser=SHORT),
    "dann": DannSettings(n_members=2, inner_folds=2, hidden=(16, 4), optimiser=SHORT),
}
TASKS = {"lspin": "subclass", "dann": "broad"}


class CutOff(Exception):
    """The process is gone."""


def halves(name: str, unlabelled: bool = False) -> tuple[Cohort, Cohort]:
    cohort = planted_cohort(200).labelled(TASKS[name])
    fold = donor_folds(cohort, TASKS[name], 4)[0]
    training = cohort.take(fold.train)
    if unlabelled:
        frame = training.frame.copy()
        frame.loc[frame["species"] == "human", "broad"] = None
        training = replace(training, frame=frame)
    return training, cohort.take(fold.test)


def same(one: Predictor, other: Predictor) -> bool:
    a, b = one.arrays(), other.arrays()
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def cut_off_at(step: int):
    """Asked before each step; at that one the process dies."""
    asked = iter(range(10_000))

    def stop() -> bool:
        if next(asked) == step:
            raise CutOff
        return False

    return stop


@pytest.mark.parametrize(
    ("name", "patience", "unlabelled"),
    [("lspin", 0, False), ("lspin", 2, False), ("dann", 0, False), ("dann", 3, True)],
)
def test_weights_are_the_same_after_any_number_of_deaths(
    tmp_path: Path, rng: np.random.Generator, name: str, patience: int, unlabelled: bool
) -> None:
    training, validation = halves(name, unlabelled)
    watch = Watch(tmp_path / "a.safetensors", "same", 0.0, validation=validation, patience=patience)
    whole_history: list[Progress] = []
    whole = TRAINERS[name](training, SETTINGS[name], whole_history.append, watch)
    state = tmp_path / "b.safetensors"
    deaths = 0
    while True:
        torch.manual_seed(deaths)
        seen: list[Progress] = []
        stop = cut_off_at(int(rng.integers(1, 14)))
        watch = Watch(state, "same", float(rng.choice([0.0, 0.02])), stop, validation, patience, tmp_path / "few")
        try:
            model = TRAINERS[name](training, SETTINGS[name], seen.append, watch)
            break
        except CutOff:
            deaths += 1
    assert deaths >= 2
    assert same(model, whole)
    assert [one.values for one in seen] == [one.values for one in whole_history]
    assert snapshot_epochs(tmp_path / "few")[0] == 1


def test_a_pause_keeps_the_step_it_came_to(tmp_path: Path) -> None:
    training, _ = halves("lspin")
    asked = iter([False] * 7 + [True])
    watch = Watch(tmp_path / "state", "same", 60.0, lambda: next(asked))
    with pytest.raises(TrainingPaused, match="7 of 44"):
        TRAINERS["lspin"](training, SETTINGS["lspin"], print, watch)
    assert read_arrays(tmp_path / "state")[1]["step"] == 7


@pytest.mark.parametrize("damage", ["cut", "empty", "another"])
def test_a_state_that_cannot_be_used_costs_time_only(tmp_path: Path, damage: str) -> None:
    training, _ = halves("dann")
    whole = TRAINERS["dann"](training, SETTINGS["dann"], print, Watch())
    state = tmp_path / "state"
    with pytest.raises(CutOff):
        TRAINERS["dann"](training, SETTINGS["dann"], print, Watch(state, "same", 0.0, cut_off_at(9)))
    content = state.read_bytes()
    if damage == "another":
        arrays, facts = read_arrays(state)
        write_arrays(state, arrays, facts | {"fingerprint": "of other cells", "step": 40})
    else:
        state.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    assert same(TRAINERS["dann"](training, SETTINGS["dann"], print, Watch(state, "same")), whole)


def test_training_that_is_watched_is_the_training_that_is_not(tmp_path: Path) -> None:
    training, validation = halves("lspin")
    plain = TRAINERS["lspin"](training, SETTINGS["lspin"], print)
    watched = TRAINERS["lspin"](
        training, SETTINGS["lspin"], print, Watch(tmp_path / "state", validation=validation, snapshots=tmp_path / "few")
    )
    assert same(plain, watched)


def test_patience_ends_training_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    training, validation = halves("lspin")
    history: list[dict[str, float]] = []
    long = replace(SETTINGS["lspin"], optimiser=replace(SHORT, steps=400))

    def note(progress: Progress) -> None:
        history.append(dict(progress.values))

    watch = Watch(tmp_path / "state", validation=validation, patience=3)
    model = TRAINERS["lspin"](training, long, note, watch)
    best = best_epoch(history)
    assert best is not None and len(history) == best + 3 < 100
    assert is_over(history, 3) and not is_over(history[:-1], 3)
    z, present = model.preprocessor(validation.matrix())
    guess = model.ensemble_probabilities(z, present).argmax(1)
    right = np.array(model.classes)[guess] == validation.column("subclass")
    assert right.mean() == pytest.approx(history[best - 1]["validation_accuracy"])
