"""Whether held-out cells fare as the Classify page promises for what is known of them.

Trains the shipped recipes on five folds of donor-cv, of another repeat than the one that the page's numbers come from,
and hides features of the held-out cells: noise features removed, long squares only, and five random features in thirty
draws. Measured accuracy and coverage stand beside what the page says for that set of features.

    python -m benchmarks.promises --data DIR [--folds DIR] [--jobs 2]

``--folds`` keeps the trained networks, so that a second run is quick; leave it out after a change of the recipe.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from neuroclass.cohort.loading import load_cohort
from neuroclass.evaluation.evaluate import train_trial
from neuroclass.evaluation.expected_accuracy import ExpectedAccuracy
from neuroclass.evaluation.feature_subsets import (
    ALL,
    digits_of,
    random_subsets,
    subset_outcomes,
    summarise_subsets,
)
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial, plan_protocol
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from neuroclass.io.artifacts import load_model, save_model
from neuroclass.predictors.predictor import Predictor
from neuroclass.reports.store import report_of
from neuroclass.types.arrays import Mask
from neuroclass.types.models import DANN, LSPIN, MODELS

DRAWS = 30
REPEAT = 1
SEED = 2024


def scenarios() -> dict[str, Mask]:
    """Sets of known features by the name of what happened, each of shape (n_sets, 41)."""
    rng = np.random.default_rng(SEED)
    five = np.zeros((DRAWS, len(FEATURE_NAMES)), dtype=bool)
    for row in five:
        row[rng.choice(len(FEATURE_NAMES), 5, replace=False)] = True
    return {
        "noise features removed": ~np.isin(FEATURE_NAMES, features_of(Stimulus.NOISE))[None],
        "long squares only": np.isin(FEATURE_NAMES, features_of(Stimulus.LONG_SQUARE))[None],
        "five random features": five,
    }


def run_fold(name: str, plan: Plan, trial: Trial, folder: Path, subsets: Mask) -> pd.DataFrame:
    """Held-out outcomes of one fold with every set of features."""
    import torch

    torch.set_num_threads(1)
    place = folder / f"{trial.repeat}-{trial.fold}"
    if not (place / name / "card.json").is_file():
        trained = train_trial(name, MODELS[name].task, plan, trial)
        assert isinstance(trained, Predictor)
        save_model(trained, place / name)
    return subset_outcomes(load_model(name, place), plan.cohort.take(trial.test), MODELS[name].task, subsets)


def promised(name: str, fitted: pd.DataFrame, refit: bool) -> ExpectedAccuracy:
    """What the page uses: the shipped table, or with `refit` the estimate from these very folds."""
    table = report_of(name).feature_subsets()
    if refit and table is not None:
        table = pd.concat([table[table["stimuli"].notna()], fitted], ignore_index=True)
    return ExpectedAccuracy(table)


def report(name: str, folder: Path, cohort_folder: Path, jobs: int, refit: bool) -> None:
    """Print promise and measurement of one model."""
    plan = plan_protocol(Protocol.DONOR_CV, load_cohort(cohort_folder), MODELS[name].task, REPEAT + 1)
    trials = [trial for trial in plan.trials if trial.repeat == REPEAT]
    named = scenarios()
    fitting, asked = random_subsets(), np.concatenate(list(named.values()))
    subsets = np.unique(np.concatenate([fitting, asked]), axis=0)
    calls = (delayed(run_fold)(name, plan, trial, folder, subsets) for trial in trials)
    outcomes = pd.concat(Parallel(n_jobs=jobs)(calls), ignore_index=True)
    table = summarise_subsets(outcomes, subsets)
    known = {digits_of(subset) for subset in fitting}
    expected = promised(name, table[table["features"].isin(known)], refit)
    print(f"\n{name}: measured on held-out cells, in brackets what the page says with its 95% interval")
    for what, sets in named.items():
        digits = {digits_of(subset) for subset in sets}
        chosen = table[table["features"].isin(digits) & (table["class"] == ALL)]
        for species, cells in chosen.groupby("species"):
            print(_line(what, str(species), cells, expected))


def _line(what: str, species: str, cells: pd.DataFrame, expected: ExpectedAccuracy) -> str:
    promised = []
    for digits in cells["features"]:
        features = [feature for feature, digit in zip(FEATURE_NAMES, digits, strict=True) if digit == "1"]
        promised.append(expected(features, species))
    kept = [p["low"] <= a <= p["high"] for p, a in zip(promised, cells["accuracy"], strict=True)]
    covered = [p["coverage_low"] <= c <= p["coverage_high"] for p, c in zip(promised, cells["coverage"], strict=True)]
    mean = {key: float(np.mean([p[key] for p in promised])) for key in ("accuracy", "low", "high", "coverage")}
    told = f"accuracy {cells['accuracy'].mean():.3f} [{mean['accuracy']:.3f}, {mean['low']:.3f} to {mean['high']:.3f}]"
    also = f"coverage {cells['coverage'].mean():.3f} [{mean['coverage']:.3f}]"
    return (
        f"  {what:<24} {species:<6} {told}, within it in {sum(kept)} of {len(kept)}; {also}, within its interval in "
        f"{sum(covered)} of {len(covered)}"
    )


def main() -> None:
    """Run both models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the published tables")
    parser.add_argument("--folds", type=Path, help="keep the folds' networks here, or use those that are")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--refit", action="store_true", help="estimate from these folds instead of the shipped table")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        for name in (LSPIN.name, DANN.name):
            report(name, args.folds or Path(passing), args.data, args.jobs, args.refit)


if __name__ == "__main__":
    main()
