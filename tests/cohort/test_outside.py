"""Tables of other laboratories as cohorts."""

from pathlib import Path

import numpy as np
import pytest

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.outside import HUMAN_GABAERGIC, OUTSIDE_NAMES, load_outside
from neuroclass.cohort.splits import donor_folds
from neuroclass.errors import TableError

HEADER = "cell,species,vrest,tau,donor,truth,condition\n"
ROWS = "a,mouse,-70,12,d1,Htr3a,acute\nb,human,-65,,d2,Lamp5/Pax6,culture\n"


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "outside").mkdir(exist_ok=True)
    (tmp_path / "outside" / "lab.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_truth_goes_to_the_label_of_the_species(tmp_path):
    cohort = load_outside(written(tmp_path, HEADER + ROWS), "lab")
    assert cohort.column("truth").tolist() == ["Htr3a", "Lamp5/Pax6"]
    assert cohort.column("subclass").tolist() == ["Htr3a", None]
    assert cohort.column("human_subclass").tolist() == [None, "Lamp5/Pax6"]
    assert cohort.column("broad").tolist() == ["inhibitory", "inhibitory"]
    assert cohort.column("condition").tolist() == ["acute", "culture"]
    assert cohort.column("donor").tolist() == ["d1", "d2"]
    assert np.isfinite(cohort.matrix()).sum() == 3
    assert len(cohort.labelled("human_subclass")) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cell,species,vrest,donor\na,mouse,-70,d\n", r"lacks the columns \['truth'\]"),
        (HEADER + "a,mouse,-70,12,d1,Lamp5/Pax6,acute\n", r"calls mouse cells .*Lamp5/Pax6"),
        (HEADER + "a,rat,-70,12,d1,Sst,acute\n", "species 'rat'"),
        (HEADER + "a,mouse,low,12,d1,Sst,acute\n", "'low' under vrest in line 2"),
        (HEADER + "a,mouse,-70,12,d1,Sst,\na,mouse,-70,12,d1,Sst,\n", "cell a twice"),
        (HEADER + "a,mouse,-70,12,,Sst,\n", "leaves one of"),
        ("cell,species,colour,donor,truth\na,mouse,red,d,Sst\n", r"unknown columns \['colour'\]"),
    ],
)
def test_unusable_tables_are_refused(tmp_path, text, message):
    with pytest.raises(TableError, match=message):
        load_outside(written(tmp_path, text), "lab")


def test_an_absent_table_or_folder_is_named(tmp_path):
    with pytest.raises(TableError, match="no folder outside"):
        load_outside(tmp_path, "lab")
    with pytest.raises(TableError, match=r"found in .*: lab"):
        load_outside(written(tmp_path, HEADER + ROWS), "other")


@pytest.mark.parametrize("name", OUTSIDE_NAMES)
def test_real_tables_are_read(real_data_dir, name):
    if not (real_data_dir / "outside" / f"{name}.csv").is_file():
        pytest.skip("other laboratories' tables are not here")
    cohort = load_outside(real_data_dir, name)
    species = cohort.column("species")[0]
    assert set(cohort.column("truth")) <= set(TASK_CLASSES["subclass" if species == "mouse" else "human_subclass"])
    assert np.isfinite(cohort.matrix()).any(axis=1).all()
    if name == HUMAN_GABAERGIC:
        assert set(cohort.column("condition")) == {"acute", "culture"}
        assert len(donor_folds(cohort, "human_subclass")) == 5
