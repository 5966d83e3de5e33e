"""Cross-species matches put to the test: how often a mouse interneuron matches a human one of its own subclass.

In mouse discriminants a cell is where the linear discriminants of the mouse subclasses put it. Human cells are moved
there by the species' offset, the difference between the mean GABAergic cells of the two species, or not.
"""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neuroclass.cell_types import Broad, Species, Subclass
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.human import TABLE_COLUMN
from neuroclass.explain.cross_species_matches import Labelled, label_agreement, nearest_cells
from neuroclass.explain.domain_spaces import pair_distances
from neuroclass.explain.embedding import umap_of
from neuroclass.predictors.dann import DannPredictor
from neuroclass.training.fit_human_subclass import TASK, human_preprocessor, used_features
from neuroclass.types.arrays import Floats, Mask

OFFSET_REMOVED = "mouse discriminants, species offset removed"
OFFSET_KEPT = "mouse discriminants, species offset kept"
DANN_SPACE = "DANN's features"


def _distances(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.sqrt(((a[:, None, :] - b[None]) ** 2).sum(2)))


def cross_species(cohort: Cohort, dann: DannPredictor) -> dict[str, Any]:
    """Labels of the human GABAergic cells nearest to mouse GABAergic cells, and a map of all of them.

    Parameters
    ----------
    cohort : Cohort
        From `load_human_cells`.
    dann : DannPredictor
        The shipped model; it has seen none of the human GABAergic cells.

    Returns
    -------
    dict
        ``agreement``: rows of `label_agreement`, each with its ``space``; ``matches``: `nearest_cells` in DANN's
        features; ``embedding``: id, species, truth (subclass), table, x and y of the cells with a subclass in a UMAP of
        DANN's features. The features are those that human cells of every subclass have; the mouse cells are those that
        the discriminants, and DANN, were trained on.
    """
    human = cohort.labelled(TASK)
    used = used_features(human)
    inhibitory = human.take((human.frame["broad"] == Broad.INHIBITORY).to_numpy())
    mouse = cohort.of_species(Species.MOUSE).labelled("subclass")
    preprocessor = human_preprocessor(mouse.matrix(), used)
    z, other = (preprocessor(cells.matrix())[0][:, used] for cells in (mouse, inhibitory))
    labels = mouse.column("subclass").astype(str)
    fitted = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(z, labels)
    ours = labels != Subclass.GLUTAMATERGIC
    a, b = fitted.transform(z)[ours], fitted.transform(other)
    x, y = (np.where(used, cells.matrix(), np.nan) for cells in (mouse.take(ours), inhibitory))
    spaces = {
        DANN_SPACE: pair_distances(dann, x, y),
        OFFSET_REMOVED: _distances(a, b - b.mean(0) + a.mean(0)),
        OFFSET_KEPT: _distances(a, b),
    }
    pair = _labelled(mouse.take(ours), "subclass"), _labelled(inhibitory, TASK)
    return {
        "agreement": [
            {"space": space, **row} for space, distances in spaces.items() for row in label_agreement(*pair, distances)
        ],
        "matches": nearest_cells(*pair, spaces[DANN_SPACE]),
        "embedding": _embedding(mouse, human, dann, used),
    }


def _labelled(cells: Cohort, label: str) -> Labelled:
    return Labelled(*(cells.column(name).astype(str).astype(object) for name in ("id", label, "donor")))


def _embedding(mouse: Cohort, human: Cohort, dann: DannPredictor, used: Mask) -> pd.DataFrame:
    """The cells in a UMAP of DANN's features."""
    table = pd.concat(
        [
            cells.frame[["id", "species", TABLE_COLUMN]].assign(truth=cells.frame[label])
            for cells, label in ((mouse, "subclass"), (human, TASK))
        ],
        ignore_index=True,
    )
    x = np.concatenate([np.where(used, cells.matrix(), np.nan) for cells in (mouse, human)])
    points = umap_of(dann.embed(x)).round(4)
    return table.assign(x=points[:, 0], y=points[:, 1])
