"""Every page, each opened once: in order at three widths, in both themes, readable, sound, asking nothing outside."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from neuroclass.types.visitors import ADMINS_VARIABLE, EVERYONE
from tests.browser.axe import violations
from tests.browser.conftest import serving
from tests.browser.layout import faults, rest, wear
from tests.browser.visiting import Visitor
from tests.pages.test_train import finished

pytestmark = pytest.mark.browser
LOOKS = ((1440, "light"), (1440, "dark"), (1024, "light"), (390, "light"))  # a theme changes colours, no places
AXE_WIDTH = 1440
SETTLE_MS = 250
HUMAN = "explore?cell=simulated-human-inhibitory-062&without=8&panel=session"
MOUSE = "explore?cell=simulated-mouse-pvalb-001&evidence=Counterfactual&panel=spike"
CELL_PARTS = tuple(f"explore?cell=simulated-mouse-pvalb-001&part={part}" for part in ("Features", "Similar+cells"))
ADDRESSES = (
    "",
    "explore",
    HUMAN,
    MOUSE,
    *CELL_PARTS,
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
    "methods?part=features",
    "classify",
    "classify?example=fast-spiking",
    "verdict",
    "train",
    "archive",
    "paper",
    "admin",
)
SECTIONS = {
    "classify?example=fast-spiking": ("section", ("How sure", "Sweeps", "Features", "What if", "Export")),
    "paper": ("part", ("Table 1", "Table 2", *(f"Figure {k}" for k in (2, 4, 5, 8, 9, 10)), "SHAP")),
}
"""Of pages that show a section at a time: the key of its choice, and those after the first."""
LINKED = "classify?example=fast-spiking, Export"
"""Where a read-only link is made, which is opened in another browser."""
TITLES = {
    **dict.fromkeys(CELL_PARTS, "cell simulated-mouse-pvalb-001 · pvalb · mouse visp l5"),
    HUMAN: "cell simulated-human-inhibitory-062 · inhibitory · human mtg l2",
    MOUSE: "cell simulated-mouse-pvalb-001 · pvalb · mouse visp l5",
    "": "what is this neuron?",
    "paper": "reproduction of ophir et al. 2023",
    "shap": "shap: which features matter",
    "gates": "gates: the few features lspin uses",
    "domains": "domains: from mouse to human",
    "verdict": "a colleague's verdict, read only",
}
RUNS = ("20260101-000000-lspin-abcdef", "20260102-000000-dann-abcdef")
POLICY = "content-security-policy"
Findings = dict[str, list[str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which two models were trained and whose Admin page everybody sees."""
    folder = tmp_path_factory.mktemp("server")
    for run in RUNS:
        finished(folder / "cache", run)
    with serving(folder, **{ADMINS_VARIABLE: EVERYONE}) as base:
        yield base


def _window(browser: Any, base: str) -> Visitor:
    return Visitor(browser.new_context(viewport={"width": LOOKS[0][0], "height": 900}).new_page(), base)


def _arrive(visitor: Visitor, address: str, found: Findings) -> None:
    """Open an address as it is first seen, and note what its answer and its title lack."""
    wear(visitor.tab, *LOOKS[0])
    headers = visitor.open(address)
    path = address.split("?")[0]
    title = visitor.tab.locator("h1").inner_text().lower()
    if title != TITLES.get(address, TITLES.get(path, path)):
        found["opening"].append(f"{address}: titled {title}")
    if "frame-ancestors 'self'" not in headers.get(POLICY, "") or headers.get("x-content-type-options") != "nosniff":
        found["policy"].append(f"{address}: {headers}")


def _shown(visitor: Visitor, browser: Any, found: Findings) -> Iterator[tuple[str, Visitor]]:
    """Every page and section, one after the other in one tab; a read-only verdict in another browser."""
    for address in ADDRESSES:
        _arrive(visitor, address, found)
        yield address or "overview", visitor
        key, names = SECTIONS.get(address, ("", ()))
        for name in names:
            wear(visitor.tab, *LOOKS[0])
            visitor.tab.locator(f".st-key-{key}").get_by_text(name, exact=True).click()
            visitor.tab.mouse.move(0, 0)  # a button that is pointed at has other colours
            visitor.tab.wait_for_timeout(SETTLE_MS)
            visitor.still()
            shown = f"{address}, {name}"
            yield shown, visitor
            if shown == LINKED:
                wear(visitor.tab, *LOOKS[0])
                visitor.tab.get_by_role("button", name="Make a read-only link").click()
                link = visitor.tab.locator("[data-testid=stCode]", has_text="verdict?link=").inner_text().strip()
                colleague = _window(browser, visitor.base)
                _arrive(colleague, link.removeprefix(f"{visitor.base}/"), found)
                colleague.tab.locator(".st-key-first-screen").wait_for()
                colleague.still()
                yield "an opened read-only link", colleague
                colleague.tab.context.close()


def _look(name: str, visitor: Visitor, axe: str, found: Findings) -> None:
    """Note what is wrong with a page as it stands, at every width and in every theme."""
    tab = visitor.tab
    for width, theme in LOOKS:
        wear(tab, width, theme)
        rest(tab)
        look = f"{name}, {width} px, {theme}"
        found["layout"] += [f"{look}: {fault}" for fault in faults(tab)]
        if axe and width == AXE_WIDTH:
            found["axe"] += [f"{look}: {each}" for each in violations(tab, axe)]
        found["opening"] += [f"{look}: {each}" for each in visitor.wrong() if each not in visitor.against]
    found["policy"] += [f"{name}: {each}" for each in visitor.against]


@pytest.fixture(scope="module")
def found(server: str, browser: Any, axe: tuple[str, str]) -> Findings:
    """What is wrong with any page, by kind; each is opened once for all tests."""
    noted: Findings = defaultdict(list)
    visitor = _window(browser, server)
    for name, whose in _shown(visitor, browser, noted):
        _look(name, whose, axe[0], noted)
    visitor.tab.context.close()
    return noted


def test_every_page_opens_without_error_and_asks_nothing_of_the_outside(found: Findings) -> None:
    assert not found["opening"], "\n".join(found["opening"])


def test_every_page_lives_with_the_content_security_policy(found: Findings) -> None:
    assert not found["policy"], "\n".join(found["policy"])


def test_no_page_lays_text_on_text_or_cuts_it_off(found: Findings) -> None:
    assert not found["layout"], "\n".join(found["layout"])


def test_axe_finds_no_serious_violation(found: Findings, axe: tuple[str, str]) -> None:
    if not axe[0]:
        pytest.skip(axe[1])
    assert not found["axe"], "\n".join(found["axe"])
