"""A user's own labelled cells, checked row by row as any other uploaded table, as cohorts to evaluate on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from neuroclass.cell_types import (
    BROAD_ORDER,
    PUBLISHED_NAMES,
    SUBCLASS_ORDER,
    HumanSubclass,
    Species,
    Subclass,
)
from neuroclass.checks.feature_table import cell_names, find_problems, species_of
from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.errors import TableError
from neuroclass.io.feature_table import (
    DONOR_COLUMN,
    LABEL_COLUMN,
    SPECIES_COLUMN,
    TRUTH_COLUMN,
    RawTable,
    Source,
    read_raw_table,
)
from neuroclass.io.outside import CLASSES_OF
from neuroclass.io.table_values import is_empty

MOST_CELLS = 5000
_NAMED = 5


@dataclass(frozen=True)
class LabelledTable:
    """A laboratory's labelled cells.

    Attributes
    ----------
    name : str
        Name of the file.
    cells : Cohort
        Cells with a broad class or a subclass, of one or both species.
    notes : tuple of str
        Which rows were left out, and why.
    """

    name: str
    cells: Cohort
    notes: tuple[str, ...] = field(default=())

    def tables(self, task: str) -> dict[str, Cohort]:
        """Cells with a label of the task, by laboratory and species; empty where there is none."""
        labelled = self.cells.labelled(task)
        by_species = {one.value: labelled.of_species(one.value) for one in Species}
        found = {one: cells for one, cells in by_species.items() if len(cells)}
        return {self.name if len(found) == 1 else f"{self.name}, {one}": cells for one, cells in found.items()}


def read_labelled(content: Source, name: str) -> LabelledTable:
    """Read a user's table of labelled cells.

    Parameters
    ----------
    content : bytes or Path
        A table in the upload format: features by their published names in stored units, with the column ``truth`` or
        ``label``, and optionally ``cell``, ``donor`` and ``species`` (mouse where it is not given).
    name : str
        Name of the file.

    Returns
    -------
    LabelledTable
        A row that fails a check, or has no known class, is left out and noted.

    Raises
    ------
    TableError
        If the file is no such table, has neither ``truth`` nor ``label``, no usable labelled row, or too many.
    """
    table = read_raw_table(content, name)
    labels = next((column for column in (TRUTH_COLUMN, LABEL_COLUMN) if column in table.texts), None)
    if labels is None:
        raise TableError(
            f"{name} has neither a column {TRUTH_COLUMN!r} nor {LABEL_COLUMN!r}; it needs each cell's known class in "
            "one of them."
        )
    if len(table) > MOST_CELLS:
        raise TableError(f"{name} has {len(table):,} rows; at most {MOST_CELLS:,} are evaluated here. Split it.")
    problems = find_problems(table)
    rows, notes = _labelled_rows(table, labels, problems)
    if not rows:
        raise TableError(
            f"{name} has no usable row with a known class in {labels!r}; expected {', '.join(_expected())}. "
            + " ".join(notes)
        )
    return LabelledTable(name[:60], make_cohort(pd.DataFrame(rows), name), notes)


def _expected() -> tuple[str, ...]:
    return tuple(dict.fromkeys((*BROAD_ORDER, *CLASSES_OF[Species.MOUSE.value], *CLASSES_OF[Species.HUMAN.value])))


def _labelled_rows(
    table: RawTable, labels: str, problems: Mapping[int, TableError]
) -> tuple[list[dict[str, object]], tuple[str, ...]]:
    rows: list[dict[str, object]] = []
    unknown: dict[str, int] = {}
    unlabelled = 0
    for index, cell in enumerate(cell_names(table)):
        if index in problems:
            continue
        label, donor, given = (_text(table, column, index) for column in (labels, DONOR_COLUMN, SPECIES_COLUMN))
        if is_empty(label):
            unlabelled += 1
            continue
        species = species_of(given) or Species.MOUSE
        classes = _classes(label, species)
        if classes is None:
            shown = f"{label[:40]} ({species.value})"
            unknown[shown] = unknown.get(shown, 0) + 1
            continue
        rows.append({"id": cell, "species": species.value, "donor": cell if is_empty(donor) else donor})
        rows[-1] |= classes
        rows[-1] |= {name: float(values[index]) for name, values in table.numbers.items()}
    notes = list(table.notes)
    if problems:
        notes.append(
            f"{len(problems)} row{'s' * (len(problems) > 1)} failed a check, the first: {next(iter(problems.values()))}"
        )
    if unlabelled:
        notes.append(f"{unlabelled} rows have no label.")
    if unknown:
        listed = ", ".join(list(unknown)[:_NAMED])
        notes.append(f"{sum(unknown.values())} rows have a label that is no class of the models: {listed}.")
    return rows, tuple(notes)


def _classes(label: str, species: Species) -> dict[str, str | None] | None:
    """Broad class and, of mouse cells, subclass of a label; None if it is not one of the species."""
    names = {name.casefold(): name for name in (*BROAD_ORDER, *CLASSES_OF[species.value])}
    if species is Species.MOUSE:
        names |= {published.casefold(): subclass.value for published, subclass in PUBLISHED_NAMES.items()}
        names |= {Subclass(name).label.casefold(): name for name in SUBCLASS_ORDER}
    name = names.get(label.strip().casefold())
    if name is None or name in BROAD_ORDER:
        return None if name is None else {"broad": name, "subclass": None}
    if species is Species.MOUSE:
        return {"broad": Subclass(name).broad.value, "subclass": name}
    return {"broad": HumanSubclass(name).broad.value, "subclass": None}


def _text(table: RawTable, column: str, index: int) -> str:
    return table.texts[column][index] if column in table.texts else ""
