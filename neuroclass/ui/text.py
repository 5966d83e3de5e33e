"""Text on pages: text from users and files is escaped before it reaches markdown."""

import re

DATABASE = "Allen Cell Types Database"
_TABLES = "published tables in "
_FETCHED = re.compile(rf"{DATABASE}, fetched to .+?(?P<noise>, noise features from .+)?")
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


def source_title(source: str) -> str:
    """Where cells come from, without the folder on this machine; a source of another kind as it is.

    Parameters
    ----------
    source : str
        Of a cohort, such as ``published tables in /data/allen``.

    Returns
    -------
    str
    """
    if source.startswith(_TABLES):
        return f"{DATABASE}, published tables"
    found = _FETCHED.fullmatch(source)
    if found is None:
        return source
    return f"{DATABASE}, noise features from the published tables" if found["noise"] else DATABASE
