"""DANN is trained with a laboratory in a process of its own, which ends with whoever asked for it."""

import sys
from collections.abc import Callable

import numpy as np
import psutil
import pytest
import torch

from neuroclass.adaptation import third_domain
from neuroclass.adaptation.laboratory import Batch
from neuroclass.cohort.demo import load_demo
from neuroclass.errors import CohortError
from neuroclass.types.progress import EPOCH, Progress

BATCH = Batch(("a", "b"), np.arange(82.0).reshape(2, 41), "mouse")
READ = "import json, sys, time; from pathlib import Path; folder = Path(sys.argv[1]); "


class Stopped(BaseException):
    """As Streamlit ends a script."""


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Run a script instead of the training."""
    monkeypatch.setattr(third_domain, "_POLL_S", 0.05)

    def use(script: str) -> None:
        monkeypatch.setattr(third_domain, "_command", lambda folder: [sys.executable, "-c", READ + script, folder])

    return use


def test_the_answer_comes_back_and_this_processs_random_numbers_are_as_they_were(child):
    child("import numpy as np; np.save(folder / 'answer.npy', np.load(folder / 'cells.npz')['x'][:, :2])")
    before = torch.random.get_rng_state()
    np.testing.assert_array_equal(third_domain.probabilities_apart(BATCH), BATCH.x[:, :2])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_whoever_stops_ends_the_process(child):
    child("(folder / 'status.json').write_text(json.dumps({'stage': 'epoch', 'done': 3, 'total': 9})); time.sleep(60)")
    seen: list[Progress] = []
    before = set(psutil.Process().children())

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.total:
            raise Stopped

    with pytest.raises(Stopped):
        third_domain.probabilities_apart(BATCH, stop)
    assert seen[-1] == Progress(EPOCH, 3, 9)
    assert set(psutil.Process().children()) <= before


def test_a_training_that_fails_says_why(child):
    child("sys.exit('no cells are here')")
    with pytest.raises(CohortError, match="no cells are here"):
        third_domain.probabilities_apart(BATCH)


def test_the_process_trains_on_the_cells_it_was_given(monkeypatch, tmp_path):
    given = []

    class Trained:
        def predict_proba(self, x, species):
            return np.stack([x[:, 0], 1 - x[:, 0]], axis=1)

    monkeypatch.setattr(third_domain, "train_with_laboratory", lambda *a, **_: given.append(a) or Trained())
    monkeypatch.setattr("neuroclass.cohort.loading.load_cohort", load_demo)
    np.savez(tmp_path / "cells.npz", x=BATCH.x, species=np.array("human"))
    third_domain.main(tmp_path)
    ((_, batch),) = given
    assert batch.species == "human"
    np.testing.assert_array_equal(batch.x, BATCH.x)
    np.testing.assert_array_equal(np.load(tmp_path / "answer.npy")[:, 0], BATCH.x[:, 0])
