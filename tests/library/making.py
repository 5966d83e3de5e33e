"""A small library of models, and training runs as the server leaves them."""

import json
from functools import lru_cache
from pathlib import Path

from neuroclass.io.artifacts import save_model
from neuroclass.library.library import ModelLibrary
from neuroclass.reports.own import train_into
from neuroclass.training.systems import train_system
from neuroclass.training.train import TrainedModel
from tests.planted import planted_cohort

RUN = "20260102-030405-lda-aaaaaa"


@lru_cache
def trained(system: str = "lda", task: str = "subclass", seed: int = 0) -> TrainedModel:
    """A quickly trained model of planted cells."""
    return train_system(system, planted_cohort(160), task, seed=seed)


def small_library(folder: Path, system: str = "lda", task: str = "subclass") -> ModelLibrary:
    """A library with one model, called ``mine``."""
    library = ModelLibrary(folder / "library", folder / "jobs")
    train_into(library, system, planted_cohort(160), task, "mine")
    return library


def make_run(library: ModelLibrary, run: str, *, finished: bool = True, name: str = "the run's name") -> Path:
    """A training run's folder; returns the model's."""
    folder = library.jobs / run
    made = trained(seed=hash(run) % 1000)
    save_model(made.predictor, folder / "model" / "lda", {**made.card, "name": name})
    (folder / "job.json").write_text(json.dumps({"model": "lda", "owner": "f" * 64}))
    (folder / "result.json").write_text("{}" if finished else "")
    return folder / "model" / "lda"
