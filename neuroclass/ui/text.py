"""Text on pages: everything a user or a file said is escaped before it reaches markdown."""

import re

from neuroclass.features import BY_NAME

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")


def escaped(text: object, limit: int = 300) -> str:
    """Text that markdown shows as it is, on one line.

    Parameters
    ----------
    text : object
        Anything with a text.
    limit : int
        Longest text shown; the rest is cut.

    Returns
    -------
    str
    """
    line = " ".join(str(text).split())
    if len(line) > limit:
        line = f"{line[: limit - 1]}…"
    return _SPECIAL.sub(r"\\\1", line)


def with_unit(feature: str, value: float) -> str:
    """A feature's value as people read it, with its unit; an en dash where it is missing."""
    if value != value:
        return "–"
    spec = BY_NAME[feature]
    return f"{value * spec.display_factor:.4g} {spec.shown_unit}".strip()
