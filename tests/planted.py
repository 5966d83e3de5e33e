"""A cohort in which it is known what the classes and species depend on."""

import numpy as np
import pandas as pd

from neuroclass.cell_types import BROAD_ORDER, HUMAN_SUBCLASS_ORDER, SUBCLASS_ORDER
from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus

CENTRES = {"mV": (-40.0, 6.0), "pA": (150.0, 0.4), "MOhm": (150.0, 0.3), "ms": (20.0, 0.3), "s": (1e-3, 0.3)}
CENTRES |= {"mV/ms": (200.0, 0.3), "GOhm": (1.5, 0.3), "Hz/pA": (0.3, 0.3), "": (3.0, 0.2)}


def stored(z: np.ndarray) -> np.ndarray:
    """Standard normal values as plausible features in stored units, shape (n_cells, 41)."""
    x = np.empty_like(z)
    for k, spec in enumerate(FEATURES):
        centre, spread = CENTRES[spec.unit]
        if spec.name == "sag":
            x[:, k] = 0.1 + 0.03 * z[:, k]
        elif spec.name == "latency":
            x[:, k] = 0.05 * np.exp(0.3 * z[:, k])
        elif spec.unit == "mV":
            x[:, k] = centre + spread * z[:, k]
        else:
            x[:, k] = (-1 if spec.name == "downstroke" else 1) * centre * np.exp(spread * z[:, k])
    return x


def planted_cohort(
    n_cells: int = 400,
    seed: int = 0,
    class_features: tuple[str, ...] = ("width", "sag", "tau", "ri"),
    species_feature: str = "vrest",
    human_share: float = 0.4,
) -> Cohort:
    """Cells whose class shifts `class_features` and whose species shifts `species_feature`.

    Subclass k (mouse only) raises the k-th of the class features; class 0 raises none.
    """
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n_cells, len(FEATURES)))
    subclass = rng.integers(len(SUBCLASS_ORDER), size=n_cells)
    human = rng.random(n_cells) < human_share
    for k, name in enumerate(class_features, start=1):
        z[subclass == k, FEATURE_NAMES.index(name)] += 4.0
    z[human, FEATURE_NAMES.index(species_feature)] += 3.0
    frame = pd.DataFrame(stored(z), columns=list(FEATURE_NAMES))
    frame["id"] = [f"cell{k}" for k in range(n_cells)]
    frame["donor"] = [f"donor{k}" for k in rng.integers(1 + n_cells // 4, size=n_cells)]
    frame["species"] = np.where(human, "human", "mouse")
    frame["donor"] = frame["donor"] + frame["species"]
    frame["broad"] = np.where(subclass == 0, *BROAD_ORDER)
    frame["subclass"] = np.where(human, None, np.array(SUBCLASS_ORDER, dtype=object)[subclass])
    return make_cohort(frame, "planted", simulated=True)


def planted_human_cohort(n_cells: int = 360, seed: int = 0) -> Cohort:
    """Planted cells whose human ones have a ``human_subclass``, a ``condition`` and a ``table``.

    GABAergic human cells lack noise features, a fifth of the human cells ramps, a seventh of all the resting potential.
    """
    cohort = planted_cohort(n_cells, seed, class_features=("sag", "tau", "ri", "peak_v_ramp"), human_share=0.6)
    frame = cohort.frame.copy()
    rng = np.random.default_rng(seed)
    human = (frame["species"] == "human").to_numpy()
    raised = np.stack([frame[name].rank(pct=True) for name in ("sag", "tau", "ri", "peak_v_ramp")], axis=1)
    subclass = np.where(raised.max(1) > 0.8, raised.argmax(1) + 1, 0)
    frame["human_subclass"] = np.where(human, np.array(HUMAN_SUBCLASS_ORDER, dtype=object)[subclass], None)
    frame["broad"] = np.where(human, np.where(subclass == 0, *BROAD_ORDER), frame["broad"])
    frame["condition"] = np.where(human & (subclass > 0), rng.choice(["acute", "culture"], n_cells), None)
    frame["table"] = np.where(subclass > 0, "human_gabaergic", "human_excitatory")
    for spec in FEATURES:
        if spec.stimulus is Stimulus.NOISE:
            frame.loc[human & (subclass > 0), spec.name] = np.nan
        if spec.stimulus is Stimulus.RAMP:
            frame.loc[human & (np.arange(n_cells) % 5 == 0), spec.name] = np.nan
    frame.loc[np.arange(n_cells) % 7 == 0, "vrest"] = np.nan
    return Cohort(frame, "planted human", simulated=True)
