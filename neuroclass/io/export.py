"""Tables as CSV that is safe to open in a spreadsheet."""

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _harmless(value: object) -> object:
    """Prefix text that a spreadsheet would run as a formula with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def to_csv(frame: pd.DataFrame, *, simulated: bool = False) -> bytes:
    """Write a table as CSV.

    Parameters
    ----------
    frame : DataFrame
        The table; its index is left out.
    simulated : bool
        Whether to add a column marking the cells as simulated.

    Returns
    -------
    bytes
        UTF-8 with a byte-order mark, which spreadsheets need to recognise the encoding.
    """
    table = frame.assign(simulated=True) if simulated else frame.copy()
    for column in table.columns:
        if table[column].dtype == object:
            table[column] = table[column].map(_harmless)
    table.columns = [_harmless(column) for column in table.columns]
    return table.to_csv(index=False).encode("utf-8-sig")
