"""No page lays text on text or cuts it off, at three widths, and in both themes."""

from collections.abc import Iterator
from typing import Any

import pytest

from neuroclass.types.visitors import ADMINS_VARIABLE, EVERYONE
from tests.browser.conftest import serving
from tests.browser.layout import SETTLED, faults
from tests.pages.test_train import finished

pytestmark = pytest.mark.browser
LOOKS = ((1440, "light"), (1440, "dark"), (1024, "light"), (390, "light"))  # a theme changes colours, no places
SETTLE_MS = 250
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
    "classify",
    "classify?example=fast-spiking",
    "verdict",
    "train",
    "archive",
    "paper",
    "admin",
)
SECTIONS = {
    "classify?example=fast-spiking": ("section", ("Sweeps", "Features", "What if", "Export")),
    "paper": ("part", ("Table 1", "Table 2", *(f"Figure {k}" for k in (2, 4, 5, 8, 9, 10)), "SHAP")),
}
"""Of pages that show a section at a time: the key of its choice, and those after the first."""
RUNS = ("20260101-000000-lspin-abcdef", "20260102-000000-dann-abcdef")
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which two models were trained and whose Admin page everybody sees."""
    folder = tmp_path_factory.mktemp("server")
    for run in RUNS:
        finished(folder / "cache", run)
    with serving(folder, **{ADMINS_VARIABLE: EVERYONE}) as base:
        yield base


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


def _shown(server: str, tab: Any) -> Iterator[str]:
    """Every page and section, one after the other in one tab."""
    for address in ADDRESSES:
        tab.set_viewport_size({"width": LOOKS[0][0], "height": 900})
        tab.goto(f"{server}/{address}")
        tab.wait_for_selector("h1")
        _still(tab)
        yield address or "overview"
        key, names = SECTIONS.get(address, ("", ()))
        for name in names:
            tab.set_viewport_size({"width": LOOKS[0][0], "height": 900})
            tab.locator(f".st-key-{key}").get_by_text(name, exact=True).click()
            tab.wait_for_timeout(SETTLE_MS)
            _still(tab)
            yield f"{address}, {name}"


def _still(tab: Any) -> None:
    tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")


def test_no_page_lays_text_on_text_or_cuts_it_off(server: str, tab: Any) -> None:
    tab.set_default_timeout(120_000)
    wrong = []
    for name in _shown(server, tab):
        for width, theme in LOOKS:
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=theme)
            tab.wait_for_function(SETTLED)
            tab.wait_for_timeout(SETTLE_MS)
            wrong += [f"{name}, {width} px, {theme}: {fault}" for fault in faults(tab)]
    assert not wrong, "\n".join(wrong)
