"""How often cross-species matches carry the corresponding label."""

import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts.theme import PALETTE, WARNING, class_label, escape, finish


def agreement(table: pd.DataFrame) -> go.Figure:
    """Share of mouse cells whose nearest human cell has the corresponding label, by subclass and space, beside chance.

    Parameters
    ----------
    table : DataFrame
        Columns ``space``, ``subclass``, ``partner``, ``n_cells``, ``same`` with ``low`` and ``high`` (95% interval)
        and ``chance`` (fractions); one row a subclass and space.

    Returns
    -------
    Figure
    """
    first = table.drop_duplicates("subclass")
    columns = zip(first["subclass"], first["partner"], first["n_cells"], strict=True)
    labels = {name: f"{class_label(name)} → {class_label(partner)} ({n})" for name, partner, n in columns}
    place = {name: k for k, name in enumerate(labels)}
    fig = go.Figure()
    spaces = list(table.groupby("space", sort=False))
    for k, ((space, rows), colour) in enumerate(zip(spaces, PALETTE, strict=False)):
        fig.add_scatter(
            x=rows["same"],
            y=[place[name] + 0.22 * (k - (len(spaces) - 1) / 2) for name in rows["subclass"]],
            name=escape(space),
            mode="markers",
            marker={"size": 11, "color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["same"],
                "arrayminus": rows["same"] - rows["low"],
                "thickness": 1.5,
                "width": 3,
            },
            customdata=[
                (labels[name], low, high)
                for name, low, high in zip(rows["subclass"], rows["low"], rows["high"], strict=True)
            ],
            hovertemplate=f"%{{customdata[0]}}, {escape(space)}: %{{x:.1%}} "
            "(%{customdata[1]:.1%} to %{customdata[2]:.1%})<extra></extra>",
        )
    fig.add_scatter(
        x=first["chance"],
        y=[place[name] for name in first["subclass"]],
        name="chance level",
        mode="markers",
        marker={"symbol": "line-ns", "size": 44, "line": {"color": WARNING, "width": 3}},
        customdata=[labels[name] for name in first["subclass"]],
        hovertemplate="%{customdata}, chance level: %{x:.1%}<extra></extra>",
    )
    fig.update_xaxes(range=[-0.02, 1.02], tickformat=".0%")
    fig.update_yaxes(
        tickvals=list(place.values()), ticktext=list(labels.values()), range=[len(place) - 0.5, -0.5], zeroline=False
    )
    finish(fig, height=110 + 76 * len(place), x="Nearest human cell has the label (% of mouse cells)")
    return fig.update_layout(legend={"itemsizing": "constant"})
