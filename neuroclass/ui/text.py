"""Text on pages: everything a user or a file said is escaped before it reaches markdown."""

import re

from neuroclass.features import with_unit as with_unit

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
