"""A report opens from a disk, without a server, and draws its packed figures."""

from pathlib import Path

import neuroclass as nc


def test_a_report_draws_its_figures_by_itself(browser, tmp_path: Path):
    verdict = nc.classify([nc.example_recording("fast-spiking", folder=tmp_path)], species="mouse")[0]
    path = verdict.report(tmp_path / "report.html")
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: errors.append(request.url) if request.url.startswith("http") else None)
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelectorAll('.plot .main-svg').length > 0")
    page.wait_for_function("[...document.querySelectorAll('.plot')].every(plot => plot.querySelector('.main-svg'))")
    drawn = page.evaluate(
        "[...document.querySelectorAll('.plot')].map(p => p.data.reduce((n, t) => n + (t.y || t.x).length, 0))"
    )
    heights = page.evaluate("[...document.querySelectorAll('.plot')].map(p => [p.offsetHeight, p._fullLayout.height])")
    page.close()
    assert errors == []
    assert len(drawn) >= 10 and min(drawn) > 0 and max(drawn) > 5_000
    assert all(box == height for box, height in heights)  # nothing moves when the figures come
