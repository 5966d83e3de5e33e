"""SHAP values: ours against shap's explainers, in time and in agreement with a long reference.

``make bench-explain``, or ``python -m benchmarks.explain``. Cells are those of the simulated cohort, so that it
runs anywhere; the models are those that ship.
"""

import time
from collections.abc import Callable

import numpy as np
import shap

from neuroclass.cohort.demo import load_demo
from neuroclass.explain.shap_values import shap_values
from neuroclass.io.artifacts import load_model
from neuroclass.predictors.predictor import Predictor
from neuroclass.types.arrays import Floats

N_CELLS = 8
REFERENCE_PAIRS = 80
KERNEL_SAMPLES = 2048


def timed(work: Callable[[], Floats]) -> tuple[Floats, float]:
    """Result and processor seconds a cell."""
    started = time.process_time()
    result = work()
    return result, (time.process_time() - started) / N_CELLS


def kernel(model: Predictor, f: Callable[[Floats], Floats], z: Floats) -> Floats:
    """The shap package's KernelExplainer."""
    explainer = shap.KernelExplainer(f, model.background)
    return np.asarray(explainer.shap_values(z, nsamples=KERNEL_SAMPLES, silent=True))


def permutation(model: Predictor, f: Callable[[Floats], Floats], z: Floats) -> Floats:
    """The shap package's PermutationExplainer, two orders."""
    masker = shap.maskers.Independent(model.background, max_samples=len(model.background))
    explainer = shap.explainers.Permutation(f, masker, seed=0)
    return np.asarray(explainer(z, max_evals=2 * (2 * z.shape[1] + 1), silent=True).values)


def main() -> None:
    """Print one table a model."""
    cells = load_demo().of_species("mouse").complete()
    cells = cells.take(np.linspace(0, len(cells) - 1, N_CELLS).astype(int))
    x, species = cells.matrix(), ["mouse"] * N_CELLS
    for name in ("dann", "lspin"):
        model = load_model(name)
        z = model.preprocessor.standardise(x)

        def f(rows: Floats, model: Predictor = model) -> Floats:
            return model.standardised_probabilities(rows, ["mouse"] * len(rows))

        permutation(model, f, z[:1])  # compiles shap's masking, which is not what is compared
        reference = shap_values(model, x, species, pairs=REFERENCE_PAIRS, seed=1).values
        ways: dict[str, Callable[[], Floats]] = {
            "KernelExplainer": lambda model=model, z=z, f=f: kernel(model, f, z),
            "PermutationExplainer": lambda model=model, z=z, f=f: permutation(model, f, z),
            "NeuroClass": lambda model=model: shap_values(model, x, species).values,
        }
        results = {way: timed(work) for way, work in ways.items()}
        base = results["KernelExplainer"][1]
        print(f"\n{name}: {N_CELLS} simulated cells, {len(model.background)} prototypes, 41 features")
        print(f"{'way':<22}{'ms a cell':>12}{'times faster':>14}{'RMSE':>9}")
        for way, (values, seconds) in results.items():
            rmse = float(np.sqrt(((values - reference) ** 2).mean()))
            print(f"{way:<22}{1e3 * seconds:>12.1f}{base / seconds:>14.1f}{rmse:>9.4f}")


if __name__ == "__main__":
    main()
