"""A laboratory against the reference: shifts of features, verdicts before and after for both tasks, the command."""

import json
from pathlib import Path

import numpy as np
import pytest

from neuroclass.adaptation.laboratory import adapt, make_batch
from neuroclass.adaptation.shift import domain_score, feature_shifts
from neuroclass.adaptation.third_domain import with_laboratory
from neuroclass.cell_types import BROAD_ORDER, SUBCLASS_ORDER
from neuroclass.cli import main
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.errors import CohortError
from neuroclass.evaluation.laboratories import Laboratory
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import load_model
from neuroclass.predictors.predictor import Predictor
from neuroclass.reference.shapes import ReferenceShapes, load_shapes

AWAY = Laboratory("elsewhere", offset_mv=-12.0, slowing=1.6)
N_CELLS = 60
PROPORTIONS = np.array([0.2, 0.3, 0.2, 0.1, 0.2])


@pytest.fixture(scope="module")
def reference() -> ReferenceShapes:
    return load_shapes("mouse")


@pytest.fixture(scope="module")
def drawn(reference):
    """Cells drawn from the reference itself, so that the shift of `AWAY` is the only one, and their classes."""
    z, truth = reference.shapes.sample(PROPORTIONS, N_CELLS, np.random.default_rng(3))
    return reference.preprocessor.stored_units(np.clip(z, -4, 4)), truth


@pytest.fixture(scope="module")
def home(drawn):
    return drawn[0]


@pytest.fixture(scope="module")
def models() -> list[Predictor]:
    return [load_model("dann"), load_model("lspin")]


NAMES = [f"c{k}" for k in range(N_CELLS)]


def test_a_planted_shift_is_named_and_allowed_for(drawn, models):
    x, truth = drawn
    report = adapt(make_batch(NAMES, AWAY.measure(x), ["mouse"] * N_CELLS), models)
    found = report.outcomes["lspin"]
    assert found.adapted
    parts = {part.name: part for part in found.fit.components}
    assert parts["voltage offset"].low <= -12 <= parts["voltage offset"].high
    assert parts["voltage offset"].size == pytest.approx(-12, abs=4)
    assert "offset of all potentials -1" in parts["voltage offset"].in_words()
    assert np.exp(parts["temperature"].size) == pytest.approx(1.6, abs=0.3)
    right = [(p.argmax(1) == truth).mean() for p in (found.before, found.after)]
    assert right[1] >= right[0] and right[1] > 0.8
    assert found.separation_after.auc < found.separation_before.auc - 0.2


def test_no_shift_is_invented(home, models):
    found = adapt(make_batch(NAMES, home, ["mouse"] * N_CELLS), models).outcomes["lspin"]
    assert abs(next(part.size for part in found.fit.components if part.name == "voltage offset")) < 2.5
    assert np.nanmax(np.abs(found.fit.delta)) < 0.7
    assert found.fit.other_measurements == ()
    assert found.changed.mean() < 0.3


def test_both_tasks_agree(home, models):
    report = adapt(make_batch(NAMES, AWAY.measure(home), ["mouse"] * N_CELLS), models)
    broad, fine = report.outcomes["dann"], report.outcomes["lspin"]
    assert np.allclose(broad.after[:, 0], fine.after[:, 0])
    assert not np.allclose(broad.before[:, 0], fine.before[:, 0])
    assert set(broad.proportions) == set(BROAD_ORDER) and set(fine.proportions) == set(SUBCLASS_ORDER)


def test_few_cells_and_batches_of_one_class_keep_their_verdicts(reference, home, models):
    few = adapt(make_batch(NAMES[:14], home[:14], ["mouse"] * 14), models).outcomes["lspin"]
    assert few.why_not.startswith("14 cells are too few")
    assert few.separation_before is None
    z, _ = reference.shapes.sample(np.eye(5)[1], 30, np.random.default_rng(0))
    x = reference.preprocessor.stored_units(np.clip(z, -4, 4))
    report = adapt(make_batch(NAMES[:30], x, ["mouse"] * 30), models)
    for outcome in (*report.outcomes.values(), few):
        assert not outcome.adapted and outcome.why_not
        assert np.array_equal(outcome.before, outcome.after)
        assert outcome.sets is None and outcome.proportions is None
    with pytest.raises(CohortError, match="no cell"):
        make_batch([], np.empty((0, 41)), [])


def test_shifted_features_come_first_and_another_mix_of_classes_is_no_shift():
    reference = load_shapes("mouse", "broad")
    proportions = np.array([0.1, 0.9])
    z, _ = reference.shapes.sample(proportions, 120, np.random.default_rng(0))
    x = reference.preprocessor.stored_units(np.clip(z, -4, 4))
    shifts = feature_shifts(x, "mouse", BROAD_ORDER, proportions)
    assert np.median([abs(one.percentile - 50) for one in shifts]) < 7
    moved = feature_shifts(Laboratory("away", offset_mv=-15).measure(x), "mouse", BROAD_ORDER, proportions)
    by_name = {one.feature: one for one in moved}
    assert by_name["vrest"].percentile < 15 and by_name["vrest"].p < 1e-6
    assert moved[0].feature.rsplit("_", 2)[0] in {
        n.rsplit("_", 2)[0] for n in FEATURE_NAMES if "_v" in n or n == "vrest"
    }
    assert [abs(one.percentile - 50) for one in moved] == sorted((abs(o.percentile - 50) for o in moved), reverse=True)


def test_a_batch_of_the_reference_is_not_separable_from_it_and_a_shifted_one_is(reference, home):
    assert domain_score(reference, home, PROPORTIONS).auc < 0.7
    assert domain_score(reference, AWAY.measure(home), PROPORTIONS).auc > 0.9


def test_labels_are_compared_with_and_never_change_the_answer(home):
    names = [f"c{k}" for k in range(N_CELLS)]
    models = [load_model("dann"), load_model("lspin")]
    labels = {"c0": "Pvalb", "c1": "inhibitory", "c2": "Sst"}
    plain = adapt(make_batch(names, home, ["mouse"] * N_CELLS), models)
    known = adapt(make_batch(names, home, ["unknown"] * N_CELLS, labels), models)
    assert plain.outcomes["lspin"].accuracy is None
    assert known.outcomes["lspin"].accuracy[2] == 2
    assert known.outcomes["dann"].accuracy[2] == 3
    assert np.array_equal(plain.outcomes["lspin"].after, known.outcomes["lspin"].after)
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
    lspin = told["models"]["lspin"]
    assert changed == lspin["n_changed"]
    assert set(lspin) >= {"why_not", "reference", "components", "proportions", "told_from_reference", "accuracy"}
    assert lspin["adapted"] and lspin["why_not"] is None
    assert set(lspin["proportions"]) == set(lspin["proportion_intervals"]) == set(SUBCLASS_ORDER)
    assert all(low <= high for low, high in lspin["proportion_intervals"].values())
    assert all(cell["label"] in cell["set"] for cell in lspin["after"])
    assert 0 <= lspin["stability"] <= 1 and lspin["gain"] > 0
    assert main(words) == 0
    assert "offset of all potentials -1" in capsys.readouterr().out
    (tmp_path / "few.csv").write_text("\n".join(lines[:11]), encoding="utf-8")
    assert main(["adapt", str(tmp_path / "few.csv"), "--json"]) == 0
    few = json.loads(capsys.readouterr().out)["models"]["lspin"]
    assert not few["adapted"] and few["why_not"].startswith("10 cells are too few")
    assert [cell["label"] for cell in few["before"]] == [cell["label"] for cell in few["after"]]
    assert few["proportions"] is None and few["stability"] is None and few["n_changed"] == 0
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(words) == 1
    assert "columns cell and label" in capsys.readouterr().err
