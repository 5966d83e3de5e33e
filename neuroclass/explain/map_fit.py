"""Make ``models/map.json`` and ``models/map.safetensors``: ``python -m neuroclass.explain.map_fit``."""

import json

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.explain.embedding import SEED, umap_of
from neuroclass.explain.placing import MAP_FILE, POINT_COLUMNS, WEIGHTS_FILE, Map
from neuroclass.io.artifacts import load_model, weights_of
from neuroclass.predictors.dann import DannPredictor
from neuroclass.types.arrays import Floats
from neuroclass.types.models import DANN

HIDDEN = (96, 96)
HELD_OUT = 0.2
_STEPS = 3000


def fit_map(model: DannPredictor, cohort: Cohort, steps: int = _STEPS) -> Map:
    """Fit the map to a cohort, and the network that places cells in it.

    Parameters
    ----------
    model : DannPredictor
        The network whose features are mapped.
    cohort : Cohort
        The reference cells.
    steps : int
        Most iterations of the placing network.

    Returns
    -------
    Map
        Its error is that of a placing network that saw four fifths of the cells.
    """
    features = model.embed(cohort.matrix())
    centre, spread = features.mean(0), np.maximum(features.std(0), 1e-9)
    z = (features - centre) / spread
    points = umap_of(features)
    table = cohort.frame[["id", "species"]].assign(truth=cohort.frame["broad"], x=points[:, 0], y=points[:, 1])
    shuffled = np.random.default_rng(SEED).permutation(len(z))
    held_out, seen = np.split(shuffled, [int(HELD_OUT * len(z))])
    tried = Map(table, "", 0.0, centre, spread, _network(z[seen], points[seen], steps))
    distance = np.linalg.norm(tried.place_features(z[held_out]) - points[held_out], axis=1)
    error = float(np.median(distance) / np.ptp(points, axis=0).max())
    layers = _network(z, points, steps)
    return Map(table.reset_index(drop=True), weights_of(model), error, centre, spread, layers)


def _network(z: Floats, points: Floats, steps: int) -> tuple[tuple[Floats, Floats], ...]:
    from sklearn.neural_network import MLPRegressor

    mean, scale = points.mean(0), points.std(0)
    found = MLPRegressor(
        hidden_layer_sizes=HIDDEN, alpha=1e-3, max_iter=steps, random_state=SEED, n_iter_no_change=60, tol=1e-5
    )
    found.fit(z, (points - mean) / scale)
    layers = [(np.asarray(w), np.asarray(b)) for w, b in zip(found.coefs_, found.intercepts_, strict=True)]
    last_weights, last_biases = layers[-1]
    return (*layers[:-1], (last_weights * scale, last_biases * scale + mean))


def write_map(found: Map) -> None:
    """Write a map where `load_map` reads it."""
    from safetensors.numpy import save_file

    rounded = found.points[list(POINT_COLUMNS)].assign(x=found.points["x"].round(3), y=found.points["y"].round(3))
    card = {
        "about": "UMAP of DANN's features of the Allen Cell Types Database's cells, and where it puts each cell.",
        "dann": found.dann,
        "error": round(found.error, 4),
        "n_layers": len(found.layers),
        "points": rounded.astype(object).where(pd.notna(rounded), None).to_numpy().tolist(),
    }
    arrays = {"centre": found.centre, "spread": found.spread}
    for k, (weights, biases) in enumerate(found.layers):
        arrays |= {f"weights{k}": weights, f"biases{k}": biases}
    MAP_FILE.write_text(json.dumps(card) + "\n", encoding="utf-8")
    save_file({name: np.ascontiguousarray(value, dtype=np.float32) for name, value in arrays.items()}, WEIGHTS_FILE)


if __name__ == "__main__":
    from neuroclass.cohort.loading import load_cohort

    network = load_model(DANN.name)
    assert isinstance(network, DannPredictor)
    write_map(fit_map(network, load_cohort()))
