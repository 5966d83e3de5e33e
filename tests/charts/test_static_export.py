"""Figures without a browser: what plotly describes is in the image."""

import numpy as np
import plotly.graph_objects as go
import pytest

from neuroclass.charts import cell_plots, cohort, points, static_export, traces
from neuroclass.cohort.demo import load_demo

FRAME = load_demo().frame
CELLS = FRAME[["id", "species", "layer", "sag"]].assign(x=FRAME["sag"], y=FRAME["tau"])
SWEEP = traces.Trace("sweep 1", np.linspace(-70, 30, 5000), np.zeros(5000), 50_000.0, 100.0)
FIGURES = {
    "points": points.scatter(CELLS, titles=("Sag (ratio)", "Tau (ms)"), colour="layer", ringed=["x"], simulated=True),
    "panels": points.scatter(CELLS, titles=("Sag (ratio)", "Tau (ms)"), colour="sag", facet="species"),
    "boxes": cohort.distribution(FRAME, "sag", "species", True),
    "bars": cohort.counts(FRAME, "layer", "broad", True),
    "sweeps": traces.sweeps([SWEEP], marks=[traces.Mark("peak", [0.01], [20.0])]),
    "spectrum": cell_plots.spectrum({"one": (np.array([1.0, 10.0]), np.array([2.0, 1.0]))}),
}


@pytest.mark.parametrize("name", list(FIGURES))
def test_svg_holds_titles_and_marks_simulated_cells(name: str) -> None:
    fig = FIGURES[name]
    svg = static_export.render(fig, "svg").decode()
    assert svg.lstrip().startswith("<?xml")
    titles = [axis.title.text for axis in fig.select_yaxes() if axis.title.text]
    assert titles and all(static_export.plain(title).split("²")[0] in svg for title in titles)
    assert ("simulated cells" in svg) == ("simulated cells" in str(fig.layout))


def test_png_is_one_and_what_cannot_be_drawn_is_refused() -> None:
    assert static_export.render(FIGURES["sweeps"], "png").startswith(b"\x89PNG")
    pie = go.Figure(go.Pie(values=[1, 2]))
    assert not static_export.can_draw(pie) and not static_export.can_draw(go.Figure())
    with pytest.raises(ValueError, match="pie"):
        static_export.render(pie)


def test_markup_is_taken_out_of_titles() -> None:
    assert static_export.plain("a&lt;b&gt;<br><b>bold</b> $1") == "a<b>\nbold \\$1"
