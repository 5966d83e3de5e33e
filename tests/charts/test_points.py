"""Points are linked by ids, faceted, and keep their colours; effects and parallel axes tell their units."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from neuroclass.charts import points
from neuroclass.charts.parallel import parallel
from neuroclass.cohort.compare import compare_selections
from neuroclass.cohort.demo import load_demo
from neuroclass.features import BY_NAME

FRAME = load_demo().frame
CELLS = FRAME[["id", "species", "layer", "broad", "sag"]].assign(x=FRAME["sag"], y=FRAME["tau"])
TITLES = ("Sag (ratio)", "Time constant (ms)")


def _ids(fig: go.Figure) -> list[str]:
    return [str(row[0]) for trace in fig.data if trace.name != "ticked" for row in trace.customdata]


@pytest.mark.parametrize("facet", [None, "layer", "id"])
@pytest.mark.parametrize("colour", ["broad", "sag"])
def test_every_cell_is_drawn_once_with_its_id(facet: str | None, colour: str) -> None:
    fig = points.scatter(CELLS, titles=TITLES, colour=colour, colour_title="Sag (ratio)", facet=facet)
    assert sorted(_ids(fig)) == sorted(CELLS["id"])
    assert fig.layout.xaxis.title.text == TITLES[0] or facet
    if facet == "layer":
        assert len([a for a in fig.layout.annotations if "(" in a.text]) == FRAME["layer"].nunique()
    if facet == "id":
        assert any("all others" in a.text for a in fig.layout.annotations)


def test_chosen_cells_stand_out_and_ticked_ones_are_ringed() -> None:
    wanted = CELLS["id"].iloc[[0, 300]].tolist()
    fig = points.scatter(CELLS, titles=TITLES, colour="broad", selected=wanted, ringed=wanted[:1], simulated=True)
    picked = [str(t.customdata[k][0]) for t in fig.data if t.selectedpoints is not None for k in t.selectedpoints]
    assert sorted(picked) == sorted(wanted)
    ring = next(t for t in fig.data if t.name == "ticked")
    assert ring.customdata[0][0] == wanted[0]


def test_many_points_are_drawn_by_webgl_and_none_by_a_note() -> None:
    many = pd.concat([CELLS] * 10, ignore_index=True)
    assert {t.type for t in points.scatter(many, titles=TITLES, colour="broad").data} == {"scattergl"}
    assert not points.scatter(CELLS.head(0), titles=TITLES, colour="broad").data


def test_effects_are_ranked_and_unsure_ones_pale() -> None:
    table = compare_selections(FRAME[FRAME["broad"] == "excitatory"], FRAME[FRAME["broad"] == "inhibitory"])
    fig = points.effects(table, ("a<b>", "rest"), most=10)
    assert list(np.abs(fig.data[0].x)) == sorted(np.abs(fig.data[0].x))
    assert len(fig.data[0].x) == 10
    assert "a&lt;b&gt;" in fig.layout.xaxis.title.text
    unsure = points.effects(table.assign(p_holm=1.0), ("a", "b"))
    assert set(unsure.data[0].marker.opacity) == {0.45}


def test_parallel_axes_write_their_values_in_shown_units() -> None:
    chosen = [(n, BY_NAME[n].title, BY_NAME[n].display_factor) for n in ("width", "sag", "tau")]
    fig = parallel(FRAME, chosen, "broad", most=50)
    assert sum(int(np.isnan(t.x).sum()) for t in fig.data) == 50
    low = float(np.nanpercentile(FRAME["width"], 1)) * 1e3
    assert f"{low:.3g}" in [a.text for a in fig.layout.annotations]
    assert "ms" in fig.layout.xaxis.ticktext[0]
    assert not parallel(FRAME.assign(sag=np.nan), chosen, "broad").data


OWN = pd.DataFrame({"name": ["mine<b>", "yours"], "x": [0.1, 0.2], "y": [12.0, 30.0]})


@pytest.mark.parametrize("facet", [None, "layer"])
@pytest.mark.parametrize("colour", ["broad", "sag"])
def test_own_cells_are_in_every_panel_and_once_in_the_legend(facet: str | None, colour: str) -> None:
    fig = points.scatter(CELLS, titles=TITLES, colour=colour, facet=facet, own=OWN)
    panels = FRAME["layer"].nunique() if facet else 1
    for name, x, y in (("mine&lt;b&gt;", 0.1, 12.0), ("yours", 0.2, 30.0)):
        traces = [trace for trace in fig.data if trace.name == name]
        assert [(trace.x[0], trace.y[0]) for trace in traces] == [(x, y)] * panels
        assert [trace.showlegend for trace in traces].count(True) == 1
    assert fig.layout.showlegend


def test_an_own_cell_crosses_the_parallel_axes_only_with_all_their_features() -> None:
    chosen = [(n, BY_NAME[n].title, BY_NAME[n].display_factor) for n in ("sag", "tau")]
    middle = {n: float(FRAME[n].quantile([0.01, 0.99]).mean()) for n in ("sag", "tau")}
    fig = parallel(FRAME, chosen, "broad", own={"mine": middle, "half": {"sag": 0.1}})
    assert fig.data[-1].name == "mine" and not any(trace.name == "half" for trace in fig.data)
    assert list(fig.data[-1].y) == pytest.approx([0.5, 0.5])


def _legend(fig: go.Figure) -> list[tuple[str, str]]:
    """Entries of the legend in the order in which they are drawn, each with its symbol."""
    shown = sorted((t for t in fig.data if t.showlegend is not False), key=lambda t: t.legendrank)
    return [(t.name, t.marker.symbol) for t in shown]


def test_the_legend_tells_the_species_by_symbol_and_names_all_but_the_mouse() -> None:
    of_class = FRAME["subclass"].where(FRAME["subclass"].notna(), FRAME["broad"])
    cells = CELLS.assign(**{"class": of_class})
    entries = _legend(points.scatter(cells, titles=TITLES, colour="class"))
    assert dict(entries)["Glutamatergic"] == "circle" and dict(entries)["human excitatory"] == "diamond-open"
    assert len(entries) == of_class.nunique()
    broad = _legend(points.scatter(cells.assign(broad=FRAME["broad"]), titles=TITLES, colour="broad"))
    assert [name for name, _ in broad] == [f"{s} {c}" for s in ("mouse", "human") for c in ("excitatory", "inhibitory")]
    alone = _legend(points.scatter(cells[cells["species"] == "human"], titles=TITLES, colour="class"))
    assert [name for name, _ in alone] == ["excitatory", "inhibitory"]


def test_rare_classes_are_drawn_on_top_and_common_ones_small_and_pale() -> None:
    part = CELLS[CELLS["species"] == "mouse"].head(12)
    many = pd.concat([part.assign(kind="common")] * 50 + [part.assign(kind="rare")], ignore_index=True)
    many = many.assign(id=[str(k) for k in many.index])
    common, rare = points.scatter(many, titles=TITLES, colour="kind").data
    assert (common.name, rare.name) == ("common", "rare") and len(common.x) > len(rare.x)
    assert common.marker.size < rare.marker.size and common.marker.opacity < rare.marker.opacity
