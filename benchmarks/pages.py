"""How long a visitor waits, in Chromium: ``make bench-pages``, or ``python -m benchmarks.pages``.

Waits are wall-clock times in the browser, medians; beside each stands its ratio to the same wait on an empty Streamlit
page of the same run, which is what the machine and the framework cost. Cells are those of the simulated cohort,
10,000 of them drawn with replacement and jittered.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.browsing import ALL_DRAWN, REPEATS, TIMEOUT_MS, drawn, first_paint, idle, serving, waits
from neuroclass.cell_types import PUBLISHED_NAMES
from neuroclass.cohort.demo import load_demo
from neuroclass.config import PROJECT_DIR
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.tables import HUMAN_FILE, MOUSE_FILE

N_CELLS = 10_000
PASSING, CHOSEN = ".st-key-passing p", ".st-key-chosen p"
CELL = "simulated-mouse-sst-012"
IN_SESSION = {"Overview": "What is", "SHAP": "SHAP", "Gates": "Gates", "Domains": "Domains", "Explore": "Explore"}
"""Pages and how their titles begin; the last is where a cell is opened."""
EMPTY = """import streamlit as st
st.title("Empty")
if st.button("Count"):
    st.text("counted")
"""
ONE_FIGURE = """import plotly.graph_objects as go, streamlit as st
st.title("One figure")
st.plotly_chart(go.Figure(go.Scatter(x=[0, 1], y=[0, 1])))
"""
TRACES = """import numpy as np, plotly.graph_objects as go, streamlit as st
from neuroclass.charts import traces
st.title("Traces")
if st.button("Draw"):
    noise = np.random.default_rng(0).normal(-65, 1, (10, 150_000))
    st.plotly_chart(traces.sweeps([traces.Trace(str(k), v, v, 50_000.0, 10.0 * k) for k, v in enumerate(noise)]))
"""


def write_cells(folder: Path, n_cells: int = N_CELLS) -> None:
    """Write published-style tables of `n_cells` made-up cells."""
    rng = np.random.default_rng(0)
    frame = load_demo().frame
    rows = frame.iloc[rng.integers(0, len(frame), n_cells)].reset_index(drop=True)
    features = rows[list(FEATURE_NAMES)]
    rows[list(FEATURE_NAMES)] = features + 0.05 * features.std().to_numpy() * rng.standard_normal(features.shape)
    published = {subclass.value: name for name, subclass in PUBLISHED_NAMES.items()}
    rows = rows.assign(
        file_name=[f"{500_000_000 + k}_made_up" for k in range(n_cells)],
        transgenic_line=rows["subclass"].map(published),
        layer="L" + rows["layer"].astype(str),
    )
    columns = ["file_name", "transgenic_line", "dendrite_type", "layer", *FEATURE_NAMES]
    for species, name in (("mouse", MOUSE_FILE), ("human", HUMAN_FILE)):
        pd.DataFrame(rows.loc[rows["species"] == species, columns]).to_csv(folder / name, index=False)


def empty_page(browser: Any, folder: Path) -> dict[str, float]:
    """The reference: first text and one interaction of an empty page, and a figure of two points on one."""
    script = folder / "empty.py"
    script.write_text(EMPTY, encoding="utf-8")
    with serving(script) as base:
        paint = waits(lambda _: first_paint(browser, base), 5)
        tab = browser.new_page()
        tab.set_default_timeout(TIMEOUT_MS)
        tab.goto(base)
        idle(tab)

        clicks = []
        for _ in range(REPEATS):
            tab.reload()
            tab.wait_for_selector("h1")
            idle(tab)
            started = time.perf_counter()
            tab.get_by_role("button", name="Count").click()
            tab.get_by_text("counted").wait_for()
            clicks.append(time.perf_counter() - started)
        tab.close()
    figure = folder / "figure.py"
    figure.write_text(ONE_FIGURE, encoding="utf-8")
    with serving(figure) as base:
        shown = waits(lambda _: drawn(browser, base), 5)
    return {"first paint": paint, "first figure": shown, "interaction": statistics.median(clicks)}


def demo_pages(browser: Any, cache: Path) -> dict[str, float]:
    """First paint and page switches on the demo cohort."""
    pages = ("Explore", "Performance", "SHAP", "Gates", "Domains", "Classify", "Methods", "Overview")
    with serving(PROJECT_DIR / "app.py", NEUROCLASS_CACHE=str(cache)) as base:
        first_paint(browser, f"{base}/explore")
        time.sleep(15)  # the server imports in the background what is slow
        paint = {p: waits(lambda _, p=p: first_paint(browser, f"{base}/{p}"), 3) for p in ("explore", "performance")}
        tab = browser.new_page(viewport={"width": 1440, "height": 900})
        tab.set_default_timeout(TIMEOUT_MS)
        tab.goto(base)
        idle(tab)
        switches = []
        for _ in range(2):
            for page in pages:
                started = time.perf_counter()
                tab.locator("[data-testid=stSidebarNavLink]", has_text=page).click()
                tab.locator("h1", has_text=page).wait_for()
                switches.append(time.perf_counter() - started)
                idle(tab)
        tab.close()
    return {"first paint": max(paint.values()), "page switch": statistics.median(switches[len(pages) :])}


def whole_pages(browser: Any, cache: Path) -> dict[str, float]:
    """Pages with their first figure, by a fresh visitor of a warm server; the front page on a fresh server."""
    addresses = {
        "Overview": "",
        "SHAP": "shap",
        "Gates": "gates?view=Cells+and+gates",
        "Domains": "domains",
        "a cell": f"explore?cell={CELL}",
    }
    with serving(PROJECT_DIR / "app.py", NEUROCLASS_CACHE=str(cache / "fresh")) as base:
        started = time.perf_counter()
        first_paint(browser, base)
        found = {"Overview, first paint on a fresh server": time.perf_counter() - started}
        time.sleep(15)
        for name, address in addresses.items():
            found[f"{name}, drawn"] = waits(lambda _, a=address: drawn(browser, f"{base}/{a}"), 3)
        found |= opened(browser, base)
    return found


def opened(browser: Any, base: str) -> dict[str, float]:
    """Pages opened by someone who is on the dashboard, from the click to the last figure drawn."""
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.set_default_timeout(TIMEOUT_MS)
    tab.goto(base)
    tab.wait_for_selector("h1")
    tab.wait_for_function(ALL_DRAWN)
    tab.get_by_role("button", name="Skip the tour").click()
    times: dict[str, list[float]] = {}
    for _ in range(4):
        for page, title in IN_SESSION.items():
            started = time.perf_counter()
            tab.locator("[data-testid=stSidebarNavLink]", has_text=page).click()
            tab.locator("h1", has_text=title).wait_for()
            tab.wait_for_function(ALL_DRAWN)
            times.setdefault(f"{page}, opened", []).append(time.perf_counter() - started)
        chooser = tab.get_by_role("combobox", name="Open a cell")
        chooser.click()
        chooser.fill(CELL)
        started = time.perf_counter()
        tab.keyboard.press("Enter")
        tab.locator("h1", has_text=CELL).wait_for()
        tab.wait_for_function(ALL_DRAWN)
        times.setdefault("a cell, opened", []).append(time.perf_counter() - started)
        tab.get_by_role("button", name="Back to all cells").click()
        tab.locator("h1", has_text="Explore").wait_for()
        tab.wait_for_function(ALL_DRAWN)
    tab.close()
    return {name: statistics.median(each[1:]) for name, each in times.items()}


def report() -> dict[str, float]:
    """A report of a classified recording in HTML: time, and size in MB."""
    import neuroclass as nc

    with tempfile.TemporaryDirectory() as folder:
        verdict = nc.classify([nc.example_recording("fast-spiking", folder=folder)], species="mouse")[0]
        target = Path(folder) / "report.html"
        seconds = waits(lambda _: verdict.report(target), 3)
        return {"report": seconds, "report size, MB": target.stat().st_size / 1e6}


def many_cells(browser: Any, folder: Path, cache: Path) -> dict[str, float]:
    """Interactions with 10,000 cells: a filter, a selection in the scatter, a tick in the table."""
    write_cells(folder)
    with serving(PROJECT_DIR / "app.py", NEUROCLASS_DATA=str(folder), NEUROCLASS_CACHE=str(cache)) as base:
        tab = browser.new_page(viewport={"width": 1440, "height": 1500})
        tab.set_default_timeout(TIMEOUT_MS)
        tab.goto(f"{base}/explore")
        tab.get_by_text(f"All {N_CELLS:,} cells pass the filters").wait_for()
        time.sleep(15)
        idle(tab)
        tab.get_by_text("Filter by species, class, layer, donor or any feature", exact=True).click()
        query = tab.get_by_label("Query", exact=True)
        counted = tab.locator(PASSING)

        def ask(k: int) -> None:
            before = counted.inner_text()
            query.fill(f"sag > 0.{10 + k}")
            tab.keyboard.press("Enter")
            changed(tab, PASSING, before)

        filtered = []
        for k in range(REPEATS):
            started = time.perf_counter()
            ask(k)
            filtered.append(time.perf_counter() - started)
            idle(tab)
        query.fill("")
        tab.keyboard.press("Enter")
        tab.get_by_text(f"{N_CELLS:,} of {N_CELLS:,} cells").wait_for()
        idle(tab)
        time.sleep(2)
        boxed = [box(tab, 60 + 25 * k) for k in range(REPEATS)]
        tab.close()
    return {"filter": statistics.median(filtered), "box selection": statistics.median(boxed)}


def changed(tab: Any, selector: str, before: str) -> None:
    """Wait until an element's text is another one."""
    look = "([selector, before]) => (document.querySelector(selector)?.innerText ?? before) !== before"
    tab.wait_for_function(look, arg=[selector, before])


def box(tab: Any, size: int) -> float:
    """Select points with a box; seconds from letting go to the table's new count."""
    before = tab.locator(CHOSEN).first.inner_text()
    area = tab.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    x, y = area["x"] + area["width"] * 0.2, area["y"] + area["height"] * 0.5
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + size, y + size, steps=4)
    tab.mouse.move(x + size + 5, y + size + 5)
    started = time.perf_counter()
    tab.mouse.up()
    changed(tab, CHOSEN, before)
    seconds = time.perf_counter() - started
    idle(tab)
    time.sleep(0.5)
    return seconds


def overlaid(browser: Any, folder: Path) -> dict[str, float]:
    """Ten sweeps of 150,000 points each, from the click to the drawn lines."""
    script = folder / "traces.py"
    script.write_text(TRACES, encoding="utf-8")
    with serving(script) as base:
        tab = browser.new_page()
        tab.set_default_timeout(TIMEOUT_MS)
        seconds = []
        for _ in range(REPEATS):
            tab.goto(base)
            tab.wait_for_selector("h1")
            idle(tab)
            started = time.perf_counter()
            tab.get_by_role("button", name="Draw").click()
            tab.wait_for_function("() => document.querySelectorAll('.scatterlayer .trace').length >= 20")
            seconds.append(time.perf_counter() - started)
        tab.close()
    return {"ten sweeps of 150,000 points": statistics.median(seconds[1:])}


def main() -> None:
    """Print every wait with its aim and its ratio to the empty page's."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("demo", "cells", "sweeps", "whole", "report"), help="measure one part only")
    only = parser.parse_args().only
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("There is no chromium on the path (apt-get install chromium).")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        (folder / "cells").mkdir()
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        load = os.getloadavg()[0]
        reference = empty_page(browser, folder)
        found: dict[str, float] = {}
        if only in (None, "sweeps"):
            found |= overlaid(browser, folder)
        if only in (None, "cells"):
            found |= many_cells(browser, folder / "cells", folder / "cache")
        if only in (None, "demo"):
            found |= demo_pages(browser, folder / "cache")
        if only in (None, "whole"):
            found |= whole_pages(browser, folder / "cache")
        browser.close()
    if only in (None, "report"):
        found |= report()
    aims = {
        "first paint": (1.5, "first paint"),
        "page switch": (1.0, "interaction"),
        "filter": (0.5, "interaction"),
        "box selection": (0.5, "interaction"),
        "ten sweeps of 150,000 points": (2.0, "interaction"),
        "Overview, first paint on a fresh server": (1.5 + reference["first paint"], "first paint"),
        **{f"{name}, drawn": (1.5, "first figure") for name in ("Overview", "SHAP", "Gates", "Domains", "a cell")},
        **{f"{name}, opened": (1.5, "interaction") for name in (*IN_SESSION, "a cell")},
        "report": (3.0, "interaction"),
    }
    rows = [
        {
            "wait": wait,
            "seconds": round(found[wait], 2),
            "aim": round(aim, 1),
            "ratio to the same of an empty page": round(found[wait] / reference[base], 1),
        }
        for wait, (aim, base) in aims.items()
        if wait in found
    ]
    answer = {
        "load before and after": [round(load, 1), round(os.getloadavg()[0], 1)],
        "processors": os.cpu_count(),
        "empty page": {k: round(v, 2) for k, v in reference.items()},
        "waits": rows,
        **({"report, MB (aim 2)": round(found["report size, MB"], 2)} if "report size, MB" in found else {}),
    }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
