"""The Paper page: the stored reproduction part by part, and one of the loaded cells on request."""

from collections.abc import Callable, Sequence

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.cohort.demo import load_demo
from neuroclass.report.paper_sections import sections
from neuroclass.reports.paper_store import Reproduction, kept_folder, shipped_reproduction
from neuroclass.training.model_jobs import ModelJobs
from neuroclass.ui.paper.paper import LOADED, NAMES, label_of
from neuroclass.ui.text import escaped

Open = Callable[..., AppTest]
PARTS = ("table-1", "table-2", *(f"figure-{k}" for k in (2, 4, 5, 8, 9, 10)), "shap", "selection")


@pytest.fixture(scope="module")
def stored() -> Reproduction:
    return shipped_reproduction()


def texts(app: AppTest) -> str:
    return "\n".join(str(one.value) for kind in (app.caption, app.info, app.warning, app.markdown) for one in kind)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_shown_with_its_table_and_why(open_page: Open, stored: Reproduction, part: str) -> None:
    (section,) = (one for one in sections(stored) if one.key == part)
    app = open_page("paper", part=label_of(section))
    assert not app.exception
    assert app.subheader[0].value == section.title
    first = next(iter(section.tables.values()))
    assert app.table[0].value.to_numpy().tolist() == first.to_numpy().tolist()
    assert f"**{section.heading}**" in texts(app) and f"**{escaped(section.finding, 600)}**" in texts(app)
    assert len(app.get("plotly_chart")) == len(section.drawings)


def test_the_summary_has_a_line_a_part_with_what_was_reproduced(open_page: Open, stored: Reproduction) -> None:
    app = open_page("paper")
    assert not app.exception
    table = app.table[0].value
    assert len(table) == len(PARTS)
    by = {name.strip("*").replace("\\", ""): row for name, row in table.iterrows()}
    said = by["Table 1"]["Reproduced?"]
    assert "Mouse: :orange-badge" in said and "Human: :red-badge" in said and "Not reproduced" in said
    assert "Reproduced of" in texts(app) and by["Figure 4"]["Reproduced?"] == "–"
    assert "80.6%" in by["Table 1"]["Finding"].replace("\\", "")
    assert by["Test-set selection"]["Reproduced?"] == "–"


def test_accuracy_and_macro_f1_are_tables_of_their_own(open_page: Open, stored: Reproduction) -> None:
    (section,) = (one for one in sections(stored) if one.key == "table-2")
    app = open_page("paper", part="Table 2", metric="Macro F1")
    shown = app.table[0].value
    assert shown["Published"].tolist() == ["87.7%", "72.6%", "74.9%", "76.8%", "not printed"]
    assert shown["Published"].tolist() == section.tables["Macro F1"]["Published"].tolist()


def test_every_mouse_cell_of_table_1_is_accounted_for(stored: Reproduction) -> None:
    (section,) = (one for one in sections(stored) if one.key == "table-1")
    for words in ("655 train", "166 stop", "279 test", "other 324", "282 go", "42 lack", "last 60 test", "other 239"):
        assert words in section.shows
    assert 655 + 166 + 279 + 282 + 42 == 1424 and 60 + 239 == 299


def test_the_stored_one_is_of_recorded_cells_and_the_loaded_ones_are_offered(open_page: Open) -> None:
    app = open_page("paper")
    assert "These cells are simulated" not in texts(app)
    assert "1,424 mouse and 299 human cells" in texts(app)
    assert "337 simulated cells" in texts(app)
    assert [button.label for button in app.button if button.label == "Reproduce"]


def test_reproducing_queues_the_command(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Sequence[str], str]] = []

    def queue(self: ModelJobs, arguments: Sequence[str], about: str, owner: str = "", command: str = "models") -> str:
        asked.append((arguments, command))
        return ""

    monkeypatch.setattr(ModelJobs, "queue", queue)
    app = open_page("paper")
    next(button for button in app.button if button.label == "Reproduce").click().run()
    ((arguments, command),) = asked
    assert (command, arguments[0]) == ("reproduce", "paper")
    assert str(kept_folder(load_demo())) in arguments


def test_one_of_simulated_cells_says_so(open_page: Open, stored: Reproduction) -> None:
    open_page("paper")  # sets the cache folder
    cells = {**stored.numbers["cells"], "simulated": True}
    Reproduction({**stored.numbers, "cells": cells}, stored.tables).write(kept_folder(load_demo()))
    app = open_page("paper", cells=NAMES[LOADED])
    assert not app.exception
    assert "These cells are simulated" in texts(app)
    assert not [button for button in app.button if button.label == "Reproduce"]
