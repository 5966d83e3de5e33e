"""The gallery draws every sweep once, keeps its spikes, and each tile can be clicked."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.charts.sweep_gallery import COLUMNS, Shade, Tile, sweep_gallery
from neuroclass.charts.theme import UNKNOWN


def tile(number: int, *shades: Shade, n: int = 20_000, spike: bool = True) -> Tile:
    v = np.full(n, -70.0)
    if spike:
        v[n // 3] = 30.0
    return Tile(number, f"{number}: <title>", f"long square +{number} pA; 1 spike " * 5, v, 20_000.0, shades)


def test_every_sweep_has_a_tile_with_its_number_and_what_it_is() -> None:
    tiles = [tile(k, Shade("long square", 0.2, 0.6)) for k in range(3, 3 + 2 * COLUMNS + 1)]
    fig = sweep_gallery(tiles)
    points = fig.data[-1]
    assert [one[0] for one in points.customdata] == [t.number for t in tiles]
    assert len({(x, y) for x, y in zip(points.x, points.y, strict=True)}) == len(tiles)
    assert all(
        f"Sweep {t.number}: long square" in text.replace("<br>", " ")
        for t, text in zip(tiles, points.text, strict=True)
    )
    assert len(fig.layout.annotations) == len(tiles)
    assert "&lt;title&gt;" in fig.layout.annotations[0].text
    (lines,) = fig.data[:-1]
    tops = np.array([y for y in lines.y if y is not None])
    assert lines.y.count(None) == len(tiles)
    assert (np.round(tops % 1, 3) == 0.74).sum() == len(tiles)  # each spike reaches the tile's top


def test_a_stimulus_is_shaded_where_it_is_and_an_unknown_one_grey() -> None:
    fig = sweep_gallery([tile(0, Shade("ramp", 0.25, 0.75)), tile(1, Shade("", 0.5, 0.6))])
    ramp, unknown = fig.layout.shapes
    assert (ramp.x0, ramp.x1) == pytest.approx((0.04 + 0.92 * 0.25, 0.04 + 0.92 * 0.75))
    assert ramp.fillcolor != UNKNOWN == unknown.fillcolor
    names = {trace.name: trace.line.color for trace in fig.data[:-1]}
    assert names == {"ramp": ramp.fillcolor, "not recognised": UNKNOWN}


def test_the_chosen_sweep_is_framed() -> None:
    tiles = [tile(4), tile(7)]
    assert len(sweep_gallery(tiles).layout.shapes) == 0
    (frame,) = sweep_gallery(tiles, chosen=7).layout.shapes
    assert frame.x0 > 1.0


def test_no_sweep_and_sweeps_without_samples_are_drawn() -> None:
    assert sweep_gallery([]).layout.annotations
    empty = Tile(0, "0", "nothing", np.full(5, np.nan), 1000.0, ())
    assert len(sweep_gallery([empty]).data) == 2


def test_a_sweep_that_is_left_out_is_pale_and_said_so() -> None:
    kept, gone = tile(0, Shade("ramp", 0.25, 0.75)), replace(tile(1), faded=True)
    fig = sweep_gallery([kept, gone])
    opacity = {trace.name: trace.opacity for trace in fig.data[:-1]}
    assert opacity["left out"] < 0.5 < opacity["ramp"]
    assert [one[0] for one in fig.data[-1].customdata] == [0, 1]
