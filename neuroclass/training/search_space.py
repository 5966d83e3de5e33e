"""What a search may try: a range or a choice for some settings of each network.

Left out on purpose: how many cells are augmented and the consensus at which LSPIN's gates open. They trade accuracy on
the cells at hand for other laboratories' recordings and for few features per cell, which a search that only sees the
former would give away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from neuroclass.errors import SettingsError
from neuroclass.training.settings import Values, all_values, checked, parse_setting, recipe, written_setting
from neuroclass.types.models import DANN, LSPIN


@dataclass(frozen=True)
class Span:
    """Numbers between two ends, both included.

    Attributes
    ----------
    low, high : float
        In the setting's unit.
    log : bool
        Whether equal ratios are equally likely, not equal differences.
    """

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """A few values, as `parse_setting` reads them."""

    options: tuple[str, ...]


Dimension: TypeAlias = Span | Choice
Space: TypeAlias = Mapping[str, Dimension]

_STEPS = Choice(("300", "600", "900"))
SPACES: Mapping[str, Space] = {
    LSPIN.name: {
        "learning_rate": Span(5e-4, 2e-2, log=True),
        "weight_decay": Span(1e-4, 1.0, log=True),
        "steps": _STEPS,
        "gating": Choice(("25,25", "50,50", "100,50")),
        "prediction": Choice(("32,16", "64,32", "128,64")),
        "gate_penalty": Span(1e-3, 5e-2, log=True),
        "agreement": Span(1e-3, 0.1, log=True),
        "dropout": Span(0.0, 0.4),
        "mixup": Span(0.0, 1.0),
        "smoothing": Span(0.0, 0.25),
    },
    DANN.name: {
        "learning_rate": Span(5e-4, 2e-2, log=True),
        "weight_decay": Span(1e-4, 3.0, log=True),
        "steps": _STEPS,
        "hidden": Choice(("8", "32,4", "64,32,4", "128,64,4")),
        "reversal": Span(1e-2, 2.0, log=True),
        "dropout": Span(0.0, 0.5),
        "mixup": Span(0.0, 1.0),
        "smoothing": Span(0.0, 0.2),
    },
}


def search_space(system: str, fixed: Values) -> dict[str, Dimension]:
    """The settings that a search varies: those declared, without those that are fixed.

    Parameters
    ----------
    system : str
        ``dann`` or ``lspin``.
    fixed : mapping
        Values by name that every trial has.

    Returns
    -------
    dict of str to Span or Choice

    Raises
    ------
    SettingsError
        If the system has no settings to search, a fixed value is not one of its, or none is left.
    """
    recipe(system)
    checked(system, fixed)
    space = {name: one for name, one in SPACES[system].items() if name not in fixed}
    if not space:
        raise SettingsError(
            f"All settings that a search for {system} varies are fixed ({', '.join(SPACES[system])}). Leave at least "
            "one of them to the search, without --set."
        )
    return space


def as_value(system: str, name: str, dimension: Dimension, tried: Any) -> Any:
    """A setting's value from what a trial holds: of an option, which is text, its value; else three digits."""
    return parse_setting(system, f"{name}={tried}")[1] if isinstance(dimension, Choice) else float(f"{tried:.3g}")


def as_tried(system: str, space: Space) -> dict[str, Any]:
    """The recipe's values as a trial holds them."""
    values = all_values(system, recipe(system))
    return {
        name: written_setting(name, values[name]).partition("=")[2] if isinstance(one, Choice) else values[name]
        for name, one in space.items()
    }
