"""Expressions choose cells and run nothing."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.query import match_filters, match_query, match_text
from neuroclass.errors import SettingsError

FRAME = pd.DataFrame(
    {
        "id": ["11", "22", "33"],
        "donor": ["d1", "d2", "d2"],
        "line": ["Pvalb-IRES-Cre", None, "Vip-IRES-Cre"],
        "structure": "VISp",
        "subclass": ["Pvalb", None, "Vip"],
        "broad": "inhibitory",
        "layer": ["2", "2/3", None],
        "sag": [0.1, 0.3, np.nan],
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [1, 1, 1]),
        ("sag > 0.2", [0, 1, 0]),
        ("0.05 < sag <= 0.1", [1, 0, 0]),
        ('layer in ["2", "2/3"] and sag < 0.2', [1, 0, 0]),
        ('not (layer == "2")', [0, 1, 1]),
        ('layer != "2"', [0, 1, 0]),
        ('subclass == "Vip" or sag > 0.2', [0, 1, 1]),
        ("sag > -1", [1, 1, 0]),
    ],
)
def test_expressions(text: str, expected: list[int]) -> None:
    assert match_query(FRAME, text).tolist() == [bool(k) for k in expected]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "sag.max() > 0",
        "sag > __builtins__",
        "[x for x in (1,)]",
        "nonsense > 1",
        "sag >",
        "sag > 'a'",
        "layer > 2",
        "sag in 3",
        "1 < 2",
        "(" * 300 + ")" * 300,
        "sag > 0 " + "and sag > 0 " * 100,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        match_query(FRAME, text)


def test_filters_and_text() -> None:
    assert match_filters(FRAME, {"layer": ["2", "unknown"], "line": []}).tolist() == [True, False, True]
    assert match_text(FRAME, "pvalb").tolist() == [True, False, False]
    assert match_text(FRAME, "11, 33\n99").tolist() == [True, False, True]
    assert match_text(FRAME, "visp vip").tolist() == [False, False, True]
