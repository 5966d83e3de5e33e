"""A shipped model's evaluation: its own outputs on held-out cells, read from ``models/<name>/evaluation/``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass.config import MODELS_DIR
from neuroclass.errors import ModelFileError


@dataclass(frozen=True)
class Results:
    """Where one model's card and evaluation tables are; each is read when asked for.

    Attributes
    ----------
    name : str
        ``dann`` or ``lspin``.
    folder : Path
        The model's folder.
    """

    name: str
    folder: Path

    def table(self, name: str) -> pd.DataFrame:
        """Read one of the tables predictions, embedding, shap, deciles and gates, with ids as text.

        Raises
        ------
        ModelFileError
            If it is absent or cannot be read.
        """
        path = self.folder / "evaluation" / f"{name}.parquet"
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise ModelFileError(self._advice(path)) from error
        if "id" in frame.columns:
            frame["id"] = frame["id"].astype(str)
        return frame

    def document(self, name: str) -> Any:
        """Read one of the documents metrics, published and masked.

        Raises
        ------
        ModelFileError
            If it is absent or cannot be read.
        """
        return self._json(self.folder / "evaluation" / f"{name}.json")

    def card(self) -> dict[str, Any]:
        """Read the model's card.

        Raises
        ------
        ModelFileError
            If it is absent or cannot be read.
        """
        card = self._json(self.folder / "card.json")
        if not isinstance(card, dict):
            raise ModelFileError(self._advice(self.folder / "card.json"))
        return card

    def _json(self, path: Path) -> Any:
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelFileError(self._advice(path)) from error

    def _advice(self, path: Path) -> str:
        return (
            f"The file {path.name} of the model {self.name} is absent or unreadable; it belongs into {path.parent}. "
            f"Restore it from the repository, or train the model again: python -m neuroclass train {self.name}."
        )


def results_of(name: str, folder: Path | None = None) -> Results:
    """Results of a shipped model.

    Parameters
    ----------
    name : str
        ``dann`` or ``lspin``.
    folder : Path, optional
        Folder of models; the shipped ones by default.

    Returns
    -------
    Results
    """
    return Results(name, (folder or MODELS_DIR) / name)
