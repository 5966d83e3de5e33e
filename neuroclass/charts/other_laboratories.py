"""Figures of cells of other laboratories: systems, promises, reliability and confusion before and after adaptation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.cell_types import COLOURS
from neuroclass.charts.theme import ACCENT, UNKNOWN, class_label, escape, finish, ordered

_SHADES = [[0, "#EEF3F6"], [0.5, "#5B9DBF"], [1, "#07445A"]]
_ROW_PX = 27


_BASELINE_SYMBOLS = ("square-open", "triangle-up-open", "x-thin-open", "diamond-open", "cross-thin-open", "star-open")
_OUR_SYMBOLS = ("circle", "circle-open", "diamond-open")


def by_system(table: pd.DataFrame, metric: str) -> go.Figure:
    """One metric of every system, a row a laboratory: ours in colour, baselines grey.

    Parameters
    ----------
    table : DataFrame
        Columns ``laboratory``, ``system``, ``ours`` (bool), ``cells`` and ``value`` (fraction), where known with the
        interval ``low`` to ``high``; systems in the order of rows.
    metric : str
        Name of the metric.

    Returns
    -------
    Figure
    """
    rows = {name: f"{escape(name)} ({n:,})" for name, n in zip(table["laboratory"], table["cells"], strict=True)}
    fig = go.Figure()
    ours, theirs = iter(_OUR_SYMBOLS), iter(_BASELINE_SYMBOLS)
    parts = dict(list(table.groupby("system", sort=False)))
    for system, part in sorted(parts.items(), key=lambda one: bool(one[1]["ours"].iloc[0])):
        mine = bool(part["ours"].iloc[0])
        colour = ACCENT if mine else UNKNOWN
        known = "low" in part and part["low"].notna().any()
        fig.add_scatter(
            x=part["value"],
            y=[rows[name] for name in part["laboratory"]],
            mode="markers",
            name=escape(str(system)),
            legendrank=1000 if mine else 1001,
            marker={
                "size": 13 if mine else 10,
                "symbol": next(ours if mine else theirs, "circle-open"),
                "color": colour,
                "line": {"width": 2, "color": colour},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": part["high"] - part["value"],
                "arrayminus": part["value"] - part["low"],
                "color": colour,
                "thickness": 1.5,
            }
            if known
            else None,
            hovertemplate=f"{escape(str(system))}, %{{y}}: %{{x:.1%}}<extra></extra>",
        )
    ends = table[[name for name in ("low", "value") if name in table]].to_numpy(dtype=np.float64)
    fig.update_xaxes(range=[max(-0.02, float(np.nanmin(ends)) - 0.03), 1.01], tickformat=".0%")
    fig.update_yaxes(categoryorder="array", categoryarray=list(rows.values()), autorange="reversed")
    return finish(fig, height=150 + 46 * len(rows), x=f"{metric} (%)")


def simulated(table: pd.DataFrame) -> go.Figure:
    """Accuracy as simulated laboratories would measure the same cells, a row a laboratory, a colour a species.

    Parameters
    ----------
    table : DataFrame
        Columns ``laboratory``, ``species``, ``cells``, ``accuracy``, ``low``, ``high`` (fractions).

    Returns
    -------
    Figure
    """
    order = table.groupby("laboratory")["accuracy"].mean().sort_values(ascending=False).index
    fig = go.Figure()
    for species in ordered(table["species"]):
        part = table[table["species"] == species].set_index("laboratory").reindex(order).dropna(subset=["accuracy"])
        colour = COLOURS.get(species, ACCENT)
        fig.add_scatter(
            x=part["accuracy"],
            y=[escape(name) for name in part.index],
            mode="markers",
            name=f"{class_label(species)} ({int(part['cells'].max()):,} cells)",
            marker={"size": 9, "color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": part["high"] - part["accuracy"],
                "arrayminus": part["accuracy"] - part["low"],
                "thickness": 1.2,
                "color": colour,
            },
            hovertemplate=f"%{{y}}, {class_label(species)}: %{{x:.1%}}<extra></extra>",
        )
    fig.update_xaxes(range=[max(-0.02, float(table["low"].min()) - 0.03), 1.01], tickformat=".0%")
    fig.update_yaxes(categoryorder="array", categoryarray=[escape(name) for name in order], autorange="reversed")
    return finish(fig, height=120 + 24 * len(order), x="Accuracy (%)", y="Simulated laboratory")


def promises(table: pd.DataFrame) -> go.Figure:
    """What was promised and stated, beside what came true.

    Parameters
    ----------
    table : DataFrame
        Columns ``laboratory``, ``system``, ``promised`` (NaN where nothing is promised), ``stated``, ``observed``,
        ``low``, ``high`` (fractions) and ``cells``.

    Returns
    -------
    Figure
    """
    rows = [
        f"{escape(laboratory)}, {escape(system)} ({cells:,})"
        for laboratory, system, cells in zip(table["laboratory"], table["system"], table["cells"], strict=True)
    ]
    fig = go.Figure()
    fig.add_scatter(
        x=table["observed"],
        y=rows,
        mode="markers",
        name="came true: accuracy, 95% interval",
        marker={"size": 11, "color": ACCENT},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": table["high"] - table["observed"],
            "arrayminus": table["observed"] - table["low"],
            "color": ACCENT,
        },
        hovertemplate="%{y}: accuracy %{x:.1%}<extra></extra>",
    )
    for column, name, symbol in (
        ("stated", "stated: mean probability of the predicted class", "circle-open"),
        ("promised", "promised: expected accuracy", "diamond-open"),
    ):
        known = table[column].notna().to_numpy()
        fig.add_scatter(
            x=table.loc[known, column],
            y=[row for row, shown in zip(rows, known, strict=True) if shown],
            mode="markers",
            name=name,
            marker={"size": 12, "symbol": symbol, "color": UNKNOWN, "line": {"width": 2.5}},
            hovertemplate=f"%{{y}}: {column} %{{x:.1%}}<extra></extra>",
        )
    lowest = float(np.nanmin(table[["observed", "stated", "promised", "low"]].to_numpy(dtype=np.float64)))
    fig.update_xaxes(range=[max(-0.02, lowest - 0.05), 1.02], tickformat=".0%")
    fig.update_yaxes(categoryorder="array", categoryarray=rows, autorange="reversed")
    return finish(fig, height=130 + _ROW_PX * len(rows), x="Accuracy, probability (%)", y="Cells (number)")


def reliability(tables: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Fraction of right predictions against stated probability, of several systems on the same cells.

    Parameters
    ----------
    tables : mapping of system to DataFrame
        Columns ``stated``, ``observed``, ``low``, ``high`` (fractions) and ``predictions``; the first is drawn hollow.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    line = {"color": UNKNOWN, "dash": "dot", "width": 1}
    fig.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, name="perfectly calibrated", hoverinfo="skip")
    for number, (name, table) in enumerate(tables.items()):
        colour = ACCENT if number else UNKNOWN
        fig.add_scatter(
            x=table["stated"],
            y=table["observed"],
            mode="lines+markers",
            name=escape(name),
            line={"color": colour, "dash": "solid" if number else "dash"},
            marker={"size": 8, "symbol": "circle" if number else "circle-open", "line": {"width": 2}},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": table["high"] - table["observed"],
                "arrayminus": table["observed"] - table["low"],
                "thickness": 1,
            },
            customdata=table[["predictions"]],
            hovertemplate="stated %{x:.0%}, correct %{y:.0%}, %{customdata[0]} cells<extra></extra>",
        )
    ends = np.concatenate([table[["stated", "observed", "low"]].to_numpy(float).ravel() for table in tables.values()])
    first = max(0.0, float(np.floor(10 * np.nanmin(ends)) / 10))
    fig.update_yaxes(range=[first - 0.02, 1.02], tickformat=".0%")
    fig.update_xaxes(range=[first - 0.02, 1.02], tickformat=".0%")
    return finish(
        fig,
        height=320,
        x="Stated probability (%)",
        y="Correct predictions (%)",
    )


def confusions(counts: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Confusion matrices of several systems side by side: share of the true class, with the number of cells.

    Parameters
    ----------
    counts : mapping of system to DataFrame, true classes × predicted classes
        Numbers of cells; all with the same classes.

    Returns
    -------
    Figure
    """
    fig = make_subplots(1, len(counts), subplot_titles=[escape(name) for name in counts], shared_yaxes=True)
    for column, values in enumerate(counts.values(), start=1):
        share = values.div(values.sum(axis=1).replace(0, np.nan), axis=0) * 100
        text = [
            [f"{s:.0f}%<br>{n}" if s == s else "" for s, n in zip(*row, strict=True)]
            for row in zip(share.to_numpy(), values.to_numpy(), strict=True)
        ]
        fig.add_heatmap(
            z=share.to_numpy(dtype=float),
            zmin=0,
            zmax=100,
            x=[class_label(name) for name in values.columns],
            y=[class_label(name) for name in values.index],
            text=text,
            texttemplate="%{text}",
            textfont={"size": 12},
            colorscale=_SHADES,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="true %{y}, predicted %{x}: %{text} cells<extra></extra>",
            row=1,
            col=column,
        )
    n_rows = max(len(values) for values in counts.values())
    fig.update_annotations(font_size=14)
    finish(fig, height=140 + 50 * n_rows, x="Predicted class", legend=False)
    fig.update_yaxes(autorange="reversed")
    fig.update_yaxes(title_text="True class", col=1)
    fig.update_layout(margin_t=40)
    return fig


def by_set(table: pd.DataFrame) -> go.Figure:
    """Accuracy of models fitted to exactly some features, beside another system on the same features and cells.

    Parameters
    ----------
    table : DataFrame
        Columns ``name``, ``cells``, ``accuracy``, ``low``, ``high``, ``svc`` and ``promised`` (fractions).

    Returns
    -------
    Figure
    """
    rows = table.sort_values("accuracy", ascending=False, ignore_index=True)
    names = [f"{escape(name)} ({n:,})" for name, n in zip(rows["name"], rows["cells"], strict=True)]
    fig = go.Figure()
    fig.add_scatter(
        x=rows["accuracy"],
        y=names,
        mode="markers",
        name="ours, 95% interval by donor",
        marker={"size": 10, "color": ACCENT},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows["accuracy"],
            "arrayminus": rows["accuracy"] - rows["low"],
            "thickness": 1.2,
            "color": ACCENT,
        },
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    for column, name, symbol in (("svc", "SVC, same features", "x-thin"), ("promised", "promised", "diamond-open")):
        fig.add_scatter(
            x=rows[column],
            y=names,
            mode="markers",
            name=name,
            marker={"size": 9, "symbol": symbol, "color": UNKNOWN, "line": {"width": 2, "color": UNKNOWN}},
            hovertemplate=f"%{{y}}: {name} %{{x:.1%}}<extra></extra>",
        )
    lowest = float(np.nanmin(rows[["low", "svc", "promised"]].to_numpy(dtype=np.float64)))
    fig.update_xaxes(range=[max(-0.02, lowest - 0.03), 1.01], tickformat=".0%")
    fig.update_yaxes(categoryorder="array", categoryarray=names, autorange="reversed")
    return finish(
        fig,
        height=120 + 23 * len(rows),
        x="Accuracy (% of held-out cells)",
        y="Stimuli recorded (cells)",
    )
