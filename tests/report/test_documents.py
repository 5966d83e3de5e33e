"""Reports: complete, self-contained, harmless, and with the numbers of `classify --json`."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from neuroclass.classification.classify import classify_input
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.models import Models, load_models
from neuroclass.classification.stress import OFFSET, StressResult
from neuroclass.cli import main
from neuroclass.cohort.demo import load_demo
from neuroclass.errors import RecordingError, RejectedInput
from neuroclass.features import FEATURE_NAMES
from neuroclass.report.content import ReportCell, gather
from neuroclass.report.html import html_report
from neuroclass.report.methods import methods_paragraph
from neuroclass.report.pdf import pdf_report
from neuroclass.report.tables import feature_table
from tests.report.packed import code_of, without_plotly

HOSTILE = '<script>alert(1)</script><img src="http://x.example/a">$x_$'


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def cell(models: Models) -> ReportCell:
    row = load_demo().frame.iloc[[0]].assign(cell=HOSTILE)[["cell", "species", *FEATURE_NAMES]]
    (verdict,) = classify_input(CellInput.single(f"{HOSTILE}.csv", row.to_csv(index=False).encode()))
    p = {"dann": dict(verdict.broad.probabilities), "lspin": dict(verdict.subclass.probabilities)}
    flipped = {name: dict(zip(values, reversed(values.values()), strict=True)) for name, values in p.items()}
    stress = (StressResult("as recorded", 0.0, "as recorded", 41, p), StressResult(OFFSET, 15.0, "+15 mV", 41, flipped))
    return gather(verdict, None, models, (load_demo(),), "python -m neuroclass classify x.csv", stress)


@pytest.fixture(scope="module")
def page(cell: ReportCell, models: Models) -> str:
    return html_report([cell, RejectedInput(HOSTILE, RecordingError(f"{HOSTILE} is not a recording"))], models)


def test_names_from_files_are_text_and_nothing_else(page):
    rest = without_plotly(page)
    assert "&lt;script&gt;alert(1)" in rest
    assert "<script>alert(1)" not in rest
    assert "<img" not in rest.lower()


def test_nothing_is_fetched(page):
    rest = without_plotly(page)
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', rest) == []
    assert "default-src 'none'" in rest
    assert code_of(page).count("plotly.js v") == 1 and "plotly.js v" not in rest


def test_the_json_inside_is_what_the_command_line_prints(page, cell):
    encoded = re.search(r'download="neuroclass-verdicts.json" href="data:application/json;base64,([^"]+)"', page).group(
        1
    )
    told = json.loads(base64.b64decode(encoded))
    assert told[0] == json.loads(json.dumps(cell.verdict.to_json()))
    assert told[1]["error"]["type"] == "RecordingError"


def test_the_page_says_what_a_reader_needs(page, cell, models):
    for text in ("Quality and typicality", "Recording stress test", "flips in 1 of 1: +15 mV", "Everything measured"):
        assert text in page
    assert models.lspin.predictor.card["weights_sha256"] in page
    assert "Nearest reference cells: " in page and "simulated cell" in page
    assert cell.command in page
    assert cell.evidence["subclass"].change is not None and "The smallest change found" in page


def test_the_methods_paragraph_has_versions_hashes_and_conditions(cell, models):
    text = methods_paragraph(cell.verdict, models)
    assert cell.verdict.fingerprint[:16] in text
    library = models.dann.predictor.models
    card = json.loads((library.folder / "1ffffffffff.json").read_text())
    assert card["sha256"][:16] in text and card["training"] in text and card["source"] in text
    assert "exactly these features" in text
    assert "41 of the 41" in text and "torch" in text
    assert "Recording conditions were not given" in text


def test_sweeps_that_were_left_out_are_named(cell, models):
    verdict = replace(cell.verdict, without_sweeps=(3, 7, 8, 9), sweeps=({"number": 1},))
    assert "(sweeps 3 and 7 to 9 left out by hand)" in methods_paragraph(verdict, models)
    assert "left out by hand" not in methods_paragraph(cell.verdict, models)
    assert set(feature_table(verdict)["without sweeps"]) == {"3 and 7 to 9"}
    assert "without sweeps" not in feature_table(cell.verdict)
    page = html_report([replace(cell, verdict=verdict)], models)
    assert "Without sweeps 3 and 7 to 9." in page and "Without sweeps" not in html_report([cell], models)


def test_the_methods_paragraph_says_how_this_cell_was_judged(cell, models):
    verdict = cell.verdict
    text = methods_paragraph(verdict, models)
    assert f"here {verdict.likeness['probability']:.2f}, weights the in-database model" in text
    assert f"{verdict.broad.expected['accuracy']:.3f} (DANN)" in text
    missing = set(list(verdict.features)[:2])
    fewer = {name: value for name, value in verdict.features.items() if name not in missing}
    text = methods_paragraph(replace(verdict, features=fewer, missing=dict.fromkeys(missing, "")), models)
    assert "41 features, of which the 2 not measured were set to their expectation" in text
    texts = {one: methods_paragraph(replace(verdict, species=one), models) for one in ("mouse", "human", "unknown")}
    assert "Glutamatergic by LSPIN were averaged" in texts["mouse"] and "by LSPIN were" not in texts["human"]
    assert models.human.predictor.card["weights_sha256"][:16] in texts["human"]
    assert "species is unknown" in texts["unknown"]
    assert "analogy" in methods_paragraph(replace(verdict, species="human"), replace(models, human=None))
    none = methods_paragraph(replace(verdict, features={}, missing=dict.fromkeys(FEATURE_NAMES, "")), models)
    assert "0 of the 41" in none and "proportions of the training cells" in none


def test_a_network_alone_is_described_as_such(cell, models):
    alone = Models(*(replace(one, predictor=one.network) for one in (models.dann, models.lspin)))
    text = methods_paragraph(cell.verdict, alone)
    assert models.dann.network.card["weights_sha256"][:16] in text
    assert "Missing features were replaced" in text and "in-database model" not in text


def test_the_pdf_is_one_and_survives_hostile_names(cell, models):
    content = pdf_report([cell, RejectedInput(HOSTILE, RecordingError("no $\\frac{"))], models)
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page ") + content.count(b"/Type /Page\n") >= 3
    assert b"/JavaScript" not in content and b"/URI" not in content


def test_the_command_line_writes_both_beside_the_same_numbers(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    table = tmp_path / "cells.csv"
    row = load_demo().frame.iloc[[0]].rename(columns={"id": "cell"})[["cell", "species", *FEATURE_NAMES]]
    table.write_bytes(row.to_csv(index=False).encode())
    html, pdf = tmp_path / "out.html", tmp_path / "out.pdf"
    words = ["classify", str(table), "--temperature", "30", "--json"]
    assert main([*words, "--report", str(html), "--pdf", str(pdf)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == printed
    assert "--temperature 30.0" in html.read_text(encoding="utf-8")
    assert pdf.read_bytes().startswith(b"%PDF-")


def test_a_report_into_nowhere_is_refused_before_the_work(tmp_path: Path, capsys):
    assert main(["classify", "x.csv", "--report", str(tmp_path / "no" / "out.html")]) == 2
    assert "is not a folder" in capsys.readouterr().err
