"""Right, wrong or uncertain."""

import pandas as pd

from neuroclass.cohort.verdicts import cell_verdicts


def test_repeats_are_averaged_before_the_cell_is_judged() -> None:
    rows = pd.DataFrame(
        {
            "id": ["a", "a", "b", "c"],
            "truth": ["x", "x", "x", "y"],
            "p_x": [0.9, 0.4, 0.2, 0.45],
            "p_y": [0.1, 0.6, 0.8, 0.55],
        }
    )
    found = cell_verdicts(rows)
    assert found["verdict"].to_dict() == {"a": "right", "b": "wrong", "c": "uncertain"}
    assert found["predicted"].to_dict() == {"a": "x", "b": "y", "c": "y"}
