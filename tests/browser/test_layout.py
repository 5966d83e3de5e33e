"""No page lays text on text or cuts it off, at three widths, and in both themes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.layout import SETTLED, faults

pytestmark = pytest.mark.browser
LOOKS = ((1440, "light"), (1440, "dark"), (1024, "light"), (390, "light"))  # a theme changes colours, no places
SETTLE_MS = 250
# not yet in order, so not listed: Train (axes of its search), Classify
ADDRESSES = (
    "",
    "explore",
    "explore?cell=simulated-human-inhibitory-062&without=8&panel=session",
    "explore?cell=simulated-mouse-pvalb-001&evidence=Counterfactual&panel=spike",
    "performance",
    "performance?view=Confusion+matrix",
    "shap",
    "shap?view=Cells",
    "shap?view=One+cell",
    "gates",
    "gates?view=Cells+and+gates",
    "gates?view=One+cell",
    "domains",
    "models",
    "history",
    "methods",
)
PLANTED = {
    "two texts in one place": "<p style='position:absolute;top:90px'>first</p>"
    "<p style='position:absolute;top:92px'>second</p>",
    "a text that is cut off": "<div style='width:30px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis'>"
    "13 of 41</div>",
    "a page wider than the window": "<div style='width:3000px'>wide</div>",
    "axis titles on one another": "<div class='js-plotly-plot'><svg class='main-svg' width='200' height='60'>"
    "<text x='10' y='20'>Sag (mV)</text><text x='14' y='22'>Time (s)</text></svg></div>",
    "a label that leaves its figure": "<div class='js-plotly-plot' style='width:80px'><svg class='main-svg' width='80' "
    "height='40' style='overflow:visible'><text x='50' y='20'>13 of 41 features</text></svg></div>",
}


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_fault_is_found(tab: Any, what: str) -> None:
    tab.set_content(
        f"<main data-testid='stMain' style='width:100%;overflow:auto'><h1>A page</h1>{PLANTED[what]}</main>"
    )
    assert len(faults(tab)) == 1


def test_a_page_in_order_has_no_fault(tab: Any) -> None:
    tab.set_content("<main data-testid='stMain'><h1>A page</h1><p>One <b>bold</b> line.</p><p>Another.</p></main>")
    assert faults(tab) == []


def test_no_page_lays_text_on_text_or_cuts_it_off(server: str, tab: Any) -> None:
    tab.set_default_timeout(120_000)
    wrong = []
    for address in ADDRESSES:
        tab.set_viewport_size({"width": LOOKS[0][0], "height": 900})
        tab.goto(f"{server}/{address}")
        tab.wait_for_selector("h1")
        tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")
        for width, theme in LOOKS:
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=theme)
            tab.wait_for_function(SETTLED)
            tab.wait_for_timeout(SETTLE_MS)
            wrong += [f"{address or 'overview'}, {width} px, {theme}: {fault}" for fault in faults(tab)]
    assert not wrong, "\n".join(wrong)
