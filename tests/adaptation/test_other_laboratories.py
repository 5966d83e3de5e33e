"""Any labelled tables are evaluated as those of other laboratories: planted cells, a user's file, refusals."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.adaptation.labelled_cells import LabelledCells
from neuroclass.adaptation.labelled_table import read_labelled
from neuroclass.adaptation.other_laboratories import evaluate_tables, sets_to_fit
from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.cohort.cohort import make_cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.errors import CohortError, SettingsError, TableError
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.other_laboratories import shipped_systems
from neuroclass.training.library import FeatureSetLibrary
from tests.adaptation.planting import LONG_SQUARE, plant

OURS = ["alone", "batch", "one network for all features"]


def planted_table(n_cells=300, seed=3, *, features=LONG_SQUARE, simulated=True):
    """Mouse cells of a planted laboratory whose recordings gave some features, long squares' by default."""
    lab = plant(n_cells, seed, features=features)
    x = lab.reference.preprocessor.stored_units(lab.z)
    frame = pd.DataFrame(np.where(np.isfinite(lab.z), x, np.nan), columns=list(FEATURE_NAMES))
    frame["id"] = [f"cell{k}" for k in range(n_cells)]
    frame["species"] = "mouse"
    frame["subclass"] = np.array(SUBCLASS_ORDER, dtype=object)[lab.truth]
    frame["broad"] = np.where(lab.truth == 0, "excitatory", "inhibitory")
    return make_cohort(frame, "planted laboratory", simulated=simulated)


@pytest.fixture(scope="module")
def systems():
    return shipped_systems()


def test_figures_are_those_of_the_predictions(systems):
    cells = planted_table()
    found = evaluate_tables("lspin", systems, {"mine": cells}, load_demo())
    rows, predictions = found.result["laboratories"], found.predictions
    assert [row["system"] for row in rows] == OURS
    assert found.result["n_cells"] == len(cells)
    for row in rows[:2]:
        part = predictions[predictions["system"] == row["system"]].set_index("id").loc[cells.frame["id"]]
        right = part["truth"] == part["predicted"]
        assert (part["truth"].to_numpy() == cells.column("subclass")).all()
        assert row["accuracy"] == pytest.approx(right.mean())
        assert row["balanced_accuracy"] == pytest.approx(right.groupby(part["truth"]).mean().mean())
        inside = [truth in text.split("|") for truth, text in zip(part["truth"], part["prediction_set"], strict=True)]
        assert row["coverage"] == pytest.approx(np.mean(inside))
        stated = part[[f"p_{name}" for name in SUBCLASS_ORDER]].max(axis=1).mean()
        assert row["stated"] == pytest.approx(stated, abs=1e-3)
    assert rows[0]["accuracy"] > 0.5
    assert 0.4 < rows[0]["promised"] < 1
    assert rows[1]["adapted"]
    assert not set(FEATURE_NAMES) & set(predictions)


def test_baselines_are_fitted_to_recorded_cells_and_only_where_asked(systems):
    cells, database = planted_table(120), planted_table(400, 5, features=FEATURE_NAMES, simulated=False)
    found = evaluate_tables("lspin", systems, {"mine": cells}, database)
    assert [row["system"] for row in found.result["laboratories"]] == [*OURS, "lda", "lr", "svc", "xgboost"]
    assert min(row["accuracy"] for row in found.result["laboratories"][3:6]) > 0.3
    alone = evaluate_tables("lspin", systems, {"mine": cells}, database, compare=False)
    assert [row["system"] for row in alone.result["laboratories"]] == OURS


def test_unusable_tables_are_refused(systems):
    cells = planted_table(20)
    with pytest.raises(SettingsError, match="found svc"):
        evaluate_tables("svc", systems, {"mine": cells}, load_demo())
    with pytest.raises(CohortError, match="No table"):
        evaluate_tables("dann", systems, {}, load_demo())
    frame = cells.frame.assign(species=["human", *["mouse"] * 19])
    with pytest.raises(CohortError, match="one species"):
        LabelledCells("mixed", make_cohort(frame, "mixed"), "broad")
    frame = cells.frame.assign(subclass=[None, *cells.frame["subclass"][1:]])
    with pytest.raises(CohortError, match="19 of them with a subclass label"):
        LabelledCells("unlabelled", make_cohort(frame, "unlabelled"), "subclass")


def test_sets_without_a_stored_model_are_counted(monkeypatch, tmp_path):
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path))
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    cells = planted_table(12)
    assert sets_to_fit(FeatureSetLibrary(), {"mine": cells}) == 0
    frame = cells.frame.copy()
    frame.loc[:5, [name for name in LONG_SQUARE if name not in ("vrest", "tau")]] = np.nan
    frame.loc[:2, "tau"] = np.nan
    assert sets_to_fit(FeatureSetLibrary(), {"mine": make_cohort(frame, "fewer")}) == 2


TABLE = """cell,species,donor,label,vrest,tau,colour
a,mouse,d1,Pvalb+,-70,12,red
b,,d1,htr3a+|vip−,-71,14,red
c,human,d2,Lamp5/Pax6,-65,20,red
d,mouse,,excitatory,-72,15,red
e,mouse,d3,L5 IT,-70,11,red
f,mouse,d3,,-70,11,red
g,mouse,d3,Sst,-0.07,11,red
"""


def test_a_users_table_is_read_row_by_row():
    table = read_labelled(TABLE.encode(), "lab.csv")
    frame = table.cells.frame.set_index("id")
    assert frame.index.tolist() == ["a", "b", "c", "d"]
    assert frame["subclass"].tolist() == ["Pvalb", "Htr3a", None, None]
    assert frame["broad"].tolist() == ["inhibitory", "inhibitory", "inhibitory", "excitatory"]
    assert frame["species"].tolist() == ["mouse", "mouse", "human", "mouse"]
    assert frame["donor"].tolist() == ["d1", "d1", "d2", "d"]
    assert frame.loc["a", ["vrest", "tau"]].tolist() == [-70, 12]
    assert {name: len(cells) for name, cells in table.tables("broad").items()} == {
        "lab.csv, mouse": 3,
        "lab.csv, human": 1,
    }
    assert {name: len(cells) for name, cells in table.tables("subclass").items()} == {"lab.csv": 2}
    failed, unlabelled, unknown = table.notes
    assert "1 row failed a check" in failed and "another unit" in failed
    assert unlabelled == "1 rows have no label."
    assert "L5 IT (mouse)" in unknown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cell,vrest\na,-70\n", "neither a column 'truth' nor 'label'"),
        ("cell,truth,vrest\na,astrocyte,-70\n", "no usable row with a known class"),
        ("cell,truth\na,Sst\n", "none of its columns"),
        ("\x00\x01", "cannot be read|no cell"),
        ("cell,truth,vrest\n" + "".join(f"c{k},Sst,-70\n" for k in range(5001)), "5,001 rows"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(text, message):
    with pytest.raises(TableError, match=message):
        read_labelled(text.encode(), "cells.csv")
