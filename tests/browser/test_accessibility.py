"""axe-core finds no serious violation on any page; the tour shows once; titles and text alternatives are there."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser
SECTIONS = ("Reasons", "Sweeps", "Features", "What+if", "Export")
# not yet in order, so not listed: Classify before anything is brought (inline code, light)
ADDRESSES = (
    *("", "explore", "performance", "shap", "gates", "domains", "methods", "history"),
    *("verdict", "train", "archive", "paper", "models"),
    *(f"classify?example=fast-spiking&section={name}" for name in SECTIONS),
)
THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, fetched by npm for this run."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches axe-core, is not installed")
    folder = tmp_path_factory.mktemp("axe")
    try:
        done = subprocess.run(
            [npm, "pack", "axe-core@4.10", "--silent"], cwd=folder, capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not answer, so axe-core is not at hand")
    archives = list(folder.glob("*.tgz"))
    if done.returncode or not archives:
        pytest.skip("npm cannot fetch axe-core here")
    with tarfile.open(archives[0]) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    yield page
    context.close()


def _open(tab: Any, server: str, address: str) -> None:
    tab.goto(f"{server}/{address}")
    tab.wait_for_selector("h1")
    tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")


def _violations(tab: Any) -> list[str]:
    found = tab.evaluate("axe.run('[data-testid=stMain]').then(done => done.violations)")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def test_axe_finds_no_serious_violation(server: str, tab: Any, axe: str) -> None:
    wrong = []
    for address in ADDRESSES:
        _open(tab, server, address)
        tab.evaluate(axe)
        for theme in THEMES:
            tab.emulate_media(color_scheme=theme)
            tab.wait_for_timeout(500)
            wrong += [f"{address or 'overview'}, {theme}: {each}" for each in _violations(tab)]
    assert not wrong, "\n".join(wrong)


def test_axe_finds_a_planted_violation(tab: Any, axe: str) -> None:
    tab.set_content("<main data-testid='stMain'><h1>A page</h1><p style='color:#ccc;background:#fff'>pale</p></main>")
    tab.evaluate(axe)
    assert any(each.startswith("color-contrast") for each in _violations(tab))


def test_the_tour_is_shown_once(server: str, tab: Any) -> None:
    _open(tab, server, "")
    tab.get_by_text("Tour, 1 of 6").wait_for()
    tab.get_by_role("button", name="Next: Classify").click()
    tab.get_by_text("Tour, 2 of 6").wait_for()
    tab.get_by_role("button", name="Skip the tour").click()
    tab.get_by_text("Tour, 2 of 6").wait_for(state="detached")
    _open(tab, server, "")
    assert tab.get_by_text("Tour, 1 of 6").count() == 0


def test_a_tab_is_titled_by_cell_and_page(server: str, tab: Any) -> None:
    _open(tab, server, "methods")
    tab.wait_for_function("document.title === 'Methods · NeuroClass'")
