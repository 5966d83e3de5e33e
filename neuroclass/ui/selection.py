"""Selected rows of a table by what they are, not by their number: rows may be sorted anew between two runs."""

import hashlib
from collections.abc import Sequence
from typing import Any


def table_key(name: str, ids: Sequence[str]) -> str:
    """Key of a table's widget, another one for other rows or another order, so that no tick moves to another row."""
    return f"{name}-{hashlib.sha256(repr(list(ids)).encode()).hexdigest()[:16]}"


def chosen_ids(event: Any, ids: Sequence[str]) -> list[str]:
    """Ids of the ticked rows of a table whose key is `table_key` of the same ids."""
    return [ids[row] for row in event.selection.rows if row < len(ids)]
