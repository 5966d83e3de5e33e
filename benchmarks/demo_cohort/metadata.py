"""What a simulated cell cannot have by itself: resistances entered by a person, donor, layer, line."""

from collections.abc import Mapping

import numpy as np

from neuroclass.cell_types import Subclass
from neuroclass.cohort.cohort import Cohort

CELLS_PER_DONOR = 3
DRAWN = ("line", "layer", "structure", "dendrite_type", "reporter_status")
TRIM_PERCENT = 1.0


class Drawer:
    """Draws for one class, each column by itself, from the class' proportions and distributions.

    Parameters
    ----------
    cohort : Cohort
        The class' real cells.
    kind : str
        The class, such as ``mouse/Pvalb``.
    generator : Generator
        Source of the draws.
    """

    def __init__(self, cohort: Cohort, kind: str, generator: np.random.Generator) -> None:
        self.species, _, self.name = kind.partition("/")
        self.generator = generator
        frame = cohort.frame
        self.columns = {name: frame[name].dropna().to_numpy(dtype=object) for name in DRAWN}
        seal = frame["seal_gohm"].to_numpy()
        self.seal_range = np.percentile(seal, [TRIM_PERCENT, 100 - TRIM_PERCENT])
        log_seal = np.log(np.clip(seal, *self.seal_range))
        self.seal = (log_seal.mean(), log_seal.std())
        pulse, ri = np.log(frame["input_resistance_mohm"].to_numpy()), np.log(frame["ri"].to_numpy())
        self.pulse_range = np.exp(np.percentile(pulse, [TRIM_PERCENT, 100 - TRIM_PERCENT]))
        self.slope = float(np.cov(pulse, ri)[0, 1] / ri.var(ddof=1))
        self.intercept = float(pulse.mean() - self.slope * ri.mean())
        self.residual = float((pulse - self.intercept - self.slope * ri).std())

    def entered(self, ri: float) -> dict[str, float]:
        """Seal and test-pulse input resistance: log-normal, the latter regressed on `ri` (MOhm)."""
        seal = np.exp(self.seal[0] + self.seal[1] * self.generator.standard_normal())
        mean = self.intercept + self.slope * np.log(ri)
        pulse = np.exp(mean + self.residual * self.generator.standard_normal())
        return {
            "seal_gohm": float(np.clip(seal, *self.seal_range)),
            "input_resistance_mohm": float(np.clip(pulse, *self.pulse_range)),
        }

    def labels(self, number: int) -> Mapping[str, str | None]:
        """Id, donor and drawn metadata of the class' cell `number`, from 1."""
        mouse = self.species == "mouse"
        donor = f"{self.name}-{(number - 1) // CELLS_PER_DONOR + 1:02d}"
        if not mouse:
            donor = f"human-{(number - 1) // CELLS_PER_DONOR + 1:02d}"
        broad = Subclass(self.name).broad.value if mouse else self.name
        drawn = {
            name: str(self.generator.choice(values)) if len(values) else None for name, values in self.columns.items()
        }
        return {
            "id": f"simulated-{self.species}-{self.name.lower()}-{number:03d}",
            "species": self.species,
            "donor": f"simulated-donor-{donor}",
            "broad": broad,
            "subclass": self.name if mouse else None,
            **drawn,
        }
