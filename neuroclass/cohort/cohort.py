"""`Cohort`: one tidy table of cells, the same for browsing, training and uploading."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES
from neuroclass.types.arrays import Floats, Names

META_COLUMNS: tuple[str, ...] = (
    "id",
    "species",
    "donor",
    "broad",
    "subclass",
    "line",
    "layer",
    "structure",
    "dendrite_type",
    "reporter_status",
)
DOMAIN_COLUMN = "domain"
"""A further column of cohorts that join laboratories: the domain of a cell where it is not its species."""


@dataclass(frozen=True)
class Cohort:
    """Cells with their labels and features.

    Attributes
    ----------
    frame : DataFrame, one row per cell
        `META_COLUMNS` (text, None where missing), then the 41 features (float64, stored units,
        NaN where missing). The index is 0 … n − 1.
    source : str
        Display name of the data source.
    simulated : bool
        Whether the cells are simulated rather than recorded.
    notes : tuple of str
        Notes for the user on how the cohort was put together.

    Raises
    ------
    CohortError
        If a column is missing or an id occurs twice.
    """

    frame: pd.DataFrame
    source: str
    simulated: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        missing = [c for c in (*META_COLUMNS, *FEATURE_NAMES) if c not in self.frame.columns]
        if missing:
            raise CohortError(f"The cells from {self.source} lack the columns {missing}; expected all of a cohort's.")
        twice = self.frame["id"][self.frame["id"].duplicated()].unique()
        if len(twice):
            raise CohortError(f"{len(twice)} ids occur twice in {self.source}, first {twice[0]}; ids must be unique.")

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def _rows_digest(self) -> str:
        return hashlib.sha256(pd.util.hash_pandas_object(self.frame, index=False).to_numpy().tobytes()).hexdigest()

    def fingerprint_parts(self) -> list[str | bool]:
        """What answers depend on: the table, and its name, which answers carry."""
        return [self.source, self.simulated, self._rows_digest]

    def to_frame(self) -> pd.DataFrame:
        """A copy of the table, a row per cell, with the cells' ids as index."""
        return self.frame.set_index("id")

    @property
    def title(self) -> str:
        """The source for people who do not know the folders of the machine."""
        return source_title(self.source)

    def matrix(self) -> Floats:
        """Features, shape (n_cells, 41), stored units, NaN where missing."""
        return self.frame[list(FEATURE_NAMES)].to_numpy(dtype=np.float64)

    def column(self, name: str) -> npt.NDArray[np.object_]:
        """One metadata column, shape (n_cells,); None where missing."""
        return self.frame[name].to_numpy(dtype=object)

    def domains(self) -> Names:
        """What should not be visible in a cell's hidden features, shape (n_cells,): its species, or its laboratory."""
        return self.frame[DOMAIN_COLUMN if DOMAIN_COLUMN in self.frame else "species"].to_numpy(dtype=str)

    def take(self, rows: npt.ArrayLike) -> "Cohort":
        """The cells selected by a boolean mask or by row positions."""
        rows = np.asarray(rows)
        positions = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(self, frame=self.frame.iloc[positions].reset_index(drop=True))

    def of_species(self, species: str) -> "Cohort":
        """The cells of one species."""
        return self.take((self.frame["species"] == species).to_numpy())

    def labelled(self, column: str) -> "Cohort":
        """The cells with a label in `column` (``broad`` or ``subclass``)."""
        return self.take(self.frame[column].notna().to_numpy())

    def complete(self) -> "Cohort":
        """The cells with all 41 features."""
        return self.take(self.frame[list(FEATURE_NAMES)].notna().all(axis=1).to_numpy())

    def digest(self) -> str:
        """SHA-256 of ids, labels and features; identifies the exact cells a model was trained on."""
        ordered = self.frame.sort_values("id")
        text = (
            "|".join(map(str, row)) for row in ordered[["id", "species", "broad", "subclass"]].to_numpy(dtype=object)
        )
        state = hashlib.sha256("\n".join(text).encode())
        state.update(ordered[list(FEATURE_NAMES)].to_numpy(dtype=np.float64).round(9).tobytes())
        return state.hexdigest()


def source_title(source: str) -> str:
    """A cohort's source for people who do not know the folders of the machine.

    Parameters
    ----------
    source : str
        Such as ``published tables in /data/allen``.

    Returns
    -------
    str
    """
    named = re.sub(r"^published tables in .*", "published tables of the Allen Cell Types Database", source)
    return re.sub(r",? (fetched to|in|from) (/|[A-Za-z]:\\)[^,]*", "", named)


def make_cohort(rows: pd.DataFrame, source: str, simulated: bool = False, notes: Iterable[str] = ()) -> Cohort:
    """Build a `Cohort` from a frame that may lack some metadata columns or hold text as numbers.

    Parameters
    ----------
    rows : DataFrame
        At least ``id`` and ``species``; other `META_COLUMNS` and features are filled with missing values.
    source : str
        Display name of the data source.
    simulated : bool
        Whether they are simulated.
    notes : iterable of str
        Notes for the user.

    Returns
    -------
    Cohort
        A cell without a donor counts as a donor of its own.
    """
    frame = rows.reindex(columns=[*META_COLUMNS, *FEATURE_NAMES]).reset_index(drop=True)
    frame["donor"] = frame["donor"].where(frame["donor"].notna(), frame["id"])
    for column in META_COLUMNS:
        texts = [None if pd.isna(value) else str(value) for value in frame[column]]
        frame[column] = pd.Series(texts, index=frame.index, dtype=object)
    features = frame[list(FEATURE_NAMES)].astype(np.float64)
    frame = pd.concat([frame[list(META_COLUMNS)], features], axis=1)
    return Cohort(frame, source, simulated, tuple(notes))
