"""Does adapting to a laboratory help? ``python -m benchmarks.adaptation --data DIR [--folds 2] [--cells 60]``.

Models and class shapes are fitted without the test donors (donor-cv). Batches of held-out cells with a random mix of
classes are measured as simulated laboratories would (`neuroclass.evaluation.laboratories`), adapted to without labels,
and scored; a batch that is left alone keeps its verdicts.
Printed: mean accuracy over batches before and after, fractions of cells. ``--third-domain`` scores DANN trained with
the batch as its third domain too (minutes a batch; one laboratory away and one at home).
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from neuroclass.adaptation.batch_model import adapt_batch
from neuroclass.adaptation.laboratory import make_batch
from neuroclass.adaptation.third_domain import train_with_laboratory
from neuroclass.cohort.loading import load_cohort
from neuroclass.evaluation.evaluate import train_trial
from neuroclass.evaluation.laboratories import Laboratory, shifted_laboratories
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial, plan_protocol
from neuroclass.reference.shapes import build_shapes
from neuroclass.types.models import MODELS

DRAWS = 3
AWAY = "25 °C, other junction convention, coarser steps"


def batch_rows(truth: np.ndarray, n_classes: int, n_cells: int, seed: int) -> np.ndarray:
    """Rows of a batch with a random mix of classes, at most `n_cells`."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(n_classes, 2.0)) / np.maximum(np.bincount(truth, minlength=n_classes), 1)
    weights = share[truth]
    return rng.choice(len(truth), min(n_cells, len(truth)), replace=False, p=weights / weights.sum())


def score(name: str, species: str, plan: Plan, trial: Trial, n_cells: int, found: dict[str, list[list[float]]]) -> None:
    """Accuracy before and after adaptation on the batches of one fold."""
    task = MODELS[name].task
    model = train_trial(name, task, plan, trial)
    test = plan.cohort.take(trial.test).of_species(species)
    reference = build_shapes(plan.cohort.take(trial.train))[species, task]
    truth = np.array([model.classes.index(label) for label in test.column(task)])
    for draw in range(DRAWS):
        rows = batch_rows(truth, len(model.classes), n_cells, draw)
        for laboratory in shifted_laboratories():
            x = laboratory.measure(test.matrix()[rows])
            before = model.predict_proba(x, [species] * len(x))
            z = reference.preprocessor.standardise(x)
            fit = adapt_batch(z, before, reference.shapes, reference.preprocessor, model.classes)
            right = [float((p.argmax(1) == truth[rows]).mean()) for p in (before, fit.probabilities)]
            found.setdefault(laboratory.name, []).append(right)


def third_domain(plan: Plan, trial: Trial, n_cells: int) -> None:
    """DANN with and without the batch as a third domain, on mouse cells at home and away."""
    train, test = plan.cohort.take(trial.train), plan.cohort.take(trial.test).of_species("mouse")
    plain = train_trial("dann", "broad", plan, trial)
    truth = np.array([plain.classes.index(label) for label in test.column("broad")])
    rows = batch_rows(truth, 2, n_cells, 0)
    away = next(one for one in shifted_laboratories() if one.name == AWAY)
    for laboratory in (Laboratory("as recorded"), away):
        x = laboratory.measure(test.matrix()[rows])
        names = [str(k) for k in range(len(rows))]
        species = ["mouse"] * len(rows)
        adapted = train_with_laboratory(train, make_batch(names, x, species))
        right = [(m.predict_proba(x, species).argmax(1) == truth[rows]).mean() for m in (plain, adapted)]
        print(f"  third domain, {laboratory.name}: {right[0]:.3f} without, {right[1]:.3f} with", flush=True)


def main() -> None:
    """Train, align, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--cells", type=int, default=60, help="cells of a batch")
    parser.add_argument("--third-domain", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cohort = load_cohort(args.data)
    for name, species in (("lspin", "mouse"), ("dann", "mouse"), ("dann", "human")):
        plan = plan_protocol(Protocol.DONOR_CV, cohort, MODELS[name].task, 1)
        found: dict[str, list[list[float]]] = {}
        for trial in plan.trials[: args.folds]:
            score(name, species, plan, trial, args.cells, found)
        print(f"{name}, {species}: {args.folds} folds, {DRAWS} batches of {args.cells} cells each")
        for laboratory, right in found.items():
            before, after = np.mean(right, axis=0)
            print(f"  {laboratory:68} {before:.3f} → {after:.3f}", flush=True)
    if args.third_domain:
        plan = plan_protocol(Protocol.DONOR_CV, cohort, "broad", 1)
        third_domain(plan, plan.trials[0], args.cells)


if __name__ == "__main__":
    main()
