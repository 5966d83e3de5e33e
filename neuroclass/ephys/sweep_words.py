"""Numbers of sweeps in words, and remarks on sweeps with those that say the same together."""

from collections.abc import Iterable, Set

_LISTED = 40


def sweeps_text(numbers: Set[int]) -> str:
    """Sweeps in words: ``sweep 3``, ``sweeps 3, 7 and 9 to 12``."""
    return f"sweep{'' if len(numbers) == 1 else 's'} {numbers_text(numbers)}"


def numbers_text(numbers: Set[int]) -> str:
    """Numbers in words, with runs of three and more as such: ``3, 7 and 9 to 12``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [text for run in runs for text in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))]
    if len(parts) > _LISTED:
        return f"{', '.join(parts[:_LISTED])} and {len(parts) - _LISTED} more"
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def together(remarks: Iterable[tuple[int, str]], link: str = ": ") -> list[str]:
    """Sentences that name the sweeps they are true of, each once.

    Parameters
    ----------
    remarks : iterable of (int, str)
        Number of a sweep, and what is to be said of it, without a full stop.
    link : str
        What stands between the two.

    Returns
    -------
    list of str
        Such as ``Sweeps 0 to 23: 0.2 s without samples are left out.``, in the order in which they first come.
    """
    found: dict[str, set[int]] = {}
    for number, text in remarks:
        found.setdefault(text, set()).add(number)
    return [f"{sweeps_text(numbers).capitalize()}{link}{text}." for text, numbers in found.items()]
