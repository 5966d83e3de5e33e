"""What is written beside a model's predictions, and what of it a later report keeps."""

import pytest

from neuroclass.evaluation import comparisons as systems
from neuroclass.evaluation import learning
from neuroclass.evaluation.comparisons import evaluate_comparisons, kept_comparisons
from neuroclass.evaluation.evaluate import describe, run_trials
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import plan_protocol
from neuroclass.reports.comparisons import write_comparisons
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.training import registry
from tests.planted import planted_cohort

FILES = {
    "metrics.json",
    "comparisons.parquet",
    "groups.json",
    "learning.json",
    "taxonomies.json",
    "taxonomies.parquet",
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fast system in the place of LSPIN, one other, few sizes."""
    lspin = registry.System("lspin", ("subclass",), registry._estimator("lda"))
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
    report = ReportStore("lspin", tmp_path)
    seen = []

    def write(baselines: bool) -> list[dict]:
        write_comparisons(report, ours, plan, predictions, jobs=1, baselines=baselines, progress=seen.append)
        return report.metrics()

    first = write(baselines=True)
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == FILES
    assert [(row["model"], row["protocol"]) for row in first] == [
        ("lspin", "donor-cv"),
        ("circular", "donor-cv"),
        ("lspin", "paper-split"),
        ("circular", "paper-split"),
    ]
    assert len(report.comparisons()) == 150
    assert {"groups", "learning curve", "taxonomies", "circular"} <= {one.stage for one in seen}
    assert write(baselines=False) == first


def test_comparisons_on_other_cells_are_not_kept(tmp_path, quick):
    plan = plan_protocol(Protocol.DONOR_CV, planted_cohort(150, human_share=0.0), "subclass", 1)
    report = ReportStore("lspin", tmp_path)
    nothing = kept_comparisons("lspin", plan, [], report.comparisons())
    assert not nothing.results and nothing.predictions.empty
    compared = evaluate_comparisons("lspin", "subclass", plan, nothing, jobs=1, baselines=True)
    report.write(Document.METRICS, list(compared.results.values()))
    report.write(Table.COMPARISONS, compared.predictions)
    kept = kept_comparisons("lspin", plan, report.metrics(), report.comparisons())
    again = evaluate_comparisons("lspin", "subclass", plan, kept, jobs=1, baselines=False)
    assert set(again.results) == {"circular"} and len(again.predictions) == 150
    more = plan_protocol(Protocol.DONOR_CV, planted_cohort(160, human_share=0.0), "subclass", 1)
    other = kept_comparisons("lspin", more, report.metrics(), report.comparisons())
    assert not other.results and other.predictions.empty
