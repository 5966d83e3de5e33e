"""Many cells at once: each gets the answer that it gets alone, and the models are asked for all of them together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from neuroclass.classification import classify, models
from neuroclass.classification.classify import CELLS, classify_blocks, classify_cells, reasons_for
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.classification.models import load_models
from neuroclass.classification.result import Answer, CellVerdict
from neuroclass.errors import RejectedInput, TableError
from neuroclass.features import FEATURE_NAMES, Stimulus
from neuroclass.predictors.feature_set import FeatureSetModel
from neuroclass.predictors.priors import parse_prior
from neuroclass.types.progress import Progress
from tests import shipped

SETS = (np.ones(41, dtype=bool), shipped.LONG_SQUARE, shipped.of_stimuli(Stimulus.NOISE, Stimulus.RAMP))
ROUNDING = 1e-6


def cells(n_cells: int) -> list[MeasuredCell]:
    """Cells of both species and of neither, with several sets of features; some are strangers, one has nothing."""
    found = []
    for species in ("mouse", "human", "unknown"):
        rows = shipped.in_stored_units(shipped.drawn("mouse" if species == "unknown" else species, 3)[0])
        for k, row in enumerate(rows[:: len(rows) // n_cells][:n_cells]):
            values = dict(zip(FEATURE_NAMES, row.tolist(), strict=True))
            if k % 5 == 4:
                values["vrest"] += 50
            known = (
                {} if k == 3 else {n: values[n] for n, there in zip(FEATURE_NAMES, SETS[k % 3], strict=True) if there}
            )
            missing = {name: "absent" for name in FEATURE_NAMES if name not in known}
            found.append(MeasuredCell("lab.csv", f"{species} {k}", species, known, missing))
    return found


def assert_same(found: object, expected: object, place: str = "") -> None:
    if isinstance(expected, float):
        assert found == pytest.approx(expected, abs=ROUNDING, rel=ROUNDING), place
    elif isinstance(expected, dict):
        assert isinstance(found, dict) and list(found) == list(expected), place
        for key, value in expected.items():
            assert_same(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert isinstance(found, list) and len(found) == len(expected), place
        for number, value in enumerate(expected):
            assert_same(found[number], value, f"{place}[{number}]")
    else:
        assert found == expected, place


@pytest.mark.parametrize("prior", ["", "Pvalb=0,Sst=2"])
def test_each_of_many_cells_gets_the_answer_that_it_gets_alone(prior: str) -> None:
    models, every = load_models(), cells(6)
    known = parse_prior([prior] if prior else [])
    together = classify_cells(every, models, reasons=False, prior=known)
    assert any(isinstance(one, CellVerdict) and "no class explains" in one.broad.abstain for one in together)
    for cell, found in zip(every, together, strict=True):
        (alone,) = classify_cells([cell], models, reasons=False, prior=known)
        assert_same(found.to_json(), alone.to_json(), cell.cell)


def test_reasons_that_are_asked_for_later_are_the_same() -> None:
    models, every = load_models(), cells(2)
    for at_once, without in zip(
        classify_cells(every, models), classify_cells(every, models, reasons=False), strict=True
    ):
        assert isinstance(without, CellVerdict)
        assert not without.broad.reasons
        assert_same(reasons_for(without, models).to_json(), at_once.to_json(), without.cell)


def test_reasons_that_are_there_are_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    models = load_models()
    (verdict,) = classify_cells(cells(1)[:1], models)
    assert isinstance(verdict, CellVerdict)
    monkeypatch.setattr("neuroclass.classification.classify.with_reasons", lambda *_: pytest.fail("computed again"))
    assert reasons_for(verdict, models) is verdict


def test_models_are_asked_for_all_cells_together(monkeypatch: pytest.MonkeyPatch) -> None:
    models = load_models()
    asked = 0
    judge = FeatureSetModel.judge

    def counted(model: FeatureSetModel, z: np.ndarray, species: Sequence[str]) -> object:
        nonlocal asked
        asked += 1
        return judge(model, z, species)

    monkeypatch.setattr(FeatureSetModel, "judge", counted)
    counts = []
    for n_cells in (12, 60):
        asked = 0
        classify_cells(cells(n_cells), models, reasons=False)
        counts.append(asked)
    assert counts[0] == counts[1]


def test_a_block_is_answered_before_later_cells_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroclass.classification.classify.BLOCK", 4)
    judged: list[int] = []
    judge = classify._classify_block

    def counting(block: Sequence[MeasuredCell | RejectedInput], *rest: Any) -> list[Answer]:
        judged.append(len(block))
        return judge(block, *rest)

    monkeypatch.setattr(classify, "_classify_block", counting)
    blocks = classify_blocks(cells(3), load_models(), reasons=False)
    assert len(next(blocks)) == 4 and judged == [4]
    assert [len(block) for block in blocks] == [4, 1]


def test_progress_counts_cells_and_rejected_ones_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroclass.classification.classify.BLOCK", 3)
    rejected = RejectedInput("lab.csv", TableError("no number"), "x")
    reports: list[Progress] = []
    every = [*(replace(cell, source="a.csv") for cell in cells(2)), rejected]
    answers = classify_cells(every, load_models(), reasons=False, progress=reports.append)
    assert answers[-1] is rejected
    assert [(one.stage, one.done, one.total) for one in reports] == [(CELLS, 3, 7), (CELLS, 6, 7), (CELLS, 7, 7)]


def test_models_answer_in_one_thread() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        models._loaded.cache_clear()
        load_models()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
