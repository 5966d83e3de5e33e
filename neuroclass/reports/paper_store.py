"""A reproduction of the paper as it is kept: numbers as JSON, and the tables behind the figures."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass import __version__
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import MODELS_DIR, cache_folder
from neuroclass.errors import ModelFileError
from neuroclass.io.atomic import write_atomically

NUMBERS = "numbers.json"
EDITION = 1
"""Raised when what is computed changes, so that parts of an earlier edition are not used again."""
SHIPPED = "paper"


@dataclass(frozen=True)
class Reproduction:
    """All tables and figures of the paper, made again.

    Attributes
    ----------
    numbers : mapping
        What the tables show; JSON.
    tables : mapping of str to DataFrame
        What the figures are drawn from; no feature of a recorded cell.
    """

    numbers: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    @property
    def simulated(self) -> bool:
        """Whether its cells are simulated."""
        return bool(self.numbers["cells"]["simulated"])

    def write(self, folder: Path) -> None:
        """Write it to a folder; the numbers last, so that a folder with numbers is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            buffer = io.BytesIO()
            table.to_parquet(buffer, index=False, compression="zstd")
            write_atomically(folder / f"{name}.parquet", buffer.getvalue())
        text = json.dumps({**self.numbers, "tables": sorted(self.tables)}, indent=1, ensure_ascii=False) + "\n"
        write_atomically(folder / NUMBERS, text.encode())

    @classmethod
    def read(cls, folder: Path) -> "Reproduction":
        """Read what `write` wrote.

        Raises
        ------
        ModelFileError
            If it is absent or cannot be read.
        """
        try:
            numbers = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))
            tables = {str(name): pd.read_parquet(folder / f"{Path(name).name}.parquet") for name in numbers["tables"]}
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ModelFileError(
                f"{folder} holds no whole reproduction of the paper ({error}). Make it anew: "
                "python -m neuroclass reproduce paper."
            ) from error
        return cls(numbers, tables)


def kept_folder(cohort: Cohort) -> Path:
    """Where the reproduction with a cohort's cells, and its finished parts, are kept."""
    state = json.dumps([*cohort.fingerprint_parts()[1:], __version__, EDITION])
    return cache_folder() / "paper" / hashlib.sha256(state.encode()).hexdigest()[:16]


def kept_reproduction(cohort: Cohort) -> Reproduction | None:
    """The reproduction with just these cells, if it was made here."""
    folder = kept_folder(cohort)
    return Reproduction.read(folder) if (folder / NUMBERS).is_file() else None


def shipped_reproduction() -> Reproduction:
    """The reproduction on the published tables, which ships.

    Raises
    ------
    ModelFileError
        If its files are absent.
    """
    return Reproduction.read(MODELS_DIR / SHIPPED)
