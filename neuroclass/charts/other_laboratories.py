"""Figures of cells of other laboratories: systems, promises, reliability and confusion before and after adaptation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import ACCENT, UNKNOWN, class_label, escape, finish

_SHADES = [[0, "#EEF3F6"], [0.5, "#5B9DBF"], [1, "#07445A"]]
_ROW_PX = 27
_PANEL_PX = 68


def by_system(table: pd.DataFrame, metric: str) -> go.Figure:
    """One metric of every system, a panel a laboratory, two panels a row.

    Parameters
    ----------
    table : DataFrame
        Columns ``laboratory``, ``system``, ``ours`` (bool) and ``value`` (fraction); systems in the order of rows.
    metric : str
        Name of the metric.

    Returns
    -------
    Figure
    """
    laboratories = list(dict.fromkeys(table["laboratory"]))
    systems = [escape(name) for name in dict.fromkeys(table["system"])]
    titles = [escape(name) for name in laboratories]
    n_columns = min(2, len(laboratories))
    n_rows = -(-len(laboratories) // n_columns)
    height = 40 + n_rows * (_PANEL_PX + _ROW_PX * len(systems))
    fig = make_subplots(
        n_rows,
        n_columns,
        subplot_titles=titles,
        shared_yaxes=True,
        horizontal_spacing=0.06,
        vertical_spacing=_PANEL_PX / height,
    )
    for number, laboratory in enumerate(laboratories):
        part = table[table["laboratory"] == laboratory]
        fig.add_bar(
            x=part["value"],
            y=[escape(name) for name in part["system"]],
            orientation="h",
            marker_color=[ACCENT if ours else UNKNOWN for ours in part["ours"]],
            text=[f"{value:.0%}" for value in part["value"]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{escape(laboratory)}, %{{y}}: %{{x:.1%}}<extra></extra>",
            row=1 + number // n_columns,
            col=1 + number % n_columns,
        )
    fig.update_annotations(font_size=14)
    fig.update_xaxes(range=[0, 1.15], tickvals=[0, 0.5, 1], tickformat=".0%")
    fig.update_yaxes(categoryorder="array", categoryarray=systems, autorange="reversed")
    finish(fig, height=height, legend=False)
    fig.update_xaxes(title_text=f"{metric} (%)", row=n_rows)
    fig.update_yaxes(title_text="System", col=1)
    fig.update_layout(margin_t=44, bargap=0.35)
    return fig


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
    fig.update_yaxes(range=[-0.02, 1.04], tickformat=".0%")
    fig.update_xaxes(range=[0, 1.02], tickformat=".0%")
    return finish(
        fig,
        height=380,
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
