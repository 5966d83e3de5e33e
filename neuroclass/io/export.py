"""Tables as CSV that is safe to open in a spreadsheet."""

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _harmless(value: object) -> object:
    """Text that a spreadsheet would run as a formula, behind an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def to_csv(frame: pd.DataFrame, *, simulated: bool = False) -> bytes:
    """A table as CSV.

    Parameters
    ----------
    frame : DataFrame
        The table; its index is left out.
    simulated : bool
        Whether to add a column that says the cells are simulated.

    Returns
    -------
    bytes
        UTF-8 with a byte-order mark, which spreadsheets need to read it as such.
    """
    table = frame.assign(simulated=True) if simulated else frame.copy()
    for column in table.columns:
        if table[column].dtype == object:
            table[column] = table[column].map(_harmless)
    table.columns = [_harmless(column) for column in table.columns]
    return table.to_csv(index=False).encode("utf-8-sig")
