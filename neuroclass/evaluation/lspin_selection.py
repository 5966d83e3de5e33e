"""The paper's choice of LSPIN's settings by accuracy on the test cells, reproduced once, and what is left of it after.

A network is scored on its way too: stopped after fewer steps it is one more setting, as the number of steps is one of
those that the paper's search chose.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from joblib import delayed

from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.evaluation.published_split import SubclassCells
from neuroclass.evaluation.search_on_test import Run, Search, layers_of, one_of, written
from neuroclass.nets.lspin import Lspin
from neuroclass.training.batches import as_tensor
from neuroclass.training.losses import LossTerms
from neuroclass.training.paper_lspin import PaperSettings, fit_paper_net
from neuroclass.training.targets import soft_targets
from neuroclass.types.arrays import Integers
from neuroclass.types.progress import ProgressCallback, ignore_progress

N_TRIALS = 24
SCORED_EVERY = 50
LEAST_STEPS = 200
GATINGS = ((50, 50), (50, 50, 50), (100, 100))
PREDICTIONS = ((40, 20), (50, 25), (50, 30, 20), (32, 16, 8), (64, 32, 16))
PENALTIES, RATES = (0.001, 0.5), (0.001, 0.5)


def run_lspin(cells: SubclassCells, settings: PaperSettings, seed: int) -> dict[str, Any]:
    """Train the paper's LSPIN on its training cells and score it on its way.

    Parameters
    ----------
    cells : SubclassCells
        Divided as published.
    settings : PaperSettings
        Layers, penalty, rate, steps.
    seed : int
        Of weights and gates' noise.

    Returns
    -------
    dict
        ``curve`` (DataFrame: steps, validation and test accuracy), ``predicted`` (test cells at each of these steps,
        shape (n_scored, n_test)) and ``gates`` of the test cells at the end, shape (n_test, 41).
    """
    torch.set_num_threads(1)
    x = as_tensor(cells.x)
    present = torch.ones_like(x)
    rows: list[dict[str, float]] = []
    predicted: list[Integers] = []

    def score(step: int, net: Lspin, _: LossTerms) -> None:
        if step % SCORED_EVERY and step != settings.steps:
            return
        if step < min(LEAST_STEPS, settings.steps):
            return
        right = {name: classes_of(net, x[part], present[part]) for name, part in parts.items()}
        shares = {name: float((right[name] == cells.truth[part]).mean()) for name, part in parts.items()}
        rows.append({"steps": step, **shares})
        predicted.append(right["test"])

    parts = {"validation": cells.validation, "test": cells.test}
    targets = as_tensor(soft_targets(cells.truth[cells.train], len(cells.classes), 0.0))
    net, _ = fit_paper_net(x[cells.train], present[cells.train], targets, settings, seed, score)
    with torch.inference_mode():
        gates = net(x[cells.test][None], present[cells.test][None]).gates[0].numpy()
    return {"curve": pd.DataFrame(rows), "predicted": np.stack(predicted), "gates": gates.astype(np.float32)}


@torch.inference_mode()
def classes_of(net: Lspin, x: torch.Tensor, present: torch.Tensor) -> Integers:
    """Predicted classes, shape (n_cells,), without noise; leaves the network in training mode."""
    found = net.eval()(x[None], present[None]).logits[0].argmax(-1).numpy()
    net.train()
    return np.asarray(found, dtype=np.int64)


def _proposed(trial: Any) -> PaperSettings:
    return PaperSettings(
        gating=one_of(trial, "gating", GATINGS),
        prediction=one_of(trial, "prediction", PREDICTIONS),
        gate_penalty=trial.suggest_float("gate_penalty", *PENALTIES, log=True),
        learning_rate=trial.suggest_float("learning_rate", *RATES, log=True),
    )


_PUBLISHED = PaperSettings()
SEARCH = Search(
    propose=_proposed,
    first={
        "gating": written(_PUBLISHED.gating),
        "prediction": written(_PUBLISHED.prediction),
        "gate_penalty": _PUBLISHED.gate_penalty,
        "learning_rate": _PUBLISHED.learning_rate,
    },
    train=run_lspin,
    score=lambda run: float(run["curve"]["test"].max()),
    stage="LSPIN: settings tried on the test cells",
)


def candidates(trials: Sequence[tuple[PaperSettings, Run]]) -> pd.DataFrame:
    """Every setting that was tried: trial (from 1), steps, validation and test accuracy, and what was proposed."""
    tables = [
        run["curve"].assign(
            trial=number,
            gating=written(settings.gating),
            prediction=written(settings.prediction),
            gate_penalty=settings.gate_penalty,
            learning_rate=settings.learning_rate,
        )
        for number, (settings, run) in enumerate(trials, start=1)
    ]
    return pd.concat(tables, ignore_index=True).astype({"steps": int})


def course(table: pd.DataFrame) -> pd.DataFrame:
    """How the search went, a row a trial.

    Returns
    -------
    DataFrame
        ``trial``; ``last`` (test accuracy at the last step) and ``best`` (over its numbers of steps); ``chosen``, the
        test accuracy of the best so far by the **test** cells; ``honest``, the test accuracy of the best so far by the
        **validation** cells.
    """
    rows = []
    for number, part in table.groupby("trial", sort=True):
        known = table[table["trial"] <= number]
        rows.append(
            {
                "trial": int(number),
                "last": float(part["test"].iloc[-1]),
                "best": float(part["test"].max()),
                "chosen": float(known["test"].max()),
                "honest": float(known.loc[known["validation"].idxmax(), "test"]),
            }
        )
    return pd.DataFrame(rows)


def settings_of(row: "pd.Series[Any]") -> PaperSettings:
    """The settings of one row of `candidates`."""
    return PaperSettings(
        gating=layers_of(str(row["gating"])),
        prediction=layers_of(str(row["prediction"])),
        gate_penalty=float(row["gate_penalty"]),
        learning_rate=float(row["learning_rate"]),
        steps=int(row["steps"]),
    )


def runs_of(
    cells: SubclassCells,
    settings: PaperSettings,
    seeds: Sequence[int],
    jobs: int,
    stage: str,
    progress: ProgressCallback = ignore_progress,
) -> list[Run]:
    """Train with the same settings and several seeds, which nothing chooses."""
    return in_parallel([delayed(run_lspin)(cells, settings, seed) for seed in seeds], jobs, stage, progress)
