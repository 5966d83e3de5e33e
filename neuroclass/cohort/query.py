"""Select cells by metadata, by id, or by an expression such as ``sag > 0.2 and layer == "2"``.

An expression is parsed, never executed. It may compare column names with constants and combine the comparisons
with ``and``, ``or``, ``not`` and brackets.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from neuroclass.errors import SettingsError
from neuroclass.types.arrays import Mask

_COMPARE: dict[type[ast.cmpop], Callable[..., object]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_EXAMPLE = 'for example: sag > 0.2 and layer in ["2", "2/3"]'
_MAX_LENGTH = 500


def match_query(frame: pd.DataFrame, text: str) -> Mask:
    """Select the cells for which an expression is true.

    Parameters
    ----------
    frame : DataFrame
        Cells; the expression may use its column names. Features are in stored units.
    text : str
        The expression; an empty one matches every cell.

    Returns
    -------
    ndarray of bool, shape (n_cells,)
        A comparison with a missing value is false.

    Raises
    ------
    SettingsError
        If the expression cannot be parsed or names an unknown column.
    """
    if not text.strip():
        return np.ones(len(frame), dtype=bool)
    if len(text) > _MAX_LENGTH:
        raise SettingsError(f"The query has {len(text)} characters; at most {_MAX_LENGTH} are read. Shorten it.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SettingsError(f"The query cannot be read as an expression; write one such as {_EXAMPLE}.") from error
    return _evaluate(tree, frame)


def _evaluate(node: ast.expr, frame: pd.DataFrame) -> Mask:
    match node:
        case ast.BoolOp(op=op, values=values):
            masks = [_evaluate(value, frame) for value in values]
            return np.logical_and.reduce(masks) if isinstance(op, ast.And) else np.logical_or.reduce(masks)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ~_evaluate(operand, frame)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            terms = [left, *comparators]
            pairs = zip(terms, ops, terms[1:], strict=False)
            return np.logical_and.reduce([_compare(a, op, b, frame) for a, op, b in pairs])
    raise SettingsError(f"The query may hold comparisons joined by and, or, not only; {_EXAMPLE}.")


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, frame: pd.DataFrame) -> Mask:
    if isinstance(op, ast.In | ast.NotIn):
        column = _column(left, frame)
        wanted = _constant(right)
        if not isinstance(wanted, list):
            raise SettingsError(f"After in the query needs a list; {_EXAMPLE}.")
        inside: Mask = column.isin(wanted).to_numpy()
        return inside if isinstance(op, ast.In) else ~inside & column.notna().to_numpy()
    sides = [_column(s, frame) if isinstance(s, ast.Name) else _constant(s) for s in (left, right)]
    columns = [side for side in sides if isinstance(side, pd.Series)]
    if not columns or type(op) not in _COMPARE:
        raise SettingsError(f"The query compares a column with a value; {_EXAMPLE}.")
    numeric = [pd.api.types.is_numeric_dtype(c) for c in columns]
    constants = [side for side in sides if not isinstance(side, pd.Series)]
    if any(isinstance(c, list) or isinstance(c, str) == numeric[0] for c in constants) or len(set(numeric)) > 1:
        kind = "numbers" if numeric[0] else 'text, which stands in quotes, such as "2/3"'
        raise SettingsError(f"The column {columns[0].name} holds {kind}; the query compares it with something else.")
    known = np.logical_and.reduce([c.notna().to_numpy() for c in columns])
    filled = [s.fillna(0 if numeric[0] else "") if isinstance(s, pd.Series) else s for s in sides]
    return np.asarray(_COMPARE[type(op)](*filled), dtype=bool) & known


def _column(node: ast.expr, frame: pd.DataFrame) -> pd.Series:
    if not isinstance(node, ast.Name):
        raise SettingsError(f"The query compares a column with a value; {_EXAMPLE}.")
    if node.id not in frame.columns:
        raise SettingsError(f"The query names the column {node.id}, which is not there; {_EXAMPLE}.")
    return frame[node.id]


def _constant(node: ast.expr) -> object:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise SettingsError(f"The query compares columns with numbers, quoted text or lists; {_EXAMPLE}.") from error
    if isinstance(value, tuple | list | set):
        return list(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise SettingsError(f"The query compares columns with numbers, quoted text or lists; {_EXAMPLE}.")
    return value


def match_filters(frame: pd.DataFrame, wanted: Mapping[str, Sequence[str]]) -> Mask:
    """Select cells by metadata values; ``unknown`` matches a missing one.

    Parameters
    ----------
    frame : DataFrame
        Cells.
    wanted : mapping of column to values
        A column with no values is not filtered.

    Returns
    -------
    ndarray of bool, shape (n_cells,)
    """
    mask = np.ones(len(frame), dtype=bool)
    for column, values in wanted.items():
        if values:
            mask &= frame[column].where(frame[column].notna(), "unknown").isin(list(values)).to_numpy()
    return mask


def match_text(frame: pd.DataFrame, text: str) -> Mask:
    """Select cells whose metadata contain a text, or whose ids are in a pasted list.

    Parameters
    ----------
    frame : DataFrame
        Cells.
    text : str
        One word, or ids separated by commas, blanks or line ends.

    Returns
    -------
    ndarray of bool, shape (n_cells,)
    """
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    if not words:
        return np.ones(len(frame), dtype=bool)
    by_id = frame["id"].isin(words).to_numpy()
    if by_id.any():
        return np.asarray(by_id, dtype=bool)
    haystack = frame[["id", "donor", "line", "structure", "subclass", "broad"]].fillna("").agg(" ".join, axis=1)
    lower = haystack.str.lower()
    return np.logical_and.reduce([lower.str.contains(word.lower(), regex=False).to_numpy() for word in words])
