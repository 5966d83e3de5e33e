"""Shares of cells as pages and reports write them: in percent, with the minus sign of print."""

from collections.abc import Mapping
from typing import Any

DASH = "–"


def percent(share: float) -> str:
    """A share, such as ``97.8%``.

    Parameters
    ----------
    share : float
        Fraction of 1.

    Returns
    -------
    str
    """
    return f"{share:.1%}".replace("-", "−")


def with_interval(value: Mapping[str, Any]) -> str:
    """A mean share with its interval, such as ``97.8% (97.1–98.5)``; without one, the mean alone.

    Parameters
    ----------
    value : mapping
        ``mean``, and ``low`` and ``high`` where there are any, fractions of 1.

    Returns
    -------
    str
    """
    text = percent(float(value["mean"]))
    if "low" not in value or "high" not in value:
        return text
    low, high = (100 * float(value[end]) for end in ("low", "high"))
    return f"{text} ({low:.1f}–{high:.1f})"


def confidence(value: Mapping[str, Any]) -> str:
    """The 95% confidence interval of a share, such as ``95% CI 97.1–98.5%``.

    Parameters
    ----------
    value : mapping
        ``low`` and ``high``, fractions of 1.

    Returns
    -------
    str
    """
    low, high = (100 * float(value[end]) for end in ("low", "high"))
    return f"95% CI {low:.1f}–{high:.1f}%"


def points(difference: Mapping[str, Any]) -> str:
    """A difference of two shares in percentage points, such as ``−0.4 percentage points (95% CI −0.9 to +0.1)``.

    Parameters
    ----------
    difference : mapping
        ``difference``, ``low`` and ``high``, fractions of 1.

    Returns
    -------
    str
    """
    middle, low, high = (_signed(100 * float(difference[name])) for name in ("difference", "low", "high"))
    return f"{middle} percentage points (95% CI {low} to {high})"


def _signed(value: float) -> str:
    shown = f"{value:+.1f}"
    return "0.0" if float(shown) == 0 else shown.replace("-", "−")
