"""Text on pages: text from users and files is escaped before it reaches markdown."""

import re

from neuroclass.features import rounded

LEAST_P = 1e-10
"""Below it, a p value is no longer told apart from none."""
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


def stated_p(p: float) -> str:
    """A p value as people read it: two digits, a bound where it is tiny, an en dash where there was no test."""
    if p != p:
        return "–"
    return "<1e−10" if p < LEAST_P else rounded(p, 2).replace("e-", "e−")


def ordinal(percent: float) -> str:
    """A whole number with its ending, such as 93rd."""
    number = round(percent)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number // 10 % 10 != 1 else 0, "th")
    return f"{number}{ending}"
