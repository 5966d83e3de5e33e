"""What users do, step by step, in a browser: run by the tests and photographed for the documentation.

``python -m docs.scripts.stories FOLDER`` writes a picture of each step at 1440, 1024 and 390 px, light and dark.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neuroclass.cohort.demo import load_demo
from neuroclass.cohort.examples import example_recording
from neuroclass.config import PROJECT_DIR
from neuroclass.features import FEATURE_NAMES, FEATURES

WIDTHS, THEMES = (1440, 1024, 390), ("light", "dark")
HEIGHT = 1000
TIMEOUT_MS = 120_000
IDLE = "[data-test-script-state=notRunning]"
N_CELLS, OFFSET_MV = 60, 9.0
_PAUSE_MS = 400
_ATTEMPTS, _ATTEMPT_MS = 4, 25_000


@dataclass
class Stage:
    """Two browsers that share no cookie, the server's address, and a folder for files.

    Attributes
    ----------
    tab, colleague : Page
        The user's tab, and another person's in another browser.
    base : str
        Address of the server.
    folder : Path
        Where files to drop are written.
    shown : Page
        The tab that the last step was about.
    """

    tab: Any
    colleague: Any
    base: str
    folder: Path
    shown: Any = field(init=False)
    address: str = ""

    def __post_init__(self) -> None:
        self.shown = self.tab

    def open(self, tab: Any, address: str) -> None:
        """Open an address in a tab."""
        tab.goto(address)
        self.settle(tab)

    def settle(self, tab: Any) -> None:
        """Wait until the page's script has ended."""
        self.shown = tab
        tab.wait_for_timeout(_PAUSE_MS)
        tab.wait_for_selector(IDLE, state="attached")


Step = Callable[[Stage], None]


def _arrive(stage: Stage) -> None:
    stage.open(stage.tab, stage.base)
    stage.tab.get_by_text("Tour, 1 of 6").wait_for()
    stage.tab.locator(".st-key-figure-front-spike, .js-plotly-plot").first.wait_for()


def _try_example(stage: Stage) -> None:
    stage.tab.get_by_role("button", name="Skip the tour").click()
    stage.tab.get_by_role("button", name="A fast-spiking cell").click()
    stage.tab.get_by_role("heading", name="Pvalb, inhibitory").wait_for()
    stage.tab.locator(".st-key-verdict-sections").wait_for()
    stage.settle(stage.tab)


def _read_reasons(stage: Stage) -> None:
    stage.tab.locator(".st-key-verdict-sections").get_by_text("Reasons").first.click()
    reasons = stage.tab.get_by_text("What speaks for Pvalb").first
    reasons.wait_for()
    reasons.scroll_into_view_if_needed()
    stage.settle(stage.tab)


def _drop_own(stage: Stage) -> None:
    stage.open(stage.tab, stage.base)
    recording = shutil.copy(example_recording("pyramidal"), stage.folder / "my-cell.nwb")
    stage.tab.locator(".st-key-front-files input[type=file]").set_input_files(recording)
    stage.tab.get_by_role("heading", name="Glutamatergic, excitatory").wait_for()
    stage.tab.locator(".st-key-verdict-sections").wait_for()
    stage.settle(stage.tab)


def _make_link(stage: Stage) -> None:
    stage.open(stage.tab, f"{stage.base}/classify?example=fast-spiking&section=Export")
    stage.tab.get_by_role("button", name="Make a read-only link").click()
    code = stage.tab.locator("[data-testid=stCode]", has_text="verdict?link=")
    stage.address = code.inner_text().strip()
    code.scroll_into_view_if_needed()
    stage.settle(stage.tab)


def _colleague_looks(stage: Stage) -> None:
    stage.open(stage.colleague, stage.address)
    stage.colleague.get_by_role("heading", name="A colleague's verdict, read only").wait_for()
    stage.colleague.get_by_role("heading", name="Pvalb, inhibitory").wait_for()
    stage.settle(stage.colleague)


def _withdraw(stage: Stage) -> None:
    stage.tab.get_by_role("button", name="Withdraw the link").click()
    stage.tab.get_by_role("button", name="Make a read-only link").wait_for()
    stage.open(stage.colleague, stage.address)
    stage.colleague.get_by_text("was withdrawn").wait_for()


def laboratory_table(folder: Path) -> Path:
    """Write the features of simulated mouse cells as a rig with an uncorrected junction potential measures them.

    Without the f-I slope: simulated neurons hardly adapt, so that theirs is unlike that of real cells of their class.
    """
    frame = load_demo().of_species("mouse").frame.sample(N_CELLS, random_state=1)
    table = frame[["species", *FEATURE_NAMES]].drop(columns="f_i_curve_slope")
    for spec in FEATURES:
        if spec.unit == "mV":
            table[spec.name] += OFFSET_MV
    table.insert(0, "cell", [f"lab-{k + 1:02d}" for k in range(N_CELLS)])
    path = folder / "my-lab.csv"
    table.to_csv(path, index=False)
    return path


def _drop_batch(stage: Stage) -> None:
    stage.open(stage.tab, f"{stage.base}/classify")
    stage.tab.locator("input[type=file]").first.set_input_files(laboratory_table(stage.folder))
    stage.tab.get_by_text(f"1 of {N_CELLS}").wait_for()
    stage.settle(stage.tab)


def _step_on(stage: Stage) -> None:
    stage.tab.locator("h1").click()
    stage.tab.keyboard.press("n")
    stage.tab.get_by_text(f"2 of {N_CELLS}").wait_for()
    stage.settle(stage.tab)


def _compare_laboratory(stage: Stage) -> None:
    button = stage.tab.get_by_role("button", name="Compare with the reference")
    offset = stage.tab.get_by_text("Offset of this laboratory").first
    for _ in range(_ATTEMPTS):  # the step to the next cell may still redraw the page and shut what was opened
        if not button.is_visible():
            stage.tab.get_by_text("Adapt to my lab", exact=True).click()
        button.click()
        with suppress(Exception):
            offset.wait_for(timeout=_ATTEMPT_MS)
            break
    offset.wait_for()
    offset.scroll_into_view_if_needed()
    stage.settle(stage.tab)


def _filter(stage: Stage) -> None:
    stage.open(stage.tab, f"{stage.base}/explore")
    stage.tab.get_by_text("More filters: donor, line, area or any feature", exact=True).click()
    stage.tab.get_by_label("Query", exact=True).fill("sag > 0.2")
    stage.tab.keyboard.press("Enter")
    stage.tab.wait_for_url(lambda url: "query=" in url)
    stage.settle(stage.tab)


def _open_cell(stage: Stage) -> None:
    frame = load_demo().frame
    cell = str(frame.loc[(frame["sag"] > 0.2) & (frame["subclass"] == "Sst"), "id"].iloc[0])
    stage.open(stage.tab, f"{stage.base}/explore?cell={cell}")
    stage.tab.get_by_role("heading", name=f"Cell {cell}").wait_for()
    stage.settle(stage.tab)


def _find_spike(stage: Stage) -> None:
    link = stage.tab.locator(".st-key-fact-threshold_i_long_square button:visible").first
    number = link.inner_text().split()[-1]
    link.click()
    caption = stage.tab.locator(f"[data-testid=stCaptionContainer]:has-text('Sweep {number}, ')").first
    caption.wait_for()
    caption.scroll_into_view_if_needed()
    stage.settle(stage.tab)


STORIES: dict[str, tuple[tuple[str, Step], ...]] = {
    "first-visit": (
        ("arrive", _arrive),
        ("example", _try_example),
        ("reasons", _read_reasons),
        ("own", _drop_own),
    ),
    "colleague": (("link", _make_link), ("colleague", _colleague_looks), ("withdrawn", _withdraw)),
    "batch": (("dropped", _drop_batch), ("next", _step_on), ("laboratory", _compare_laboratory)),
    "one-cell": (("filter", _filter), ("cell", _open_cell), ("spike", _find_spike)),
}
"""Each story's steps by name: first visit to first verdict, a link to a colleague, a laboratory's batch, a spike."""


@contextmanager
def on_stage(browser: Any, base: str, width: int, theme: str) -> Iterator[Stage]:
    """Two new browsers of a width and a theme."""
    contexts = [browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=theme) for _ in range(2)]
    tabs = [context.new_page() for context in contexts]
    for tab in tabs:
        tab.set_default_timeout(TIMEOUT_MS)
    with tempfile.TemporaryDirectory() as folder:
        yield Stage(tabs[0], tabs[1], base, Path(folder))
    for context in contexts:
        context.close()


def photograph(browser: Any, base: str, folder: Path, widths: tuple[int, ...], themes: tuple[str, ...]) -> None:
    """Play every story and write a picture of each step.

    Raises
    ------
    SystemExit
        If a page shows an error.
    """
    for width in widths:
        for theme in themes:
            for story, steps in STORIES.items():
                with on_stage(browser, base, width, theme) as stage:
                    for number, (name, do) in enumerate(steps, start=1):
                        do(stage)
                        stage.shown.wait_for_timeout(2_000)
                        if stage.shown.locator("[data-testid=stException]").count():
                            raise SystemExit(f"{story}, {name}, {width} px, {theme}: the page shows an error.")
                        stage.shown.screenshot(path=folder / f"{story}-{number}-{name}-{width}-{theme}.png")


def main() -> None:
    """Write the pictures."""
    from benchmarks.browsing import serving
    from docs.scripts.make_screenshots import running_browser

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--widths", type=int, nargs="+", default=list(WIDTHS), help="px")
    parser.add_argument("--themes", nargs="+", choices=THEMES, default=list(THEMES))
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as cache,
        serving(PROJECT_DIR / "app.py", NEUROCLASS_CACHE=cache) as base,
        running_browser() as browser,
    ):
        photograph(browser, base, args.folder, tuple(args.widths), tuple(args.themes))


if __name__ == "__main__":
    main()
