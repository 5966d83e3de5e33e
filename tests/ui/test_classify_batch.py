"""What the Classify page keeps of many cells, and how its progress moves."""

from neuroclass.types.progress import Progress
from neuroclass.ui.classify.batch import _moving
from neuroclass.ui.kept import Kept


def test_the_values_used_last_are_kept_within_the_limit_and_at_least_one() -> None:
    kept: Kept[str] = Kept(5, len)
    kept.put("a", "xx")
    kept.put("b", "xx")
    assert kept.get("a") == "xx"
    kept.put("c", "xxx")
    assert kept.get("b") is None
    assert kept.get("a") == "xx"
    kept.put("d", "x" * 9)
    assert (kept.get("a"), kept.get("c"), kept.get("d")) == (None, None, "x" * 9)


def test_what_weighs_nothing_is_not_kept() -> None:
    kept: Kept[str] = Kept(5, len)
    kept.put("a", "")
    assert kept.get("a") is None


class Bar:
    def __init__(self) -> None:
        self.at: list[tuple[float, str]] = []

    def progress(self, value: float, text: str) -> None:
        self.at.append((value, text))


def test_the_bar_moves_within_a_file() -> None:
    bar = Bar()
    moved = _moving(bar, "cells.csv", 1, 4)
    moved(Progress("cells", 2048, 4096))
    moved(Progress("cells", 4096, 4096))
    assert [value for value, _ in bar.at] == [0.25, 0.375, 0.5]
    assert bar.at[1][1] == "Classifying cells.csv (2 of 4): 2,048 of 4,096 cells"
