"""Shares are written in percent, with the minus sign of print and no sign on what rounds to nothing."""

import pytest

from neuroclass.types.shares import percent, points, with_interval


def test_a_share_is_written_in_percent() -> None:
    assert (percent(0.9784), percent(-0.004)) == ("97.8%", "−0.4%")


def test_an_interval_is_written_where_there_is_one() -> None:
    assert with_interval({"mean": 0.978, "low": 0.971, "high": 0.985}) == "97.8% (97.1–98.5)"
    assert with_interval({"mean": 0.978, "sd": 0.01}) == "97.8%"


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        ((-0.004, -0.009, 0.001), "−0.4 percentage points (95% CI −0.9 to +0.1)"),
        ((0.0, -0.012, 0.0004), "0.0 percentage points (95% CI −1.2 to 0.0)"),
    ],
)
def test_a_difference_is_written_in_points(difference: tuple[float, float, float], text: str) -> None:
    assert points(dict(zip(("difference", "low", "high"), difference, strict=True))) == text
