"""What is written beside a model's predictions, and what of it a later report keeps."""

import json

import pandas as pd
import pytest

from neuroclass.evaluation import comparisons as systems
from neuroclass.evaluation import learning
from neuroclass.evaluation.evaluate import describe, run_trials
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import plan_protocol
from neuroclass.reports import comparisons
from neuroclass.training import registry
from tests.planted import planted_cohort

FILES = {"metrics.json", "rivals.parquet", "groups.json", "learning.json", "taxonomies.json", "taxonomies.parquet"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fast system in the place of LSPIN, one rival, few sizes."""
    lspin = registry.System("lspin", "", ("subclass",), registry._estimator("lda"))
    monkeypatch.setitem(registry.SYSTEMS, "lspin", lspin)
    monkeypatch.setattr(systems, "ABLATIONS", {"lspin": ()})
    monkeypatch.setattr(systems, "BASELINES", ("circular",))
    monkeypatch.setattr(learning, "SIZES", ())
    monkeypatch.setattr(learning, "BUDGETS", (3,))
    monkeypatch.setattr(learning, "DRAWS", 1)


def test_a_report_is_whole_and_a_later_one_keeps_the_rest(tmp_path, quick):
    plan = plan_protocol(Protocol.DONOR_CV, planted_cohort(150, human_share=0.0), "subclass", 1)
    predictions = run_trials("lspin", "subclass", plan, jobs=1)
    ours = [describe("lspin", "subclass", Protocol.DONOR_CV, plan, predictions)]
    told = []

    def write(baselines: bool) -> list[dict]:
        comparisons.write_comparisons(
            ours, plan, predictions, tmp_path, jobs=1, baselines=baselines, phase=lambda *done: told.append(done)
        )
        return json.loads((tmp_path / "metrics.json").read_text())

    first = write(baselines=True)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert [(row["model"], row["protocol"]) for row in first] == [
        ("lspin", "donor-cv"),
        ("circular", "donor-cv"),
        ("lspin", "paper-split"),
        ("circular", "paper-split"),
    ]
    assert len(pd.read_parquet(tmp_path / "rivals.parquet")) == 150
    assert {"groups", "learning curve", "taxonomies", "circular"} <= {what for what, _, _ in told}
    assert write(baselines=False) == first


def test_rivals_on_other_cells_are_not_kept(tmp_path, quick):
    plan = plan_protocol(Protocol.DONOR_CV, planted_cohort(150, human_share=0.0), "subclass", 1)
    results, _ = comparisons.evaluate_comparisons(
        "lspin", "subclass", plan, tmp_path, jobs=1, baselines=True, phase=lambda *_: None
    )
    (tmp_path / "metrics.json").write_text(json.dumps(list(results.values())))
    kept, table = comparisons.evaluate_comparisons(
        "lspin", "subclass", plan, tmp_path, jobs=1, baselines=False, phase=lambda *_: None
    )
    assert set(kept) == {"circular"} and len(table) == 150
    more = plan_protocol(Protocol.DONOR_CV, planted_cohort(160, human_share=0.0), "subclass", 1)
    kept, table = comparisons.evaluate_comparisons(
        "lspin", "subclass", more, tmp_path, jobs=1, baselines=False, phase=lambda *_: None
    )
    assert not kept and table.empty
