"""Where the cells come from."""

from pathlib import Path

from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.config import data_folder
from neuroclass.errors import CohortError
from neuroclass.io.tables import read_published_folder


def load_cohort(data_dir: Path | None = None) -> Cohort:
    """Load the cells.

    Parameters
    ----------
    data_dir : Path, optional
        A folder of published tables; by default the one named by ``NEUROCLASS_DATA``.

    Returns
    -------
    Cohort

    Raises
    ------
    TableError
        If the folder holds no published table.
    """
    folder = data_dir or data_folder()
    if folder is None:
        raise CohortError("There is no data: set NEUROCLASS_DATA to the folder of the published tables.")
    rows, notes = read_published_folder(folder)
    return make_cohort(rows, f"published tables in {folder}", notes=notes)
