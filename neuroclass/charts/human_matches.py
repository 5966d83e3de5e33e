"""How often cross-species matches carry the corresponding label."""

import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts.theme import PALETTE, UNKNOWN, class_label, escape, finish


def agreement(table: pd.DataFrame) -> go.Figure:
    """Share of mouse cells whose nearest human cell has the corresponding label, by subclass and space, beside chance.

    Parameters
    ----------
    table : DataFrame
        Columns ``space``, ``subclass``, ``partner``, ``n_cells``, ``same`` and ``chance`` (fractions); one row a
        subclass and space.

    Returns
    -------
    Figure
    """
    first = table.drop_duplicates("subclass")
    columns = zip(first["subclass"], first["partner"], first["n_cells"], strict=True)
    labels = {name: f"{class_label(name)} → {class_label(partner)} ({n})" for name, partner, n in columns}
    fig = go.Figure()
    for (space, rows), colour in zip(table.groupby("space", sort=False), PALETTE, strict=False):
        fig.add_bar(
            x=[labels[name] for name in rows["subclass"]],
            y=rows["same"],
            name=escape(space),
            marker_color=colour,
            hovertemplate=f"%{{x}}, {escape(space)}: %{{y:.3f}}<extra></extra>",
        )
    fig.add_scatter(
        x=[labels[name] for name in first["subclass"]],
        y=first["chance"],
        name="by chance",
        mode="markers",
        marker={"symbol": "line-ew", "size": 60, "line": {"width": 3, "color": UNKNOWN}},
        hovertemplate="%{x}, by chance: %{y:.3f}<extra></extra>",
    )
    fig.update_yaxes(range=[0, 1.02])
    return finish(
        fig,
        height=420,
        x="Mouse subclass → human subclass (number of mouse cells)",
        y="Nearest human cell has the label (fraction of 1)",
    )
