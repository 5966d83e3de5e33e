"""Text on pages: text from users and files is escaped before it reaches markdown."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")


def escaped(text: object, limit: int = 300) -> str:
    """Escape text for markdown, on one line.

    Parameters
    ----------
    text : object
        Anything that can be converted to text.
    limit : int
        Maximum length; the rest is cut.

    Returns
    -------
    str
    """
    line = " ".join(str(text).split())
    if len(line) > limit:
        line = f"{line[: limit - 1]}…"
    return _SPECIAL.sub(r"\\\1", line)
