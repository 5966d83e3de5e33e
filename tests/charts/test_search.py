"""Figures of a search for settings."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.charts.search import history, importance, inner_and_outer, parallel

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "dropout": {"low": 0.0, "high": 0.5, "log": False},
    "hidden": {"options": ["8", "32,4"]},
}
TRIALS = pd.DataFrame(
    {
        "trial": [1, 2, 3],
        "state": ["complete", "pruned", "complete"],
        "score": [0.7, 0.9, 0.8],
        "learning_rate": [1e-3, 1e-4, 1e-2],
        "dropout": [0.1, 0.2, 0.3],
        "hidden": ["32,4", "8", "8"],
    }
)


def test_a_pruned_trial_is_never_the_best_so_far() -> None:
    fig = history(TRIALS)
    traces = {trace.name: trace for trace in fig.data}
    assert list(traces["best so far"].y) == [0.7, 0.7, 0.8]
    assert list(traces["pruned"].x) == [2] and list(traces["complete"].x) == [1, 3]


def test_importance_has_the_greatest_on_top() -> None:
    bar = importance({"dropout": 0.2, "learning_rate": 0.8}).data[0]
    assert list(bar.y) == ["dropout", "learning rate"] and list(bar.x) == [0.2, 0.8]


def test_axes_of_parallel_coordinates_say_values_not_places() -> None:
    axes = {axis.label: axis for axis in parallel(TRIALS, SPACE).data[0].dimensions}
    assert set(axes) == {"learning rate", "dropout", "hidden", "score"}
    assert np.allclose(axes["learning rate"]["values"], [-3, -4, -2])
    assert axes["learning rate"].ticktext[0] == "0.0001" and axes["learning rate"].ticktext[-1] == "0.01"
    assert list(axes["hidden"]["values"]) == [1, 0, 0] and list(axes["hidden"].ticktext) == ["8", "32,4"]


def test_every_axis_of_parallel_coordinates_has_its_own_ticks_so_that_no_end_is_written_twice() -> None:
    for trials in (TRIALS, TRIALS.iloc[:1]):
        for axis in parallel(trials, SPACE).data[0].dimensions:
            assert len(axis.tickvals) == len(axis.ticktext) == len(set(axis.tickvals)) > 0


@pytest.mark.parametrize("simulated", [True, False])
def test_inner_and_outer_are_told_apart(simulated: bool) -> None:
    folds = pd.DataFrame({"fold": [1, 2], "inner": [0.9, 0.8], "outer": [0.7, 0.75]})
    fig = inner_and_outer(folds, simulated)
    traces = {trace.name: trace for trace in fig.data if trace.name}
    assert list(traces["inner folds"].y) == [0.9, 0.8]
    assert list(traces["outer folds"].y) == [0.7, 0.75]
    assert ("simulated cells" in str(fig.layout)) == simulated


def test_before_the_first_trial_there_is_a_note() -> None:
    none = TRIALS.iloc[:0]
    for fig in (history(none), importance({}), parallel(none, SPACE), inner_and_outer(none)):
        assert not fig.data and fig.layout.annotations[0].text
