"""The classes of cells that a user already knows: a table with the columns ``cell`` and ``label``."""

from neuroclass.errors import TableError
from neuroclass.io.feature_table import CELL_COLUMN, LABEL_COLUMN, Source, read_columns
from neuroclass.io.table_readers import Wanted

_NEEDED = (CELL_COLUMN, LABEL_COLUMN)


def read_labels(content: Source, name: str) -> dict[str, str]:
    """Read known classes by cell name.

    Parameters
    ----------
    content : bytes or Path
        The file or its content, a table as `read_raw_table` takes it.
    name : str
        The file's name, for messages.

    Returns
    -------
    dict of str to str
        Class by cell name.

    Raises
    ------
    TableError
        If it is no table, or lacks the columns ``cell`` and ``label``.
    UnsafeFileError
        If it exceeds a limit.
    """
    needs = f"{name} needs the columns {CELL_COLUMN} and {LABEL_COLUMN}, and a row for each known cell"
    try:
        table = read_columns(content, name, Wanted(texts=_NEEDED))
    except TableError as error:
        raise TableError(f"{needs}. {error}") from error
    if not set(_NEEDED) <= set(table.texts):
        raise TableError(f"{needs}; found the columns {list(table.columns[:8])}.")
    return dict(zip(*(table.texts[column] for column in _NEEDED), strict=True))
