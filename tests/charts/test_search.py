"""Figures of a search for settings."""

import pandas as pd
import pytest

from neuroclass.charts.search import by_setting, history, importance, inner_and_outer

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
    assert list(traces["stopped early"].x) == [2] and list(traces["complete"].x) == [1, 3]


def test_importance_has_the_greatest_on_top() -> None:
    bar = importance({"dropout": 0.2, "learning_rate": 0.8}).data[0]
    assert list(bar.y) == ["dropout", "learning rate"] and list(bar.x) == [0.2, 0.8]


def test_each_setting_has_a_panel_whose_axis_names_a_logarithmic_scale() -> None:
    fig = by_setting(TRIALS, SPACE)
    axes = [fig.layout.xaxis, fig.layout.xaxis2, fig.layout.xaxis3]
    assert [axis.title.text for axis in axes] == ["learning rate (log scale)", "dropout", "hidden"]
    assert axes[0].type == "log" and list(axes[0].ticktext) == ["0.0001", "0.001", "0.01"]
    assert axes[2].type == "category" and list(axes[2].categoryarray) == ["8", "32,4"]


def test_the_best_trial_is_the_best_complete_one_in_every_panel() -> None:
    stars = [trace for trace in by_setting(TRIALS, SPACE).data if trace.name == "best trial"]
    assert [list(trace.y) for trace in stars] == [[0.8]] * 3
    assert [trace.x[0] for trace in stars] == [1e-2, 0.3, "8"]
    none = by_setting(TRIALS.assign(state="pruned"), SPACE)
    assert all(not len(trace.x) for trace in none.data if trace.name == "best trial")


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
    for fig in (history(none), importance({}), by_setting(none, SPACE), inner_and_outer(none)):
        assert not fig.data and fig.layout.annotations[0].text
