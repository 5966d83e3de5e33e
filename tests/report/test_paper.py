"""The reproduced paper: complete, resumable, self-contained, with one set of numbers in table, page and JSON."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuroclass.cli import main
from neuroclass.evaluation import lspin_selection
from neuroclass.evaluation.published import published_results
from neuroclass.features import FEATURE_NAMES
from neuroclass.report.paper import paper_page
from neuroclass.report.paper_format import (
    NOT_REPRODUCED,
    NOTHING,
    REPRODUCED,
    WITH_SELECTION,
    number,
    outcome,
)
from neuroclass.report.paper_sections import sections
from neuroclass.reports.paper import reproduce_paper
from neuroclass.reports.paper_course import LEFT, SHARE
from neuroclass.reports.paper_store import Reproduction, kept_folder, shipped_reproduction
from neuroclass.types.progress import Progress
from tests.report.packed import code_of, without_plotly
from tests.tiny_paper import N_TRIALS, tiny_paper
from tests.tiny_report import tiny_cohort

SECTIONS = ("table-1", "table-2", *(f"figure-{k}" for k in (2, 4, 5, 8, 9, 10)), "shap", "selection")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reproduction, list[Progress]]]:
    """A reproduction, with what was told of its progress."""
    with tiny_paper(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROCLASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        told: list[Progress] = []
        yield reproduce_paper(tiny_cohort(), 1, told.append), told


@pytest.fixture(scope="module")
def found(made) -> Reproduction:
    return made[0]


@pytest.fixture(scope="module")
def page(found) -> str:
    return paper_page(found)


def test_every_table_and_figure_has_its_section(found, page):
    assert tuple(one.key for one in sections(found)) == SECTIONS
    for one in sections(found):
        assert f'<h2 id="section-{one.key}">' in page
        assert one.why and one.finding
        assert all(len(table) for table in one.tables.values())
        assert one.key.startswith("table") or one.drawings
    assert page.count('class="plot"') == sum(len(one.drawings) for one in sections(found))


def test_no_two_elements_share_an_id(page):
    ids = re.findall(r'\bid="([^"]+)"', without_plotly(page))
    assert len(ids) == len(set(ids))


def test_the_page_needs_nothing_else(page):
    rest = without_plotly(page)
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', rest) == []
    assert "default-src 'none'" in rest
    assert code_of(page).count("plotly.js v") == 1 and "plotly.js v" not in rest


def test_simulated_cells_say_so_on_top(page):
    top = without_plotly(page).split("<h2")[0]
    assert "These cells are simulated" in top
    assert "published numbers are about other cells" in top


def test_published_numbers_are_those_of_the_paper_and_in_their_own_column(found):
    published = {one["model"]: one["metrics"] for one in published_results("lspin")}
    rows = {one["system"]: one for one in found.numbers["table2"]}
    assert rows["svc"]["published"]["accuracy"] == published["svc"]["accuracy"]["mean"]
    tables = next(one.tables for one in sections(found) if one.key == "table-2")
    assert tables["Accuracy"]["Published"].tolist() == ["91.6%", "82.4%", "83.7%", "85.0%", "not printed"]
    assert tables["Macro F1"]["Published"].tolist() == ["87.7%", "72.6%", "74.9%", "76.8%", "not printed"]
    for one in sections(found):
        if one.key.startswith("figure"):
            assert all("Published" not in table for table in one.tables.values())


def test_what_is_reproduced_follows_a_rule_with_a_tolerance():
    def row(published, unchosen, chosen):
        return {
            "published": {"accuracy": published} if published else None,
            "unchosen": {"accuracy": {"mean": unchosen}},
            "chosen": {"accuracy": {"mean": chosen}} if chosen else None,
        }

    assert outcome(row(0.9, 0.896, None)) == REPRODUCED
    assert outcome(row(0.9, 0.894, 0.896)) == WITH_SELECTION
    assert outcome(row(0.9, 0.894, 0.894)) == outcome(row(0.9, 0.894, None)) == NOT_REPRODUCED
    assert outcome(row(None, 0.99, None)) == NOTHING


def test_the_stored_reproduction_says_what_it_reached(page):
    said = {one.key: dict(one.outcomes) for one in sections(shipped_reproduction())}
    assert said["table-1"] == {"Mouse": WITH_SELECTION, "Human": NOT_REPRODUCED}
    assert said["table-2"]["LSPIN, the paper's recipe"] == NOT_REPRODUCED and said["table-2"]["SVC"] == REPRODUCED
    assert said["figure-4"] == {"": NOTHING} and said["selection"] == {}
    assert "Not reproduced" not in page.split("<h2")[2]  # simulated cells reproduce nothing


def test_the_figure_of_a_table_has_its_numbers_with_their_spread():
    (one,) = (one for one in sections(shipped_reproduction()) if one.key == "table-1")
    (drawing,) = one.drawings
    fig = drawing.draw()
    assert [trace.name for trace in fig.data] == ["Published", "Selected on the test cells (optimistic)",
                                                  "Without selection", "Donor-grouped"]  # fmt: skip
    published, _, without, grouped = fig.data
    assert sorted(published.x) == pytest.approx([95.0, 97.4])  # the paper's recipe alone is printed
    at = list(without.customdata[:, 0]).index("DANN, the paper's recipe, human")
    assert (without.x[at], without.error_x.array[at]) == pytest.approx((80.6, 6.0), abs=0.06)
    at = list(grouped.customdata[:, 0]).index("DANN, ours, human")
    ends = grouped.x[at] - grouped.error_x.arrayminus[at], grouped.x[at] + grouped.error_x.array[at]
    assert ends == pytest.approx((92.6, 97.6), abs=0.06)


def test_numbers_of_the_json_stand_in_the_page(found, page):
    encoded = re.search(r'download="neuroclass-paper.json" href="data:application/json;base64,([^"]+)"', page).group(1)
    told = json.loads(base64.b64decode(encoded))
    assert told == json.loads(json.dumps(dict(found.numbers)))
    rest = without_plotly(page)
    for row in (*told["table1"], *told["table2"]):
        assert number(row["honest"]["accuracy"]["mean"]) in rest
        assert number(row["unchosen"]["accuracy"]["mean"]).removesuffix("%") in rest
    for way in ("by_test", "by_validation"):
        assert number(told["selection"]["lspin"][way]["accuracy"]) in rest


def test_the_choice_on_the_test_cells_is_the_best_of_all_that_was_tried(found):
    trials = found.tables["lspin-trials"]
    numbers = found.numbers["selection"]["lspin"]
    assert numbers["by_test"]["accuracy"] == pytest.approx(trials["test"].max())
    best = trials.loc[trials["validation"].idxmax()]
    assert numbers["by_validation"]["accuracy"] == pytest.approx(best["test"])
    assert numbers["n_trials"] == trials["trial"].nunique() == N_TRIALS
    course = lspin_selection.course(trials)
    assert course["chosen"].is_monotonic_increasing
    assert course["chosen"].iloc[-1] == pytest.approx(trials["test"].max())
    first = trials[trials["trial"] == 1].iloc[0]
    assert (first["gating"], first["prediction"], first["gate_penalty"]) == ("50-50-50", "40-20", 0.01047)


def test_no_feature_of_a_cell_is_kept(found):
    features = tiny_cohort().frame.set_index("id")[list(FEATURE_NAMES)]
    for name, table in found.tables.items():
        if set(FEATURE_NAMES) & set(table.columns):
            assert name in ("gates", "shap")
            same = table.set_index("id")[list(FEATURE_NAMES)] == features.reindex(table["id"])
            assert not same.to_numpy()[:, [FEATURE_NAMES.index("tau"), FEATURE_NAMES.index("ri")]].any()


def test_progress_rises_to_the_whole_and_says_what_is_left(made):
    shares = [one.values[SHARE] for one in made[1]]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert made[1][-1].values[LEFT] == 0.0


def test_it_continues_where_it_was_cut_off(found, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a finished part is computed again")

    monkeypatch.setattr(lspin_selection, "fit_paper_net", refuse)
    (kept_folder(tiny_cohort()) / "numbers.json").unlink()
    again = reproduce_paper(tiny_cohort(), 1)
    assert json.dumps(again.numbers) == json.dumps(found.numbers)
    monkeypatch.undo()
    stored = Reproduction.read(kept_folder(tiny_cohort()))
    assert stored.numbers["table1"] == json.loads(json.dumps(found.numbers["table1"]))
    assert {name: len(table) for name, table in stored.tables.items()} == {
        name: len(table) for name, table in found.tables.items()
    }


def test_the_command_writes_the_page_and_prints_its_numbers(found, tmp_path: Path, capsys):
    assert main(["reproduce", "paper", "--out", str(tmp_path / "out"), "--jobs", "1", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(json.dumps(dict(found.numbers)))
    written = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert all(f'id="section-{key}"' in written for key in SECTIONS)
    assert "simulated cells of planted" in err
    assert main(["reproduce", "paper", "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    written = capsys.readouterr().out
    assert re.search(r"LSPIN, the paper's recipe \| Accuracy \| \d+ \| 91\.6%", written)
