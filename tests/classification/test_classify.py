"""Classification end to end, with the models that ship."""

import json
from pathlib import Path

import jsonschema
import pytest

from neuroclass.cell_types import BROAD_ORDER, HUMAN_SUBCLASS_ORDER, SUBCLASS_ORDER
from neuroclass.classification.classify import classify_input
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import load_models
from neuroclass.classification.result import Answer, CellVerdict
from neuroclass.cohort.demo import load_demo
from neuroclass.config import PROJECT_DIR
from neuroclass.errors import RejectedInput
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from neuroclass.predictors.preprocess import transform
from neuroclass.predictors.priors import parse_prior

SCHEMA = json.loads((PROJECT_DIR / "docs" / "classify.schema.json").read_text(encoding="utf-8"))


def classify(
    name: str, content: bytes | Path, metadata: CellMetadata | None = None, reasons: bool = True
) -> list[Answer]:
    return classify_input(CellInput.single(name, content), metadata, reasons=reasons)


def table(columns=FEATURE_NAMES, n_cells: int = 6, species: str | None = None) -> bytes:
    frame = load_demo().frame
    frame = frame if species is None else frame[frame["species"] == species]
    rows = frame.groupby("broad").head(n_cells)[["id", "species", *columns]]
    return rows.rename(columns={"id": "cell"}).to_csv(index=False).encode()


@pytest.fixture(scope="module")
def answers() -> list:
    files = [("good.csv", table()), ("bad.csv", b"cell,vrest\na,x\nb,-70\n"), ("junk.abf", b"junk")]
    return [answer for name, content in files for answer in classify(name, content)]


def test_the_answer_fits_the_published_schema(answers):
    printed = json.loads(json.dumps([answer.to_json() for answer in answers], allow_nan=False))
    jsonschema.validate(printed, SCHEMA)


def test_probabilities_are_over_the_known_classes_and_sum_to_one(answers):
    for verdict in (a for a in answers if isinstance(a, CellVerdict)):
        subclasses = HUMAN_SUBCLASS_ORDER if verdict.species == "human" else SUBCLASS_ORDER
        for task, classes in ((verdict.broad, BROAD_ORDER), (verdict.subclass, subclasses)):
            assert set(task.probabilities) == set(classes)
            assert sum(task.probabilities.values()) == pytest.approx(1, abs=1e-6)
            assert set(task.prediction_set) <= set(classes)


def test_bad_rows_and_files_are_refused_beside_the_good_ones(answers):
    refused = [(a.source, a.cell) for a in answers if isinstance(a, RejectedInput)]
    assert refused == [("bad.csv", "a"), ("junk.abf", "")]
    assert sum(isinstance(a, CellVerdict) for a in answers) == len(answers) - 2


def test_too_few_features_give_no_label(answers):
    (lonely,) = (a for a in answers if a.source == "bad.csv" and isinstance(a, CellVerdict))
    assert lonely.broad.label is None
    assert "only 1 of 41 features" in lonely.broad.abstain


def test_a_cell_unlike_any_other_gets_no_label_but_a_warning_that_names_why():
    row = load_demo().frame.iloc[[0]].rename(columns={"id": "cell"})
    row = row.assign(vrest=-30.0, tau=150.0, ri=1500.0, width=0.004, sag=0.9, peak_v=-25.0)
    columns = ["cell", "species", "vrest", "tau", "ri", "width", "sag", "peak_v"]
    (verdict,) = classify("odd.csv", row[columns].to_csv(index=False).encode())
    assert verdict.broad.label is None
    assert "no class explains Sag (long square) 0.9" in verdict.broad.abstain
    assert any("Resting potential (long square) −30 mV" in warning for warning in verdict.warnings)


@pytest.mark.parametrize(("value", "known"), [(-69.0, True), (-45.0, False)])
def test_one_impossible_feature_withholds_the_label_and_is_named_an_unusual_one_does_not(value: float, known: bool):
    row = load_demo().frame.iloc[[0]].rename(columns={"id": "cell"}).assign(trough_v_short_square=value)
    (verdict,) = classify("cell.csv", row[["cell", "species", *FEATURE_NAMES]].to_csv(index=False).encode())
    assert verdict.broad.label == (row["broad"].item() if known else None)
    assert known or "Trough (short square) −45 mV" in verdict.broad.abstain


def test_a_human_cell_gets_a_human_subclass_that_agrees_with_its_broad_class():
    answers = classify("human.csv", table(species="human"))
    jsonschema.validate(json.loads(json.dumps([answer.to_json() for answer in answers], allow_nan=False)), SCHEMA)
    for verdict in answers:
        assert verdict.species == "human"
        assert tuple(verdict.subclass.probabilities) == HUMAN_SUBCLASS_ORDER
        assert set(verdict.subclass.prediction_set) <= set(HUMAN_SUBCLASS_ORDER)
        assert verdict.subclass.probabilities["Glutamatergic"] == pytest.approx(
            verdict.broad.probabilities["excitatory"]
        )
        assert verdict.subclass.reasons
        assert set(verdict.subclass.expected) >= {"accuracy", "low", "high", "n_cells"}


def test_a_mouse_cell_has_one_answer_of_both_tasks():
    for verdict in classify("mouse.csv", table(species="mouse"), reasons=False):
        assert verdict.subclass.probabilities["Glutamatergic"] == pytest.approx(
            verdict.broad.probabilities["excitatory"]
        )


def test_reasons_name_measured_features_with_the_largest_first(answers):
    for verdict in (a for a in answers if isinstance(a, CellVerdict)):
        for task in (verdict.broad, verdict.subclass):
            sizes = [abs(reason.shap) for reason in task.reasons]
            assert sizes == sorted(sizes, reverse=True)
            assert {reason.feature for reason in task.reasons} <= set(verdict.features)
        assert all(reason.gate is not None for reason in verdict.subclass.reasons)


def test_fewer_stimuli_are_worth_less_and_the_next_sweep_is_named():
    whole = classify("all.csv", table(species="mouse"))[0].subclass
    squares = classify("long.csv", table(features_of(Stimulus.LONG_SQUARE), species="mouse"))[0].subclass
    assert squares.expected["accuracy"] < whole.expected["accuracy"]
    assert squares.expected["stimuli"] == ["long_square"]
    assert squares.next_sweep["stimulus"] in {"noise", "ramp", "short_square"}
    assert whole.next_sweep is None


def test_an_answer_does_not_depend_on_the_cells_beside_it():
    alone = classify("one.csv", table(n_cells=1))[0]
    together = classify("many.csv", table(n_cells=6))[0]
    assert alone.cell == together.cell
    for name, value in together.broad.probabilities.items():
        assert alone.broad.probabilities[name] == pytest.approx(value, abs=1e-5)


def test_simulated_cells_are_put_into_their_class():
    cohort = load_demo()
    rows = cohort.frame.rename(columns={"id": "cell"})[["cell", "species", *FEATURE_NAMES]]
    verdicts = classify("demo.csv", rows.to_csv(index=False).encode(), reasons=False)
    right = [
        max(verdict.broad.probabilities, key=verdict.broad.probabilities.get) == truth
        for verdict, truth in zip(verdicts, cohort.frame["broad"], strict=True)
    ]
    assert sum(right) / len(right) >= 0.9


def test_real_human_cells_without_labels(real_data_dir: Path, tmp_path: Path):
    lines = (real_data_dir / "actb_human_ephys_features.csv").read_text(encoding="utf-8").splitlines()[:21]
    path = tmp_path / "human.csv"
    path.write_text("\n".join(line.partition(",")[2] for line in lines), encoding="utf-8")
    verdicts = classify(path.name, path, CellMetadata(species="human"))
    assert len(verdicts) == 20
    assert all(isinstance(verdict, CellVerdict) for verdict in verdicts)
    assert "layer, file_name" in " ".join(verdicts[0].warnings)


def test_a_real_recording_gets_an_answer(shared_recordings: Path):
    path = shared_recordings / "171116sh_0018.abf"
    (verdict,) = classify(path.name, path, CellMetadata(species="mouse"))
    assert isinstance(verdict, CellVerdict)
    assert verdict.provenance["threshold_v_long_square"]["sweeps"]
    jsonschema.validate(json.loads(json.dumps([verdict.to_json()], allow_nan=False)), SCHEMA)


def _glutamatergic(verdict: CellVerdict) -> tuple[float, float]:
    return verdict.broad.probabilities["excitatory"], verdict.subclass.probabilities["Glutamatergic"]


def test_a_prior_corrects_probabilities_set_and_label_and_is_shown():
    content = table(species="mouse", n_cells=3)
    plain, known = (
        classify("mouse.csv", content, reasons=False),
        classify("mouse.csv", content, CellMetadata(prior=parse_prior("GABAergic")), reasons=False),
    )
    jsonschema.validate(json.loads(json.dumps([answer.to_json() for answer in known], allow_nan=False)), SCHEMA)
    for before, after in zip(plain, known, strict=True):
        assert before.to_json()["prior"] is None
        assert after.to_json()["prior"]["weights"] == {"excitatory": 0.0}
        assert after.to_json()["prior"]["without"]["subclass"] == before.to_json()["subclass"]
        assert after.subclass.probabilities["Glutamatergic"] == 0
        assert sum(after.subclass.probabilities.values()) == pytest.approx(1)
        assert after.broad.prediction_set == ("inhibitory",)
        assert "Glutamatergic" not in after.subclass.prediction_set
    against = {after.cell for after in known if "speak against the prior" in " ".join(after.warnings)}
    assert against == {before.cell for before in plain if max(_glutamatergic(before)) > 0.95} != set()


def test_a_human_cell_is_as_typical_in_its_verdict_as_for_what_would_change_it():
    model = load_models().dann.predictor
    x, species = load_demo().of_species("human").matrix()[:5], ["human"] * 5
    z = (transform(x) - model.preprocessor.mean) / model.preprocessor.scale
    assert model.typicality_of(x, species) == pytest.approx(model.standardised_typicality(z, species), abs=1e-6)
    assert (model.typicality_of(x, species) >= model.human.typicality_of(x) - 1e-6).all()
