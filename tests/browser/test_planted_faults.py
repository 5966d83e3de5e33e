"""What measures pages finds the faults that are planted, and none in a page in order."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.axe import violations
from tests.browser.layout import faults

pytestmark = pytest.mark.browser
PLANTED = {
    "two texts in one place": "<p style='position:absolute;top:90px'>first</p>"
    "<p style='position:absolute;top:92px'>second</p>",
    "a text that is cut off": "<div style='width:30px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis'>"
    "13 of 41</div>",
    "a page wider than the window": "<div style='width:3000px'>wide</div>",
    "axis titles on one another": "<div class='js-plotly-plot'><svg class='main-svg' width='200' height='60'>"
    "<text x='10' y='20'>Sag (mV)</text><text x='14' y='22'>Time (s)</text></svg></div>",
    "a button under the header": "<header data-testid='stHeader' style='position:fixed;top:0;left:600px;width:300px;"
    "height:60px;z-index:9'></header><button style='position:absolute;top:10px;left:700px'>Back</button>",
    "a label that leaves its figure": "<div class='js-plotly-plot' style='width:80px'><svg class='main-svg' width='80' "
    "height='40' style='overflow:visible'><text x='50' y='20'>13 of 41 features</text></svg></div>",
}


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def test_a_figure_that_is_scrolled_in_its_place_has_no_fault(tab: Any) -> None:
    plot = PLANTED["a label that leaves its figure"].replace("80px", "300px").replace("'80'", "'300'")
    tab.set_content(
        f"<main data-testid='stMain' style='overflow:auto'><div style='width:90px;overflow-x:auto'>{plot}</div></main>"
    )
    assert faults(tab) == []


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_fault_is_found(tab: Any, what: str) -> None:
    tab.set_content(
        f"<main data-testid='stMain' style='width:100%;overflow:auto'><h1>A page</h1>{PLANTED[what]}</main>"
    )
    assert len(faults(tab)) == 1


def test_a_page_in_order_has_no_fault(tab: Any) -> None:
    tab.set_content("<main data-testid='stMain'><h1>A page</h1><p>One <b>bold</b> line.</p><p>Another.</p></main>")
    assert faults(tab) == []


def test_axe_finds_a_planted_violation(tab: Any, axe: tuple[str, str]) -> None:
    script, missing = axe
    if missing:
        pytest.skip(missing)
    tab.set_content("<main data-testid='stMain'><h1>A page</h1><p style='color:#ccc;background:#fff'>pale</p></main>")
    assert any(each.startswith("color-contrast") for each in violations(tab, script))
