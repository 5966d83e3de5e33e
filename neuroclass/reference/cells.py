"""Reference cells with sweeps: the nearest of each class to a given cell, in the model's features.

The distance is the root mean square difference of the standardised features that both cells have, weighted by
LSPIN's gates if the model has them. Recorded cells come first; the embedded simulated cells substitute for classes
without a recording on this machine, and are marked as simulated.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuroclass.cell_types import broad_of
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.cohort.examples import EXAMPLES
from neuroclass.config import recordings_folder
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.allen import default_cache
from neuroclass.predictors.cell_predictor import AnyPredictor
from neuroclass.types.arrays import Floats, Integers

LEAST_SHARED = 4
SAME = 1e-3
"""Distance, standard deviations per feature, below which two cells are one."""
_ID = re.compile(r"(?<!\d)\d{6,}(?!\d)")


@dataclass(frozen=True)
class ReferenceCell:
    """A cell of a known class whose sweeps can be drawn.

    Attributes
    ----------
    cell_id, species, label : str
        Its id, species and class.
    simulated : bool
        Whether it is simulated.
    distance : float
        Distance from the given cell, standard deviations of the training cells per feature.
    n_shared : int
        Number of features the distance is based on.
    features : mapping of name to float
        Features, stored units.
    """

    cell_id: str
    species: str
    label: str
    simulated: bool
    distance: float
    n_shared: int
    features: Mapping[str, float]


def with_sweeps(cohort: Cohort) -> tuple[Cohort, ...]:
    """Cohorts with sweeps on this machine: recorded cells with a file, and the simulated ones.

    Parameters
    ----------
    cohort : Cohort
        The loaded cells.

    Returns
    -------
    tuple of Cohort
        The embedded simulated cells last, without those of the example recordings, which would be found nearest to
        themselves.
    """
    demo = load_demo()
    demo = demo.take(~np.isin(demo.column("id").astype(str), [one.cell_id for one in EXAMPLES.values()]))
    if cohort.simulated:
        return (demo,)
    on_disk = _recorded_ids()
    recorded = cohort.take(np.isin(cohort.column("id").astype(str), sorted(on_disk)))
    return (recorded, demo) if len(recorded) else (demo,)


def _recorded_ids() -> set[str]:
    """Specimens with an NWB file in the Allen cache or in the folder of recordings."""
    folder = recordings_folder()
    found = set(default_cache().recordings())
    if folder is not None and folder.is_dir():
        names: Iterable[Path] = (path.relative_to(folder) for path in folder.rglob("*.nwb"))
        found |= {number for name in names for number in _ID.findall(name.as_posix())}
    return found


def nearest_references(
    model: AnyPredictor,
    features: Mapping[str, float],
    species: str,
    labels: Sequence[str],
    pools: Sequence[Cohort],
    exclude: str = "",
) -> dict[str, ReferenceCell]:
    """Find the nearest reference cell of each class.

    Parameters
    ----------
    model : Predictor
        DANN or LSPIN; distances are taken in its standardised features.
    features : mapping of name to float
        Features of the given cell, stored units.
    species : str
        Its species; other species are used if it is unknown or has no cell of the class.
    labels : sequence of str
        Classes to find a cell for.
    pools : sequence of Cohort
        Cohorts to search in order; later ones serve classes that earlier ones lack.
    exclude : str
        Id of the given cell, if it is itself a reference cell.

    Returns
    -------
    dict of class to ReferenceCell
        Classes that no pool has are left out. For a subclass that no pool labels, such as a human one, a cell of its
        broad class is found.
    """
    row = np.array([[features.get(name, np.nan) for name in FEATURE_NAMES]])
    gates = model.gates(row, [species])[0] if hasattr(model, "gates") else np.ones(len(FEATURE_NAMES))
    z = model.preprocessor.standardise(row)[0]
    found: dict[str, ReferenceCell] = {}
    for pool in pools:
        for label in labels:
            if label not in found and (cell := _nearest(model, z, gates, species, label, pool, exclude)):
                found[label] = cell
    return found


def _nearest(
    model: AnyPredictor, z: Floats, gates: Floats, species: str, label: str, pool: Cohort, exclude: str
) -> ReferenceCell | None:
    frame = pool.frame
    known = frame[model.task] == label if model.task in frame else frame["broad"] == broad_of(label)
    mates = known & (frame["id"] != exclude)
    same = mates & (frame["species"] == species)
    rows = np.flatnonzero(same if same.any() else mates)
    if not len(rows):
        return None
    others = model.preprocessor.standardise(pool.matrix()[rows])
    distance, shared = distances(z, others, gates)
    distance = np.where(distance < SAME, np.nan, distance)  # the cell itself, from its own recording
    if not np.isfinite(distance).any():
        return None
    best = int(np.nanargmin(distance))
    chosen = frame.iloc[rows[best]]
    return ReferenceCell(
        cell_id=str(chosen["id"]),
        species=str(chosen["species"]),
        label=label if model.task in frame else broad_of(label),
        simulated=pool.simulated,
        distance=float(distance[best]),
        n_shared=int(shared[best]),
        features={name: float(chosen[name]) for name in FEATURE_NAMES if np.isfinite(chosen[name])},
    )


def distances(z: Floats, others: Floats, weights: Floats) -> tuple[Floats, Integers]:
    """Weighted root mean square differences on shared features.

    Parameters
    ----------
    z : ndarray, shape (41,)
        Standardised features of one cell, NaN where missing.
    others : ndarray, shape (n_cells, 41)
        Standardised features of other cells.
    weights : ndarray, shape (41,)
        Non-negative weights; if fewer than four shared features have weight, all count equally.

    Returns
    -------
    distance : ndarray, shape (n_cells,)
        NaN if fewer than four features are shared.
    shared : ndarray of int, shape (n_cells,)
        Number of features used.
    """
    both = np.isfinite(others) & np.isfinite(z)
    weighted = both * weights
    enough = (weighted > 0).sum(1) >= LEAST_SHARED
    used = np.where(enough[:, None], weighted, both.astype(np.float64))
    shared = (used > 0).sum(1)
    square = np.where(both, (np.nan_to_num(others) - np.nan_to_num(z)) ** 2, 0.0)
    total = np.where(shared >= LEAST_SHARED, used.sum(1), np.nan)
    return np.sqrt((square * used).sum(1) / total), shared
