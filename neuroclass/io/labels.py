"""The classes of cells that a user already knows: a CSV with the columns ``cell`` and ``label``."""

import csv
import io

from neuroclass.errors import TableError


def read_labels(content: bytes, name: str) -> dict[str, str]:
    """Read known classes by cell name.

    Parameters
    ----------
    content : bytes
        The file's content, UTF-8.
    name : str
        The file's name, for messages.

    Returns
    -------
    dict of str to str
        Class by cell name.

    Raises
    ------
    TableError
        If it is not UTF-8 text, or lacks the columns ``cell`` and ``label``.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{name} cannot be read as CSV ({error}); save it as UTF-8 text.") from error
    if not rows or not {"cell", "label"} <= set(rows[0]):
        raise TableError(f"{name} needs the columns cell and label, and a row for each known cell.")
    return {str(row["cell"]).strip(): str(row["label"]).strip() for row in rows}
