"""Tables behind the Performance page's figures on other laboratories and partial recordings."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.evaluation.fitted_sets import _describe, set_name
from neuroclass.evaluation.laboratory_tables import partial_table, promises_table, stimuli_title, systems_table
from neuroclass.features import FEATURE_NAMES
from neuroclass.training.library import whole_stimuli

COMMON = {"laboratory": "visp_mouse", "n_cells": 100, "n_features": 14, "balanced_accuracy": 0.6, "stated": 0.7}
ALONE = {**COMMON, "system": "alone", "accuracy": 0.7, "promised": 0.75, "coverage": 0.9, "set_size": 2.0}
BATCH = {**COMMON, "system": "batch", "accuracy": 0.8, "adapted": True, "coverage": 0.92, "set_size": 1.5}
SVC = {**COMMON, "system": "svc", "accuracy": 0.65}


def test_systems_have_titles_and_lack_what_was_not_measured():
    table = systems_table([ALONE, BATCH, SVC])
    assert table["laboratory"].tolist() == ["Mouse V1"] * 3
    assert table["system"].tolist() == ["Ours, each cell alone", "Ours, the table as one batch", "SVC"]
    assert table["ours"].tolist() == [True, True, False]
    assert table["promised"].tolist()[0] == 0.75 and np.isnan(table["promised"][1:]).all()
    assert np.isnan(systems_table([SVC])["coverage"]).all()
    assert systems_table([{**SVC, "laboratory": "mine.csv"}])["laboratory"].tolist() == ["mine.csv"]


def test_promises_leave_out_a_batch_that_was_not_adapted():
    table = promises_table([ALONE, BATCH, SVC])
    assert table["system"].tolist() == ["alone", "adapted"]
    assert table["observed"].tolist() == [0.7, 0.8]
    assert np.isnan(table["promised"][1])
    assert (table["low"] < table["observed"]).all() and (table["observed"] < table["high"]).all()
    assert promises_table([ALONE, {**BATCH, "adapted": False}])["system"].tolist() == ["alone"]


def masked_rows():
    """Rows as `evaluate_sets` describes them, of all combinations of stimuli and both species: seven of ten right."""
    cells = pd.DataFrame({"id": [f"c{k}" for k in range(20)], "species": ["mouse"] * 10 + ["human"] * 10})
    cells = cells.assign(donor=cells["id"], repeat=0, fold=0, truth="excitatory")
    wrong = np.arange(20) % 10 < 3
    cells["predicted"] = np.where(wrong, "inhibitory", "excitatory")
    cells = cells.assign(svc="excitatory", set_size=1.3, covered=True, home=0.9, promised=0.75)
    cells = cells.assign(p_excitatory=np.where(wrong, 0.2, 0.8), p_inhibitory=np.where(wrong, 0.8, 0.2))
    frames = [cells.assign(laboratory=set_name(present)) for present in whole_stimuli()]
    return _describe("dann", "broad", pd.concat(frames, ignore_index=True))["laboratories"]


def test_partial_recordings_are_combinations_of_stimuli_and_all_features():
    one, both = (partial_table(masked_rows(), species) for species in (["mouse"], ["mouse", "human"]))
    assert len(one) == 2**4
    assert f"all {len(FEATURE_NAMES)} features" in set(one["name"])
    assert "long square, ramp" in set(one["name"])
    assert not any("none" in name for name in one["name"])
    assert len(both) == 2 * len(one)
    assert both["name"].is_unique
    assert np.isnan(one["open_gates"]).all()
    assert one["accuracy"].tolist() == pytest.approx([0.7] * 16)
    assert one["svc"].tolist() == [1.0] * 16
    assert one["difference"].tolist() == pytest.approx([-0.3] * 16)
    assert one.iloc[0][["cells", "promised", "coverage", "set_size"]].tolist() == pytest.approx([10, 0.75, 1.0, 1.3])
    assert partial_table(masked_rows(), ["rat"]).empty


def test_sets_of_other_features_keep_their_names():
    assert stimuli_title("2 features: vrest, tau") == "2 features: vrest, tau"
