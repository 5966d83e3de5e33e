"""Cells of a laboratory whose offset, composition and classes are known, drawn from the shapes that ship."""

from dataclasses import dataclass

import numpy as np

from neuroclass.adaptation.batch_model import BatchFit, adapt_batch
from neuroclass.adaptation.verdicts import normalised, reference_home, tempered, unknown_laboratory
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.lab_shifts import standardised_shifts
from neuroclass.reference.shapes import ReferenceShapes, load_shapes
from neuroclass.types.arrays import Floats, Integers

LONG_SQUARE = (
    "vrest", "threshold_i_long_square", "f_i_curve_slope", "sag", "vm_for_sag", "ri", "threshold_v_long_square",
    "trough_v_long_square", "fast_trough_v_long_square", "upstroke_downstroke_ratio_long_square", "peak_v_long_square",
    "latency", "tau",
)  # fmt: skip
MIXED = (0.2, 0.25, 0.25, 0.15, 0.15)


@dataclass(frozen=True)
class Planted:
    """A planted laboratory: standardised features, true classes, and sizes of its shifts in sd."""

    reference: ReferenceShapes
    z: Floats
    truth: Integers
    sizes: Floats

    @property
    def alone(self) -> Floats:
        home = reference_home(self.reference.shapes, self.reference.preprocessor, np.ones(len(FEATURE_NAMES), bool))
        return normalised(tempered(unknown_laboratory(self.z, home), self.z))

    def adapt(self, seed: int = 0) -> BatchFit:
        reference = self.reference
        return adapt_batch(self.z, self.alone, reference.shapes, reference.preprocessor, reference.classes, seed)

    def accuracy(self, p: Floats) -> float:
        return float((p.argmax(1) == self.truth).mean())


def plant(
    n_cells: int, seed: int, share: tuple[float, ...] = MIXED, features: tuple[str, ...] = LONG_SQUARE,
    sizes: Floats | None = None,
) -> Planted:  # fmt: skip
    """Draw a laboratory; without `sizes` its shifts are as large as those of real laboratories."""
    reference = load_shapes("mouse" if len(share) == 5 else "human")
    rng = np.random.default_rng(seed)
    z, truth = reference.shapes.sample(np.array(share), n_cells, rng)
    sizes = rng.normal(size=6) if sizes is None else sizes
    z = z + sizes @ standardised_shifts(reference.preprocessor)
    z[:, [name not in features for name in FEATURE_NAMES]] = np.nan
    return Planted(reference, z, truth, sizes)
