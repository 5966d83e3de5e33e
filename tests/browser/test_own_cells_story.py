"""Another laboratory's labelled cells in a real browser: uploaded, trained with, and what that did for their donors."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.demo import load_demo
from neuroclass.config import data_folder
from neuroclass.features import FEATURE_NAMES
from tests.browser.conftest import serving
from tests.browser.test_models import settled, without_evaluation
from tests.browser.test_train_story import WAIT_MS, pictures
from tests.browser.visiting import Visitor

pytestmark = pytest.mark.browser
N_CELLS = 200


def of_another_laboratory() -> pd.DataFrame:
    """Mouse cells of visual cortex recorded elsewhere; where they are not here, demo cells on another rig."""
    folder = data_folder()
    path = folder / "outside" / "visp_mouse.csv" if folder else None
    if path is None or not path.is_file():
        return simulated()
    frame = pd.read_csv(path)
    donors = frame["donor"].drop_duplicates().sample(frac=1, random_state=0)
    chosen = frame.set_index("donor").loc[donors].reset_index().head(N_CELLS)
    return chosen.rename(columns={"truth": "label"})


def simulated() -> pd.DataFrame:
    """Demo cells on another rig."""
    frame = load_demo().frame
    cells = frame[frame["species"] == "mouse"].sample(N_CELLS, random_state=0, replace=True).reset_index(drop=True)
    moved = cells[["species", *FEATURE_NAMES]].assign(vrest=cells["vrest"] - 4, tau=1.3 * cells["tau"])
    rng = np.random.default_rng(0)
    return moved.assign(
        cell=[f"c{k}" for k in range(N_CELLS)],
        donor=[f"d{k}" for k in rng.integers(0, 20, N_CELLS)],
        label=cells["subclass"],
    )


def test_what_training_with_a_laboratorys_cells_does_for_its_donors(tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "laboratory.csv"
    of_another_laboratory().to_csv(path, index=False)
    with serving(tmp_path) as base:
        context = browser.new_context(viewport={"width": 1440, "height": 1400})
        visitor = Visitor(context.new_page(), base)
        page = visitor.tab
        page.set_default_timeout(WAIT_MS)
        visitor.open("train")
        page.locator(".st-key-train_cells").get_by_text("Both").click()
        page.locator(".st-key-train_own input[type=file]").set_input_files(str(path))
        page.get_by_text(re.compile(r"\d+ cells of \d+ donors in laboratory")).wait_for()
        page.get_by_text("Measure what my cells add").wait_for()
        settled(page)
        page.get_by_text("Terminal command", exact=True).click()
        page.get_by_text("Settings", exact=True).click()
        for label, value, shown in (
            ("Networks in the ensemble", "1", "n_members=1"),
            ("Training steps", "60", "steps=60"),
        ):
            field = page.get_by_role("spinbutton", name=label, exact=True)
            field.fill(value)
            field.press("Enter")
            page.get_by_text(shown).first.wait_for()
        without_evaluation(page)
        page.get_by_role("button", name="Start training").click()
        page.get_by_text("It is on the Models page too.").wait_for()
        page.get_by_text("Does training with my cells help on my donors?").last.wait_for()
        answer = r"(Yes|No, it makes .*|No detectable difference .*): accuracy [+−]?\d+\.\d percentage"
        page.get_by_text(re.compile(answer)).first.wait_for()
        page.get_by_text(re.compile(r"\d+ cells of \d+ donors of laboratory")).first.wait_for()
        pictures(page, "own-cells", 2600)
        visitor.check()
        context.close()
