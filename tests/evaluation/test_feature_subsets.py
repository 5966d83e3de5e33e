"""Held-out accuracy with only some features, and the one table that whole stimuli and random sets share."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.demo import load_demo
from neuroclass.evaluation.feature_subsets import (
    COLUMNS,
    of_whole_stimuli,
    random_subsets,
    stimulus_rows,
    subset_outcomes,
    subset_table,
    summarise_subsets,
)
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from neuroclass.io.artifacts import load_model
from neuroclass.predictors.foundation import digits_of
from neuroclass.types.models import MODELS


def test_sets_are_reproducible_and_range_from_few_features_to_all():
    subsets = random_subsets()
    assert (subsets == random_subsets()).all()
    assert subsets.sum(1).min() >= 3
    assert subsets.sum(1).max() >= 38


def test_cells_are_counted_by_donor_and_class():
    model = load_model("lspin")
    test = load_demo().labelled("subclass")
    subsets = np.array([np.ones(41, bool), np.arange(41) < 3])
    table = summarise_subsets(subset_outcomes(model, test, "subclass", subsets), subsets)
    whole = table[(table["class"] == "all") & (table["features"] == "1" * 41)]
    likeliest = model.predict_proba(test.matrix(), test.column("species").tolist()).argmax(1)
    right = np.array(model.classes)[likeliest] == test.column("subclass")
    assert whole["n_cells"].sum() == len(test)
    assert (whole["accuracy"] * whole["n_cells"]).sum() == pytest.approx(right.sum(), abs=0.05)
    assert whole["error"].between(0, 0.2).all()
    by_class = table[table["class"] != "all"]
    assert by_class.groupby("features")["n_cells"].sum().tolist() == [len(test)] * 2


def test_whole_stimuli_and_random_sets_share_one_table():
    rows = [
        {
            "laboratory": "ramp+none",
            "species": "mouse",
            "n_cells": 30,
            "mean": 0.7,
            "sd": 0.1,
            "low": 0.6,
            "high": 0.8,
            "macro_f1": 0.65,
            "classes": {"Pvalb": 0.9, "Sst": 0.6},
        }
    ]
    keys = {"features": "1" * 41, "species": "mouse", "coverage": 0.9, "error": 0.01, "accuracy": 0.8}
    random = pd.DataFrame([{**keys, "class": c, "n_cells": n} for c, n in (("all", 30), ("Pvalb", 10), ("Sst", 20))])
    table = subset_table(stimulus_rows(rows), random)
    assert tuple(table.columns) == COLUMNS
    assert table["n_cells"].tolist() == [30, 10, 20, 30, 10, 20]
    (whole,) = of_whole_stimuli(table).to_dict("records")
    assert (whole["stimuli"], whole["accuracy"], whole["macro_f1"]) == ("ramp+none", 0.7, 0.65)
    known = {*features_of(Stimulus.RAMP), *features_of(Stimulus.NONE)}
    assert whole["features"] == digits_of(np.isin(FEATURE_NAMES, list(known)))
    assert table["stimuli"].isna().tolist() == [False] * 3 + [True] * 3


@pytest.mark.parametrize("name", list(MODELS))
def test_the_shipped_table_holds_every_combination_of_stimuli(name):
    from neuroclass.reports.store import report_of

    table = report_of(name).feature_subsets()
    assert table is not None
    assert tuple(table.columns) == COLUMNS
    whole = of_whole_stimuli(table)
    assert (whole.groupby("species").size() == 30).all()
    assert (whole["low"] <= whole["accuracy"]).all() and (whole["accuracy"] <= whole["high"]).all()
    parts = table[table["class"] != "all"].groupby(["features", "species", table["stimuli"].fillna("")])
    assert parts["n_cells"].sum().groupby("species").nunique().eq(1).all()
