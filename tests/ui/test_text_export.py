"""What users say reaches neither markdown nor spreadsheets as code."""

import pandas as pd

from neuroclass.features import with_unit
from neuroclass.io.export import to_csv
from neuroclass.ui.text import escaped


def test_markdown_is_escaped_and_cut() -> None:
    assert escaped("![x](http://evil)") == "\\!\\[x\\]\\(http\\://evil\\)"
    assert escaped("a\nb<script>") == "a b\\<script\\>"
    assert len(escaped("x" * 1000)) == 300


def test_formulas_are_defused_and_simulated_said() -> None:
    text = to_csv(pd.DataFrame({"cell": ["=cmd()", "ok"], "tau": [-1.5, 2.0]}), simulated=True).decode("utf-8-sig")
    assert text.splitlines() == ["cell,tau,simulated", "'=cmd(),-1.5,True", "ok,2.0,True"]


def test_values_are_shown_with_units() -> None:
    assert with_unit("width", 0.0005) == "0.5 ms"
    assert with_unit("sag", float("nan")) == "–"
