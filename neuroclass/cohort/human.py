"""The cells that the human subclass model learns from, put together from two sources."""

from pathlib import Path

import pandas as pd

from neuroclass.cell_types import Broad, HumanSubclass, Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.cohort.outside import HUMAN_EXCITATORY, HUMAN_GABAERGIC, HUMAN_SUBCLASS_COLUMN, load_outside
from neuroclass.config import data_folder
from neuroclass.errors import CohortError
from neuroclass.io.feature_table import CONDITION_COLUMN

TABLE_COLUMN = "table"
DATABASE = "Allen Cell Types Database"
SOURCES: dict[str, str] = {
    HUMAN_GABAERGIC: "Lee, Dalley et al., Science 382, 2023: GABAergic cells, subclass by transcriptome",
    HUMAN_EXCITATORY: "Berg et al., Nature 598, 2021: supragranular pyramidal cells",
    DATABASE: "Allen Cell Types Database: human cells with spiny dendrites; mouse cells, for directions only",
}


def load_human_cells(folder: Path | None = None) -> Cohort:
    """Load the human cells of known subclass, and the mouse cells beside them.

    Parameters
    ----------
    folder : Path, optional
        The data folder; by default the one named by ``NEUROCLASS_DATA``.

    Returns
    -------
    Cohort
        Human cells with a ``human_subclass``: of two other laboratories, and the database's spiny ones as
        Glutamatergic; then the database's mouse cells with a ``subclass``. Further columns: ``condition`` (acute or
        culture; None where unknown) and ``table``, the source, see `SOURCES`.

    Raises
    ------
    TableError
        If a table is absent or cannot be read.
    CohortError
        If there is no recorded cell, only simulated ones.
    """
    folder = folder or data_folder()
    parts = [load_human_elsewhere(folder).frame]
    database = load_cohort(folder)
    if database.simulated:
        raise CohortError(f"{database.source} is simulated; the human subclass model needs recorded cells.")
    human = database.of_species(Species.HUMAN).frame
    spiny = human[human["broad"] == Broad.EXCITATORY]
    glutamatergic = spiny.assign(**{HUMAN_SUBCLASS_COLUMN: HumanSubclass.GLUTAMATERGIC.value})
    mouse = database.of_species(Species.MOUSE).labelled("subclass").frame.assign(**{HUMAN_SUBCLASS_COLUMN: None})
    parts += [part.assign(**{TABLE_COLUMN: DATABASE, CONDITION_COLUMN: None}) for part in (glutamatergic, mouse)]
    frame = pd.concat([part.drop(columns="truth", errors="ignore") for part in parts], ignore_index=True)
    return Cohort(frame, "; ".join(SOURCES.values()))


def load_human_elsewhere(folder: Path | None = None) -> Cohort:
    """Load the human cells of two other laboratories.

    Parameters
    ----------
    folder : Path, optional
        The data folder; by default the one named by ``NEUROCLASS_DATA``.

    Returns
    -------
    Cohort
        With the further columns ``human_subclass``, ``condition`` and ``table``, see `load_human_cells`.

    Raises
    ------
    TableError
        If a table is absent or cannot be read.
    """
    names = (HUMAN_GABAERGIC, HUMAN_EXCITATORY)
    parts = [load_outside(folder, name).frame.assign(**{TABLE_COLUMN: name}) for name in names]
    return Cohort(pd.concat(parts, ignore_index=True), "; ".join(SOURCES[name] for name in names))
