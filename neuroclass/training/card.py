"""A model card's entries on training: cells, settings, versions."""

import math
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, TypeAlias

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import DannSettings, HumanSubclassSettings, LspinSettings
from neuroclass.predictors.predictor import Predictor

_LIBRARIES = ("numpy", "scikit-learn", "torch")


AnySettings: TypeAlias = DannSettings | LspinSettings | HumanSubclassSettings | Mapping[str, Any]


def training_card(cohort: Cohort, task: str, settings: AnySettings, model: Predictor) -> dict[str, Any]:
    """The card of a model just trained.

    Parameters
    ----------
    cohort : Cohort
        Training cells.
    task : str
        ``broad``, ``subclass`` or ``human_subclass``.
    settings : DannSettings, LspinSettings, HumanSubclassSettings or mapping
        How it was trained; a mapping of what JSON can hold, with ``seed``.
    model : Predictor
        The model.

    Returns
    -------
    dict
    """
    counts = cohort.frame.groupby(["species", task]).size()
    return {
        "task": task,
        "training_cells": {
            "source": cohort.source,
            "simulated": cohort.simulated,
            "n_cells": len(cohort),
            "n_donors": int(cohort.frame["donor"].nunique()),
            "classes": {f"{species} {name}": int(n) for (species, name), n in counts.items()},
            "sha256": cohort.digest(),
        },
        "scaler": {
            "mean": [_rounded(value) for value in model.preprocessor.mean],
            "scale": [round(float(value), 6) for value in model.preprocessor.scale],
            "of": "features after taking logarithms where a feature calls for it",
        },
        "background": f"{len(model.background)} k-means prototypes of the training cells, by species",
        "settings": dict(settings) if isinstance(settings, Mapping) else asdict(settings),
        "seeds": [settings["seed"] if isinstance(settings, Mapping) else settings.seed],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
    }


def _rounded(value: float) -> float | None:
    """To six decimals; None for a feature that the model does not use."""
    return None if math.isnan(value) else round(float(value), 6)
