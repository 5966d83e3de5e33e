"""A report has one writer and one reader: whole files, and errors that say what to do."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.errors import ModelFileError
from neuroclass.io import atomic
from neuroclass.reports.store import Document, ReportStore, Table, report_of
from neuroclass.types.models import MODELS

ROWS = [{"model": "lspin", "protocol": "donor-cv", "n_cells": 3}]


@pytest.fixture
def report(tmp_path):
    return ReportStore("lspin", tmp_path)


def test_what_was_written_is_read(report):
    table = pd.DataFrame({"id": ["1", "2"], "p_Sst": [0.25, 0.75]})
    assert not report.has(Table.PREDICTIONS) and not report.has(Document.METRICS)
    report.write(Table.PREDICTIONS, table)
    report.write(Document.METRICS, ROWS)
    assert report.has(Table.PREDICTIONS) and report.has(Document.METRICS)
    pd.testing.assert_frame_equal(report.predictions(), table)
    assert report.metrics() == ROWS


def test_ids_are_text_and_absent_parts_have_an_answer(report):
    report.write(Table.GATES, pd.DataFrame({"id": [485909730]}))
    assert report.table(Table.GATES)["id"].tolist() == ["485909730"]
    assert report.feature_subsets() is None
    assert report.comparisons().empty


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2", b'"text"'])
def test_a_damaged_or_foreign_document_says_what_to_do(report, content):
    path = report.folder / "evaluation" / "groups.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"groups\.json .* neuroclass train lspin"):
        report.groups()
    (path.parent / "gates.parquet").write_bytes(content)
    with pytest.raises(ModelFileError, match="gates"):
        report.table(Table.GATES)


def test_a_writer_that_dies_leaves_the_old_content(report, monkeypatch):
    report.write(Document.METRICS, ROWS)

    def full(self, content):
        with open(self, "wb") as file:  # noqa: PTH123 (Path.write_bytes is what is replaced)
            file.write(content[: len(content) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(atomic.Path, "write_bytes", full)
    with pytest.raises(OSError, match="space"):
        report.write(Document.METRICS, ROWS * 100)
    monkeypatch.undo()
    assert report.metrics() == ROWS
    assert [path.name for path in (report.folder / "evaluation").iterdir()] == ["metrics.json"]


@pytest.mark.parametrize("name", list(MODELS))
def test_the_shipped_reports_are_whole(name):
    report = report_of(name)
    missing = {table for table in Table if not report.has(table)} | {one for one in Document if not report.has(one)}
    networks = {"dann": {Table.GATES, Table.GATE_ABLATION, Table.DELETION}}
    networks["lspin"] = {Table.EMBEDDING, Table.DOMAINS, Table.DOMAIN_FEATURES, Table.MATCHES}
    assert missing == networks[name] | {Document.MATCH_LABELS}
    known = {path.name for path in (report.folder / "evaluation").iterdir()}
    assert known <= {part.file for part in (*Table, *Document)}
    assert {row["model"] for row in report.metrics()} > {name}
    assert report.published() and report.laboratories() and report.learning()["cells"]


@pytest.mark.parametrize("name", list(MODELS))
def test_card_and_predictions_give_one_calibration_error(name):
    from neuroclass.evaluation.metrics import expected_calibration_error

    report = report_of(name)
    error = expected_calibration_error(report.predictions(), MODELS[name].classes)
    assert error == pytest.approx(report.card()["metrics"]["calibration_error"], abs=1e-5)
    assert round(error, 3) == {"dann": 0.007, "lspin": 0.018}[name]
    assert np.isclose(error, report.metrics()[0]["calibration_error"], atol=1e-5)
