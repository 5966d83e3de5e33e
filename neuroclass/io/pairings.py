"""Channels of a file that could be potential and current, for a header that does not tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from neuroclass.errors import Option
from neuroclass.io.channels import Channel


@dataclass(frozen=True)
class Pairing:
    """Channels that could be potential and current.

    Attributes
    ----------
    options : mapping of str to str
        Fields of `ChannelMapping` that choose them.
    potential, current : str
        Their names; empty for those that the reader takes by itself.
    units : tuple of str
        Their units in the header, where it has some.
    command : bool
        Whether the current was commanded.
    command_kind : str
        Kind of the unit in which it was commanded; empty if it was recorded.
    """

    options: Mapping[str, Option] = field(default_factory=dict)
    potential: str = ""
    current: str = ""
    units: tuple[str, str] = ("", "")
    command: bool = True
    command_kind: str = ""


def pairings_of(channels: Sequence[Channel]) -> list[Pairing]:
    """Every recorded channel with every other as its current; those with the right kinds of unit first."""
    recorded = sorted((c for c in channels if not c.commanded), key=lambda c: c.kind != "V")
    found = []
    for response in recorded:
        others = sorted((c for c in channels if c is not response), key=lambda c: c.kind != "A")
        for other in others:
            found.append(
                Pairing(
                    {"response": response.name, "stimulus": other.name},
                    response.name,
                    f"{other.name}, {'commanded' if other.commanded else 'recorded'},",
                    (response.unit, other.unit),
                    other.commanded,
                    other.kind if other.commanded else "",
                )
            )
    return found
