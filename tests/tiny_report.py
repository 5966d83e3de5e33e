"""Models and reports that ``train --report --baselines`` writes in half a minute: few cells, few steps, few networks.

Everything is computed as for the shipped models; only sizes are smaller, and UMAP is replaced by the first two
features, for its compilation alone takes longer than all else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from neuroclass.cli import main
from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.commands import train, training_run
from neuroclass.config import DannSettings, LspinSettings, OptimiserSettings
from neuroclass.evaluation import comparisons, learning, protocols, taxonomies
from neuroclass.evaluation.feature_subsets import random_subsets
from neuroclass.evaluation.names import Protocol
from neuroclass.explain import domain_report, domain_spaces
from neuroclass.reports import build
from neuroclass.training import crossfit, etypes, registry
from neuroclass.types.models import DANN, LSPIN, MODELS
from tests.planted import planted_cohort

N_CELLS = 160
SHORT = OptimiserSettings(steps=30, batch_cells=64, learning_rate=1e-2, steps_an_epoch=10)


@dataclass(frozen=True)
class TinyDann(DannSettings):
    """DANN's recipe, but small."""

    n_members: int = 2
    hidden: tuple[int, ...] = (16, 4)
    inner_folds: int = 2
    optimiser: OptimiserSettings = SHORT


@dataclass(frozen=True)
class TinyLspin(LspinSettings):
    """LSPIN's recipe, but small."""

    n_members: int = 2
    inner_folds: int = 2
    optimiser: OptimiserSettings = SHORT


def tiny_cohort() -> Cohort:
    """Planted cells of both species, with lines and layers; a few lack a feature."""
    cohort = planted_cohort(N_CELLS, seed=4)
    rng = np.random.default_rng(0)
    frame = cohort.frame.assign(
        line=cohort.frame["subclass"] + "-Cre",
        layer=rng.choice(["2/3", "4", "5"], N_CELLS),
        dendrite_type=np.where(cohort.frame["broad"] == "excitatory", "spiny", "aspiny"),
        structure="VISp",
    )
    frame.loc[frame.index[::15], "tau"] = np.nan
    return make_cohort(frame, "planted", simulated=True)


@contextmanager
def tiny_sizes() -> Iterator[None]:
    """Few steps, folds, networks and systems, for as long as the context lasts."""
    with pytest.MonkeyPatch.context() as patch:
        _small(patch)
        yield


def _small(patch: pytest.MonkeyPatch) -> None:
    for module in (train, training_run):
        patch.setattr(module, "load_cohort", lambda _: tiny_cohort())
    for spec, settings in ((DANN, TinyDann), (LSPIN, TinyLspin)):
        patch.setitem(MODELS, spec.name, replace(spec, settings=settings))
    for module in (build, domain_report, domain_spaces):
        patch.setattr(module, "DannSettings", TinyDann)
    plain = registry.network(DANN, TinyDann(reversal=0.0))
    patch.setitem(registry.SYSTEMS, "dann-lambda0", replace(registry.SYSTEMS["dann-lambda0"], train=plain))
    patch.setattr(domain_spaces, "REVERSALS", (0.0, 1.0))
    patch.setattr(domain_report, "umap_of", lambda features: np.asarray(features)[:, :2])
    patch.setattr(protocols, "N_FOLDS", 3)
    for protocol, (make, repeats) in dict(protocols._PLANS).items():
        patch.setitem(protocols._PLANS, protocol, (make, min(repeats, 1 + (protocol == Protocol.DONOR_CV))))
    patch.setattr(build, "random_subsets", partial(random_subsets, 60))
    patch.setattr(build, "STABILITY_SEEDS", (101,))
    patch.setattr(build, "EXPLAINED_CELLS", 8)
    patch.setattr(build, "EXPLAINERS", ("rf", "lasso"))
    patch.setattr(crossfit, "_PROTOTYPES", 3)
    patch.setattr(comparisons, "ABLATIONS", {"dann": ("dann-lambda0",), "lspin": ()})
    patch.setattr(comparisons, "BASELINES", ("svc",))
    patch.setattr(learning, "SIZES", (40,))
    patch.setattr(etypes, "COUNTS", (2, 3))
    patch.setattr(taxonomies, "COUNTS", (2, 3))
    patch.setattr(learning, "BUDGETS", (3,))
    patch.setattr(learning, "DRAWS", 1)


def write_tiny_models(folder: Path) -> None:
    """Train both models and write their reports to a folder of models."""
    with tiny_sizes(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROCLASS_CACHE", str(folder.parent / "cache"))
        for name in MODELS:
            status = folder.parent / f"{name}-status.json"
            arguments = ["train", name, "--out", str(folder), "--report", "--baselines", "--jobs", "1"]
            assert main([*arguments, "--status", str(status), "--json"]) == 0
