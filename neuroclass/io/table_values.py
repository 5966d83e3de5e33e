"""Entries of a table: which are empty, and which number one stands for."""

import math
import re
from decimal import Decimal

EMPTY = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "–", "#n/a", "#na", "<na>"})
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")


def is_empty(value: object) -> bool:
    """Whether a table entry is empty."""
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and value.strip().lower() in EMPTY)
    )


def parse_number(value: object) -> float | None:
    """The number in a table entry; None if it is none, such as text, a truth value or a date."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    try:
        return float(str(value).strip().replace("−", "-"))
    except ValueError:
        return None


def decimal_comma(text: str) -> float | None:
    """The number in a text such as ``-70,5``; None if it is not written so."""
    plain = text.strip().replace("−", "-")
    return float(plain.replace(",", ".")) if _DECIMAL_COMMA.fullmatch(plain) else None


def maybe_thousands(text: str) -> bool:
    """Whether the comma in a text such as ``1,234`` may separate thousands as well as decimals."""
    return bool(_THOUSANDS.fullmatch(text.strip().replace("−", "-")))


def as_text(value: object) -> str:
    """A table entry as text without spaces around it; empty for none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()
