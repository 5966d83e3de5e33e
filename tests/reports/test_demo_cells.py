"""The stored verdicts on simulated cells."""

from typing import Any

import numpy as np

from neuroclass.cell_types import BROAD_ORDER, SUBCLASS_ORDER
from neuroclass.cohort.demo import load_demo
from neuroclass.reports.demo_cells import demo_predictions


class _Made:
    """A model that believes in the class of the cell's place in the table."""

    def __init__(self, task: str, classes: tuple[str, ...]) -> None:
        self.task, self.classes = task, classes

    def predict_proba(self, x: Any, species: list[str]) -> Any:
        assert len(species) == len(x)
        return np.eye(len(self.classes))[np.arange(len(x)) % len(self.classes)]


def test_a_row_for_each_cell_whose_class_the_model_tells() -> None:
    cells = load_demo()
    broad = demo_predictions(_Made("broad", BROAD_ORDER), cells)  # type: ignore[arg-type]
    assert len(broad) == len(cells)
    assert broad["predicted"].tolist()[:3] == ["excitatory", "inhibitory", "excitatory"]
    subclass = demo_predictions(_Made("subclass", SUBCLASS_ORDER), cells)  # type: ignore[arg-type]
    assert set(subclass["species"]) == {"mouse"}
    assert (subclass["truth"] == cells.of_species("mouse").frame["subclass"]).all()
    assert subclass[[f"p_{c}" for c in SUBCLASS_ORDER]].sum(axis=1).eq(1).all()
