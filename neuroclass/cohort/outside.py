"""Cells of other laboratories, with their true classes, as a cohort."""

from pathlib import Path

from neuroclass.cell_types import HumanSubclass, Species, Subclass
from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.config import DATA_VARIABLE, data_folder
from neuroclass.errors import TableError
from neuroclass.io.feature_table import CELL_COLUMN, CONDITION_COLUMN, SPECIES_COLUMN, TRUTH_COLUMN
from neuroclass.io.outside import read_outside

OUTSIDE_FOLDER = "outside"
HUMAN_GABAERGIC = "human_gabaergic"
HUMAN_EXCITATORY = "human_excitatory"
VISP_MOUSE = "visp_mouse"
M1_MOUSE = "m1_mouse_25c"
OUTSIDE_NAMES: tuple[str, ...] = (VISP_MOUSE, M1_MOUSE, HUMAN_GABAERGIC, HUMAN_EXCITATORY)
HUMAN_SUBCLASS_COLUMN = "human_subclass"


def outside_folder(folder: Path | None = None) -> Path:
    """The folder of other laboratories' tables, below `folder` or the one named by ``NEUROCLASS_DATA``.

    Raises
    ------
    TableError
        If there is none.
    """
    base = data_folder() if folder is None else Path(folder).expanduser()
    if base is None:
        raise TableError(
            f"{DATA_VARIABLE} is not set; it must name the folder in which {OUTSIDE_FOLDER}/ holds other laboratories' "
            "tables."
        )
    if not (base / OUTSIDE_FOLDER).is_dir():
        raise TableError(f"{base} has no folder {OUTSIDE_FOLDER}; put other laboratories' tables there.")
    return base / OUTSIDE_FOLDER


def load_outside(folder: Path | None, name: str) -> Cohort:
    """Load the cells of one table of another laboratory.

    Parameters
    ----------
    folder : Path or None
        The data folder, which holds ``outside/<name>.csv``; None for the one named by ``NEUROCLASS_DATA``.
    name : str
        Such as ``visp_mouse``; see `OUTSIDE_NAMES`.

    Returns
    -------
    Cohort
        ``truth`` is each cell's class. It is also in ``subclass`` for mouse cells and in the further column
        ``human_subclass`` for human ones (else None), and decides ``broad``; ``condition`` is None where the table has
        none. These three columns come after the features.

    Raises
    ------
    TableError
        If the folder or the table is absent, or the table is not one of a laboratory; see `read_outside`.
    """
    path = outside_folder(folder) / f"{name}.csv"
    if not path.is_file():
        found = ", ".join(sorted(file.stem for file in path.parent.glob("*.csv"))) or "none"
        raise TableError(f"There is no table {path}; found in {path.parent}: {found}.")
    rows = read_outside(path).rename(columns={CELL_COLUMN: "id"})
    truth, mouse = rows[TRUTH_COLUMN], rows[SPECIES_COLUMN] == Species.MOUSE
    rows["subclass"] = truth.where(mouse, None)
    rows["broad"] = [
        (Subclass(name) if of_mouse else HumanSubclass(name)).broad.value
        for name, of_mouse in zip(truth, mouse, strict=True)
    ]
    cohort = make_cohort(rows, f"{name} ({path})")
    frame = cohort.frame.assign(
        **{
            TRUTH_COLUMN: truth.astype(object),
            HUMAN_SUBCLASS_COLUMN: truth.astype(object).where(~mouse, None),
            CONDITION_COLUMN: rows[CONDITION_COLUMN].astype(object),
        }
    )
    return Cohort(frame, cohort.source, notes=cohort.notes)
