"""Kept results of an evaluation's parts: the same again, told apart by what they depend on, anew where damaged."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import delayed

from neuroclass.errors import ModelFileError
from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.evaluation.kept import keep_results, keepable, read_result, write_result
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import plan_protocol
from neuroclass.types.progress import ignore_progress
from tests.planted import planted_cohort


@keepable
@dataclass(frozen=True)
class Part:
    """A result with everything that one may hold."""

    table: pd.DataFrame
    array: np.ndarray
    parts: dict[str, pd.DataFrame]
    nothing: None = None
    number: float = 0.1


def _part() -> Part:
    table = pd.DataFrame({"id": ["a", None], "p": [0.1, np.nan], "n": [1, 2], "right": [True, False]}, index=[7, 3])
    return Part(table, np.arange(6, dtype=np.float32).reshape(2, 3), {"one": table, "two": table.iloc[:0]})


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    write_result(tmp_path / "a", _part())
    found, expected = read_result(tmp_path / "a"), _part()
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert found.array.dtype == np.float32 and np.array_equal(found.array, expected.array)
    assert found.parts.keys() == expected.parts.keys()
    for name in found.parts:
        pd.testing.assert_frame_equal(found.parts[name], expected.parts[name])
    assert (found.nothing, found.number) == (None, 0.1)


@pytest.mark.parametrize("damage", ["value.json", "0.parquet", "arrays.safetensors"])
def test_a_damaged_result_is_no_result(tmp_path: Path, damage: str) -> None:
    write_result(tmp_path / "a", _part())
    (tmp_path / "a" / damage).write_bytes(b"{")
    with pytest.raises(ModelFileError):
        read_result(tmp_path / "a")


CALLS: list[int] = []


def _sized(plan, trial, factor: float) -> pd.DataFrame:
    CALLS.append(trial.fold)
    return pd.DataFrame({"size": [len(trial.test) * factor]})


def _run(plan, factor: float = 1.0, stage: str = "trial") -> list[float]:
    calls = [delayed(_sized)(plan, trial, factor) for trial in plan.trials]
    return [float(one["size"].iloc[0]) for one in in_parallel(calls, 1, stage, ignore_progress)]


def test_parts_are_computed_once_and_told_apart_by_what_they_depend_on(tmp_path: Path) -> None:
    plan = plan_protocol(Protocol.DONOR_CV, planted_cohort(120), "subclass", 1)
    CALLS.clear()
    with keep_results(tmp_path / "parts"):
        first = _run(plan)
        assert _run(plan) == first and len(CALLS) == 5
        assert _run(plan, factor=2.0) == [2 * one for one in first]
        _run(plan, stage="another")
        _run(replace(plan, cohort=replace(plan.cohort, frame=plan.cohort.frame.assign(tau=1.0))))
        assert len(CALLS) == 20
        next((tmp_path / "parts").iterdir()).joinpath("value.json").write_text("cut o")
        assert _run(plan) == first and len(CALLS) <= 21
    assert _run(plan) == first and len(CALLS) >= 25
