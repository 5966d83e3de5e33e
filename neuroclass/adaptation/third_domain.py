"""DANN with a laboratory as its third domain, retrained on the reference cells and the lab's unlabelled ones.

The adversary tries to distinguish mouse, human and laboratory; the features are trained to defeat it. This needs
the reference cells themselves, so the real tables must be loaded. A server trains in a process of its own, since torch
has one source of random numbers for all threads.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from neuroclass.adaptation.laboratory import Batch
from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.config import DATA_VARIABLE, PROJECT_DIR, DannSettings, data_folder
from neuroclass.errors import CohortError, NeuroClassError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.atomic import write_atomically
from neuroclass.predictors.dann import DannPredictor
from neuroclass.training.fit_dann import train_dann
from neuroclass.types.arrays import Floats
from neuroclass.types.progress import EPOCH, Progress, ProgressCallback, ignore_progress

LABORATORY = "laboratory"
_POLL_S = 0.3
_CELLS, _ANSWER, _STATUS = "cells.npz", "answer.npy", "status.json"


def with_laboratory(cells: Cohort, batch: Batch) -> Cohort:
    """Join the reference cells with the laboratory's, unlabelled and as a species of their own.

    Raises
    ------
    CohortError
        If the reference's cells are simulated.
    """
    if cells.simulated:
        raise CohortError(
            "DANN can only be trained with the laboratory as a domain where the real tables are loaded; set "
            "NEUROCLASS_DATA or run `python -m neuroclass fetch`. The alignment works without them."
        )
    lab = pd.DataFrame(batch.x, columns=list(FEATURE_NAMES))
    lab = lab.assign(id=[f"{LABORATORY} {k}" for k in range(len(lab))], species=LABORATORY)
    both = pd.concat([cells.frame, lab], ignore_index=True)
    return make_cohort(both, f"{cells.source} and {len(lab)} cells of the laboratory")


def train_with_laboratory(
    cells: Cohort, batch: Batch, settings: DannSettings | None = None, progress: ProgressCallback = ignore_progress
) -> DannPredictor:
    """Train DANN with the laboratory as a third domain.

    Parameters
    ----------
    cells : Cohort
        The real table.
    batch : Batch
        The laboratory's cells; their labels, if any, are not used.
    settings : DannSettings, optional
        As for the shipped model by default.
    progress : ProgressCallback
        Called after each epoch; see `run_training`.

    Returns
    -------
    DannPredictor

    Raises
    ------
    CohortError
        If the reference's cells are simulated.
    """
    return train_dann(with_laboratory(cells, batch), settings or DannSettings(), progress)


def probabilities_apart(batch: Batch, progress: ProgressCallback = ignore_progress) -> Floats:
    """`train_with_laboratory` on the loaded cells, in a process that ends with this call, even if `progress` raises.

    Returns
    -------
    ndarray, shape (n_cells, 2)
        DANN's probabilities of the laboratory's cells.

    Raises
    ------
    CohortError
        If the training failed.
    """
    data = data_folder()
    known = {DATA_VARIABLE: str(data.resolve())} if data else {}
    with tempfile.TemporaryDirectory(prefix="neuroclass-") as name:
        folder = Path(name)
        np.savez(folder / _CELLS, x=batch.x, species=np.array(batch.species))
        with (folder / "messages.txt").open("wb") as messages:
            process = subprocess.Popen(
                _command(name),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=messages, cwd=PROJECT_DIR,
                env={**os.environ, **known, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            try:
                while process.poll() is None:
                    time.sleep(_POLL_S)
                    progress(_progress(folder / _STATUS))
            finally:
                process.kill()
                process.wait()
        if process.returncode or not (folder / _ANSWER).is_file():
            last = (folder / "messages.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise CohortError(f"The training with the laboratory ended with an error: {''.join(last) or 'no message'}")
        return np.asarray(np.load(folder / _ANSWER), dtype=np.float64)


def _progress(path: Path) -> Progress:
    return Progress(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else Progress(EPOCH, 0)


def _command(folder: str) -> list[str]:
    return [sys.executable, "-m", "neuroclass.adaptation.third_domain", folder]


def main(folder: Path) -> None:
    """Train on the cells in a folder and write the probabilities and progress beside them."""
    from neuroclass.cohort.loading import load_cohort

    def write(progress: Progress) -> None:
        status = {"stage": progress.stage, "done": progress.done, "total": progress.total}
        write_atomically(folder / _STATUS, json.dumps(status).encode())

    with np.load(folder / _CELLS) as kept:
        x, species = kept["x"], str(kept["species"])
    batch = Batch(tuple(map(str, range(len(x)))), x, species)
    model = train_with_laboratory(load_cohort(), batch, progress=write)
    np.save(folder / _ANSWER, model.predict_proba(x, [species] * len(x)))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except NeuroClassError as error:
        sys.exit(str(error))
