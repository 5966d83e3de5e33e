"""Place cells in a map of the database's cells that ships: a UMAP of DANN's features, fitted once.

A small network has learned where the map puts a cell, so that nothing is fitted when cells are placed. The map is made
by `neuroclass.explain.map_fit`; the reference cells' positions ship, their features do not.

References
----------
.. [1] McInnes, Healy, Melville, "UMAP: uniform manifold approximation and projection", arXiv:1802.03426.
.. [2] Sainburg, McInnes, Gentner, "Parametric UMAP embeddings for representation and semisupervised learning",
   Neural Comput 33, 2021 (a network that embeds as UMAP does).
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from neuroclass.config import MODELS_DIR
from neuroclass.errors import ModelFileError
from neuroclass.predictors.dann import DannPredictor
from neuroclass.types.arrays import Floats

MAP_FILE = MODELS_DIR / "map.json"
WEIGHTS_FILE = MODELS_DIR / "map.safetensors"
POINT_COLUMNS = ("id", "species", "truth", "x", "y")


@dataclass(frozen=True, eq=False)
class Map:
    """A map of reference cells, in which other cells can be placed.

    Attributes
    ----------
    points : DataFrame
        id, species, truth, x, y of the reference cells.
    dann : str
        SHA-256 of the weights of the DANN network whose features are mapped.
    error : float
        Median distance on reference cells held out from the placing network, as a share of the map's width.
    centre, spread : ndarray, shape (width,)
        Mean and standard deviation of DANN's features over the reference cells.
    layers : tuple of (ndarray, ndarray)
        Weights and biases of the placing network, rectified between layers.
    """

    points: pd.DataFrame
    dann: str
    error: float
    centre: Floats
    spread: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def place(self, model: DannPredictor, x: Floats) -> Floats:
        """Place cells.

        Parameters
        ----------
        model : DannPredictor
            The network whose features are mapped.
        x : ndarray, shape (n_cells, 41)
            Features in stored units, NaN where missing.

        Returns
        -------
        ndarray, shape (n_cells, 2)
        """
        return self.place_features((model.embed(x) - self.centre) / self.spread)

    def place_features(self, standardised: Floats) -> Floats:
        """Place DANN's features, standardised, shape (n_cells, width) → (n_cells, 2)."""
        hidden = standardised
        for number, (weights, biases) in enumerate(self.layers):
            hidden = hidden @ weights + biases
            if number < len(self.layers) - 1:
                hidden = np.maximum(hidden, 0.0)
        return np.asarray(hidden, dtype=np.float64)


@cache
def load_map(path: Path = MAP_FILE, weights: Path = WEIGHTS_FILE) -> Map:
    """Read the map that ships.

    Raises
    ------
    ModelFileError
        If a file is absent or is no map.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        arrays = {name: np.asarray(value, dtype=np.float64) for name, value in load_file(weights).items()}
        layers = tuple((arrays[f"weights{k}"], arrays[f"biases{k}"]) for k in range(int(card["n_layers"])))
        points = pd.DataFrame(card["points"], columns=list(POINT_COLUMNS))
        return Map(points, card["dann"], float(card["error"]), arrays["centre"], arrays["spread"], layers)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelFileError(
            f"{path.name} and {weights.name} are no map of reference cells ({error}). Restore them from the repository."
        ) from error
