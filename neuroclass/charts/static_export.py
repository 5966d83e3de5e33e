"""Export figures as SVG and PNG without a browser: plotly figures drawn by matplotlib.

Covers the trace types that the linked views use: points and lines, bars, boxes and heat maps.
"""

import io
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go

from neuroclass.charts.drawing import styled
from neuroclass.charts.theme import WARNING

DRAWN = ("scatter", "scattergl", "bar", "box", "heatmap")
FORMATS = ("svg", "png")
_PER_INCH = 90.0
_SYMBOLS = {
    "circle": "o", "diamond": "D", "star": "*", "square": "s", "x": "x", "triangle-up": "^", "triangle-down": "v",
    "circle-open": "o", "diamond-open": "D",
}  # fmt: skip
_DASHES = {"dash": "--", "dot": ":", "dashdot": "-."}
_INK = "#1B2A33"
_SCALE = "colour_scale"
_FRAME = (0.09, 0.13, 0.88, 0.74)
"""Left, bottom, width and height of the plot's paper, fractions of the image."""


def can_draw(fig: go.Figure) -> bool:
    """Whether every trace of a figure has a supported type."""
    return bool(fig.data) and all(trace.type in DRAWN for trace in fig.data)


def render(fig: go.Figure, kind: str = "svg", width_px: float = 1000.0) -> bytes:
    """Render a figure on a white background.

    Parameters
    ----------
    fig : Figure
        A figure for which `can_draw` holds.
    kind : str
        ``svg`` or ``png`` (twice the screen's resolution).
    width_px : float
        Width on screen, px; the height is the figure's.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If the figure or the kind is not supported.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if kind not in FORMATS or not can_draw(fig):
        raise ValueError(f"cannot draw {sorted({t.type for t in fig.data})} as {kind}")
    height_px = float(fig.layout.height or 450)
    style = {"svg.fonttype": "none", "font.size": 8.5, "axes.edgecolor": "#8A979E", "font.family": "sans-serif"}
    with styled(style):
        canvas = Figure(figsize=(width_px / _PER_INCH, height_px / _PER_INCH))
        FigureCanvasAgg(canvas)
        axes = _axes(fig, canvas)
        setattr(canvas, _SCALE, _scale(fig))
        for trace in fig.data:
            _DRAW[trace.type](axes[_place(trace)], trace, fig)
        for place, axis in axes.items():
            _dress(axis, fig, *place)
        _annotate(fig, canvas, axes)
        _legend(canvas, axes, plain(fig.layout.legend.title.text or "").strip())
        out = io.BytesIO()
        canvas.savefig(
            out,
            format=kind,
            dpi=2 * _PER_INCH,
            bbox_inches="tight",
            metadata={"Date": None} if kind == "svg" else None,
        )
    return out.getvalue()


def plain(text: object) -> str:
    """Strip plotly's markup from a title and escape it for matplotlib."""
    lines = re.sub(r"<br\s*/?>", "\n", str(text or ""))
    bare = re.sub(r"<[^>]+>", "", lines)
    return bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("$", r"\$")


def _place(trace: Any) -> tuple[str, str]:
    return trace.xaxis or "x", trace.yaxis or "y"


def _layout_axis(fig: go.Figure, name: str) -> Any:
    return fig.layout[f"{name[0]}axis{name[1:]}"]


def _axes(fig: go.Figure, canvas: Any) -> dict[tuple[str, str], Any]:
    """Matplotlib axes for each pair of plotly axes, placed by their domains."""
    left, bottom, width, height = _FRAME
    places = list(dict.fromkeys(_place(trace) for trace in fig.data))
    found: dict[tuple[str, str], Any] = {}
    for x, y in places:
        a = _layout_axis(fig, x).domain or (0.0, 1.0)
        b = _layout_axis(fig, y).domain or (0.0, 1.0)
        box = (left + width * a[0], bottom + height * b[0], width * (a[1] - a[0]), height * (b[1] - b[0]))
        shared = {
            f"share{name[0]}": next((axis for place, axis in found.items() if _same(fig, name, place[k])), None)
            for k, name in enumerate((x, y))
        }
        found[x, y] = canvas.add_axes(box, **shared)
    return found


def _same(fig: go.Figure, one: str, other: str) -> bool:
    """Whether two axes have the same range."""
    a, b = (_layout_axis(fig, name).matches or name for name in (one, other))
    return bool(a == b)


def _scale(fig: go.Figure) -> tuple[float, float] | None:
    """Minimum and maximum of the values that points are coloured by; None if there are none."""
    colours = [t.marker.color for t in fig.data if "scatter" in t.type and t.marker.color is not None]
    numbers = [
        np.asarray(c, dtype=float) for c in colours if not isinstance(c, str) and np.asarray(c).dtype.kind in "fi"
    ]
    values = np.concatenate(numbers) if numbers else np.empty(0)
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else None


def _colour(value: Any, other: str = "#0B6E8F") -> Any:
    text = str(value or other)
    match = re.fullmatch(r"rgba?\(([^)]*)\)", text)
    if not match:
        return text
    parts = [float(part) for part in match[1].split(",")]
    return (*(part / 255 for part in parts[:3]), *(parts[3:] or [1.0]))


def _plain_array(values: Any) -> Any:
    return np.asarray([] if values is None else values)


def _scatter(axis: Any, trace: Any, _: go.Figure) -> None:
    x, y = _plain_array(trace.x), _plain_array(trace.y)
    valid = np.array([a is not None and b is not None for a, b in zip(x, y, strict=False)], dtype=bool)
    x, y = x[valid], y[valid]
    if not x.size:
        return
    opacity = 1.0 if trace.opacity is None else trace.opacity
    label = plain(trace.name) if trace.showlegend is not False and trace.name else None
    mode = trace.mode or "lines"
    if trace.fill == "toself":
        axis.fill(x.astype(float), y.astype(float), color=_colour(trace.fillcolor), alpha=opacity, lw=0)
        return
    if "lines" in mode:
        style = _DASHES.get(trace.line.dash or "", "-")
        axis.plot(
            x,
            y,
            style,
            color=_colour(trace.line.color),
            lw=0.75 * (trace.line.width or 1.5),
            alpha=opacity,
            label=label,
        )
        label = None
    if "markers" in mode:
        _markers(axis, trace, x, y, valid, opacity, label)


def _markers(axis: Any, trace: Any, x: Any, y: Any, valid: Any, opacity: float, label: str | None) -> None:
    marker = trace.marker
    alpha = opacity * (1.0 if marker.opacity is None else marker.opacity)
    size = (float(marker.size) if isinstance(marker.size, int | float) else 6.0) ** 2 * 0.6
    symbols = np.resize(np.asarray(marker.symbol if marker.symbol is not None else "circle", dtype=object), valid.size)
    colours = marker.color
    many = colours is not None and not isinstance(colours, str)
    colour = np.resize(np.asarray(colours), valid.size)[valid] if many else None
    for symbol in dict.fromkeys(symbols[valid].tolist()):
        mine = symbols[valid] == symbol
        hollow = str(symbol).endswith("-open")
        shared: dict[str, Any] = {"marker": _SYMBOLS.get(str(symbol), "o"), "s": size, "alpha": alpha, "label": label}
        if colour is not None and colour.dtype.kind in "fi":
            low, high = getattr(axis.figure, _SCALE, None) or (0.0, 1.0)
            shown = axis.scatter(x[mine], y[mine], c=colour[mine].astype(float), vmin=low, vmax=high, **shared)
            if not getattr(axis.figure, "barred", False):
                axis.figure.barred = True
                bar = axis.figure.add_axes((1.0, _FRAME[1], 0.012, _FRAME[3]))
                axis.figure.colorbar(shown, cax=bar, label=plain(marker.colorbar.title.text))
        elif hollow:
            axis.scatter(x[mine], y[mine], facecolors="none", edgecolors=_colour(colours), **shared)
        else:
            fill = [_colour(one) for one in colour[mine]] if colour is not None else _colour(colours)
            axis.scatter(x[mine], y[mine], color=fill, linewidths=0, **shared)
        label = None


def _bar(axis: Any, trace: Any, fig: go.Figure) -> None:
    x, y = _plain_array(trace.x), _plain_array(trace.y)
    colours = trace.marker.color
    fill = (
        [_colour(one) for one in colours] if colours is not None and not isinstance(colours, str) else _colour(colours)
    )
    flat = trace.orientation == "h"
    values, names = (x, y) if flat else (y, x)
    names = [plain(one) for one in names]
    values = values.astype(float)
    base = getattr(axis, "_stacked", {}) if fig.layout.barmode == "stack" else {}
    start = np.array([base.get(name, 0.0) for name in names])
    draw, beginning = (axis.barh, "left") if flat else (axis.bar, "bottom")
    draw(names, values, **{beginning: start}, color=fill, label=plain(trace.name) or None)
    axis._stacked = {**base, **{n: s + v for n, s, v in zip(names, start, np.nan_to_num(values), strict=True)}}


def _box(axis: Any, trace: Any, _: go.Figure) -> None:
    values = _plain_array(trace.y).astype(float)
    values = values[np.isfinite(values)]
    place = len(getattr(axis, "_boxes", []))
    axis._boxes = [*getattr(axis, "_boxes", []), plain(trace.name)]
    colour = _colour(trace.marker.color)
    if values.size:
        axis.boxplot(
            [values], positions=[place], widths=0.5, showfliers=trace.boxpoints == "outliers",
            boxprops={"color": colour}, whiskerprops={"color": colour}, capprops={"color": colour},
            medianprops={"color": colour, "lw": 2}, flierprops={"markeredgecolor": colour, "markersize": 3},
        )  # fmt: skip
        if trace.boxpoints == "all":
            spread = np.random.default_rng(0).uniform(-0.2, 0.2, values.size)
            axis.scatter(place + spread, values, s=4, color=colour, alpha=0.5, linewidths=0)
    axis.set_xticks(range(place + 1), axis._boxes)


def _heatmap(axis: Any, trace: Any, _: go.Figure) -> None:
    z = np.asarray(trace.z, dtype=float)
    shown = axis.imshow(z, aspect="auto", origin="lower", cmap="viridis")
    for names, set_ticks in ((trace.x, axis.set_xticks), (trace.y, axis.set_yticks)):
        if names is not None and len(names) <= 60:
            set_ticks(range(len(names)), [plain(one) for one in names])
    axis.figure.colorbar(shown, ax=axis, fraction=0.03, pad=0.01)


_DRAW = {"scatter": _scatter, "scattergl": _scatter, "bar": _bar, "box": _box, "heatmap": _heatmap}


def _dress(axis: Any, fig: go.Figure, x: str, y: str) -> None:
    """Set titles, ranges, log scales, ticks and shapes of one pair of axes."""
    across, up = _layout_axis(fig, x), _layout_axis(fig, y)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(True, color="#E3E9EC", lw=0.6)
    axis.set_axisbelow(True)
    for one, scale, limits, ticks, title, side in (
        (across, axis.set_xscale, axis.set_xlim, axis.set_xticks, axis.set_xlabel, "bottom"),
        (up, axis.set_yscale, axis.set_ylim, axis.set_yticks, axis.set_ylabel, "left"),
    ):
        if one.type == "log":
            scale("log")
        if one.tickvals is not None and one.ticktext is not None:
            ticks(list(one.tickvals), [plain(text) for text in one.ticktext])
        if one.range is not None and one.type != "log":
            limits(*one.range)
        title(plain(one.title.text))
        if one.showticklabels is False:
            axis.tick_params(**{side: False, f"label{side}": False})
    if up.autorange == "reversed" and not axis.yaxis_inverted():
        axis.invert_yaxis()
    for shape in fig.layout.shapes:
        if (shape.xref or "x").split()[0] == x or (shape.yref or "y").split()[0] == y:
            _shape(axis, shape)


def _shape(axis: Any, shape: Any) -> None:
    style = {"color": _colour(shape.line.color, "#8A979E"), "lw": shape.line.width or 1.0}
    if shape.type == "line" and shape.y0 == shape.y1 and "domain" in str(shape.xref):
        axis.axhline(shape.y0, ls=_DASHES.get(shape.line.dash or "", "-"), **style)
    elif shape.type == "line" and shape.x0 == shape.x1 and "domain" in str(shape.yref):
        axis.axvline(shape.x0, ls=_DASHES.get(shape.line.dash or "", "-"), **style)
    elif shape.type == "rect" and "domain" in str(shape.yref):
        axis.axvspan(shape.x0, shape.x1, color=_colour(shape.fillcolor), alpha=shape.opacity or 1.0, lw=0)


def _annotate(fig: go.Figure, canvas: Any, axes: dict[tuple[str, str], Any]) -> None:
    left, bottom, width, height = _FRAME
    for one in fig.layout.annotations:
        text, colour = plain(one.text), _colour(one.font.color, _INK)
        align = {"horizontalalignment": one.xanchor or "center", "verticalalignment": one.yanchor or "center"}
        align = {k: {"auto": "center", "middle": "center"}.get(v, v) for k, v in align.items()}
        if one.xref == "paper" and one.yref == "paper":
            canvas.text(left + width * one.x, bottom + height * one.y, text, color=colour, fontsize=8.5, **align)
        elif (one.xref or "x", one.yref or "y") in axes:
            axes[one.xref or "x", one.yref or "y"].text(one.x, one.y, text, color=colour, fontsize=7.5, **align)


def _legend(canvas: Any, axes: dict[tuple[str, str], Any], title: str) -> None:
    found: dict[str, Any] = {}
    for axis in axes.values():
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if 1 < len(found) <= 16:
        names = list(found)
        canvas.legend(found.values(), names, loc="upper center", ncol=min(7, len(names)), frameon=False, fontsize=8)
    if title:
        left, bottom, width, height = _FRAME
        canvas.text(left + width, bottom + height, title, color=WARNING, fontsize=8.5, ha="right", va="bottom")
