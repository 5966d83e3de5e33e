"""Adaptation: a planted shift is found and taken back, none is invented, and hopeless batches are refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from neuroclass.adaptation.alignment import align
from neuroclass.adaptation.laboratory import adapt, make_batch
from neuroclass.adaptation.reference import Reference, shipped_reference, unclipped
from neuroclass.adaptation.shift import domain_score, feature_shifts
from neuroclass.adaptation.third_domain import with_laboratory
from neuroclass.cell_types import BROAD_ORDER
from neuroclass.cli import main
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.errors import CohortError
from neuroclass.evaluation.laboratories import Laboratory
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import load_model
from neuroclass.predictors.predictor import Predictor

AWAY = Laboratory("elsewhere", offset_mv=-12.0, slowing=1.6)
N_CELLS = 60


@pytest.fixture(scope="module")
def lspin() -> Predictor:
    return load_model("lspin")


@pytest.fixture(scope="module")
def reference(lspin) -> Reference:
    return shipped_reference(lspin, "mouse")


@pytest.fixture(scope="module")
def home(lspin, reference):
    """Cells drawn from the reference itself, so that the shift of `AWAY` is the only one."""
    z = np.clip(reference.sample(np.array([0.2, 0.3, 0.2, 0.1, 0.2]), N_CELLS, 3), -4, 4)
    return lspin.preprocessor.stored_units(z)


def test_a_planted_shift_is_named_and_taken_back(lspin, reference, home):
    found = align(lspin, AWAY.measure(home), "mouse", reference)
    sizes = {part.name: part.size for part in found.components}
    assert sizes["voltage offset"] == pytest.approx(-12, abs=2.5)
    assert np.exp(sizes["temperature"]) == pytest.approx(1.6, abs=0.25)
    as_home = align(lspin, home, "mouse", reference)
    truth = as_home.before.argmax(1)
    assert (found.after.argmax(1) == truth).mean() >= (found.before.argmax(1) == truth).mean()
    assert (found.after.argmax(1) == truth).mean() > 0.9
    assert np.nanmedian(np.abs(unclipped(lspin.preprocessor, found.x) - unclipped(lspin.preprocessor, home))) < 0.25


def test_no_shift_is_invented(lspin, reference, home):
    found = align(lspin, home, "mouse", reference)
    assert abs(next(part.size for part in found.components if part.name == "voltage offset")) < 2
    assert np.abs(found.delta).max() < 0.5
    assert found.changed.mean() < 0.1


def test_missing_features_stay_missing(lspin, reference, home):
    x = home.copy()
    x[:, FEATURE_NAMES.index("tau")] = np.nan
    x[::2, FEATURE_NAMES.index("sag")] = np.nan
    found = align(lspin, x, "mouse", reference)
    assert np.array_equal(np.isnan(found.x), np.isnan(x))


def test_few_cells_and_batches_of_one_class_are_refused(lspin, reference, home):
    with pytest.raises(CohortError, match="19 cells are too few"):
        align(lspin, home[:19], "mouse", reference)
    z = np.repeat(reference.means[[1]], 30, axis=0)
    one_class = lspin.preprocessor.stored_units(z + 0.05 * np.random.default_rng(0).normal(size=z.shape))
    with pytest.raises(CohortError, match="of the batch is Pvalb"):
        align(lspin, one_class, "mouse", reference)


def test_shifted_features_come_first_and_another_mix_of_classes_is_no_shift():
    model = load_model("dann")
    reference = shipped_reference(model, "mouse")
    proportions = np.array([0.1, 0.9])
    x = model.preprocessor.stored_units(np.clip(reference.sample(proportions, 120, 0), -4, 4))
    shifts = feature_shifts(x, "mouse", BROAD_ORDER, proportions)
    assert np.median([abs(one.percentile - 50) for one in shifts]) < 7
    moved = feature_shifts(Laboratory("away", offset_mv=-15).measure(x), "mouse", BROAD_ORDER, proportions)
    by_name = {one.feature: one for one in moved}
    assert by_name["vrest"].percentile < 15 and by_name["vrest"].p < 1e-6
    assert moved[0].feature.rsplit("_", 2)[0] in {
        n.rsplit("_", 2)[0] for n in FEATURE_NAMES if "_v" in n or n == "vrest"
    }
    assert [abs(one.percentile - 50) for one in moved] == sorted((abs(o.percentile - 50) for o in moved), reverse=True)


def test_a_batch_of_the_reference_is_not_told_from_it_and_a_shifted_one_is(lspin, reference, home):
    proportions = np.array([0.2, 0.3, 0.2, 0.1, 0.2])
    assert domain_score(lspin, home, reference, proportions).auc < 0.68
    assert domain_score(lspin, AWAY.measure(home), reference, proportions).auc > 0.9


def test_labels_are_compared_with_and_never_change_the_answer(home):
    names = [f"c{k}" for k in range(N_CELLS)]
    models = [load_model("dann"), load_model("lspin")]
    labels = {"c0": "Pvalb", "c1": "inhibitory", "c2": "Sst"}
    plain = adapt(make_batch(names, home, ["mouse"] * N_CELLS), models)
    known = adapt(make_batch(names, home, ["unknown"] * N_CELLS, labels), models)
    assert plain.outcomes["lspin"].accuracy is None
    assert known.outcomes["lspin"].accuracy[2] == 2
    assert known.outcomes["dann"].accuracy[2] == 3
    assert np.array_equal(plain.outcomes["lspin"].alignment.after, known.outcomes["lspin"].alignment.after)
    with pytest.raises(CohortError, match="expected one of"):
        make_batch(names, home, ["mouse"] * N_CELLS, {"c0": "purkinje"})


def test_human_batches_get_dann_only_and_strays_are_left_out(home):
    demo = load_demo().of_species("human")
    names, species = [*demo.column("id").tolist()[:40], "stray"], ["human"] * 40 + ["mouse"]
    batch = make_batch(names, np.concatenate([demo.matrix()[:40], home[:1]]), species)
    assert (batch.species, batch.left_out, len(batch.names)) == ("human", 1, 40)
    report = adapt(batch, [load_model("dann"), load_model("lspin")])
    assert set(report.outcomes) == {"dann"}
    assert set(report.shifts) == {"mouse", "human"}


def test_the_third_domain_takes_the_labs_cells_without_labels(home):
    demo = load_demo()
    batch = make_batch([f"c{k}" for k in range(N_CELLS)], home, ["mouse"] * N_CELLS, {"c0": "Pvalb"})
    both = with_laboratory(Cohort(demo.frame, "as if recorded"), batch)
    lab = both.frame[both.frame["species"] == "laboratory"]
    assert len(lab) == N_CELLS and lab[["broad", "subclass"]].isna().all(axis=None)
    with pytest.raises(CohortError, match="real tables"):
        with_laboratory(demo, batch)


def test_the_command_line_says_what_changed(home, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    lines = [",".join(["cell", "species", *FEATURE_NAMES])]
    lines += [",".join([f"c{k}", "mouse", *(repr(float(v)) for v in row)]) for k, row in enumerate(AWAY.measure(home))]
    (tmp_path / "lab.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "labels.csv").write_text("cell,label\nc0,Pvalb\n", encoding="utf-8")
    words = ["adapt", str(tmp_path / "lab.csv"), "--labels", str(tmp_path / "labels.csv")]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["n_cells"] == N_CELLS
    assert told["models"]["lspin"]["accuracy"]["n_cells"] == 1
    changed = sum(
        a["label"] != b["label"]
        for a, b in zip(told["models"]["lspin"]["before"], told["models"]["lspin"]["after"], strict=True)
    )
    assert changed == told["models"]["lspin"]["n_changed"]
    assert main(words) == 0
    assert "offset of all potentials -1" in capsys.readouterr().out
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(words) == 1
    assert "columns cell and label" in capsys.readouterr().err
