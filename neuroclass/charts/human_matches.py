"""How often cross-species matches carry the corresponding label."""

import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts.theme import PALETTE, UNKNOWN, class_label, escape, finish


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
    fig = go.Figure()
    for (space, rows), colour in zip(table.groupby("space", sort=False), PALETTE, strict=False):
        fig.add_scatter(
            x=rows["same"],
            y=[labels[name] for name in rows["subclass"]],
            name=escape(space),
            mode="markers",
            marker={"size": 12, "color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["same"],
                "arrayminus": rows["same"] - rows["low"],
                "thickness": 1.5,
                "width": 3,
            },
            customdata=rows[["low", "high"]],
            hovertemplate=f"%{{y}}, {escape(space)}: %{{x:.1%}} "
            "(%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra></extra>",
        )
    fig.add_scatter(
        x=first["chance"],
        y=[labels[name] for name in first["subclass"]],
        name="chance level",
        mode="markers",
        marker={"size": 10, "symbol": "circle-open", "color": UNKNOWN, "line": {"width": 2}},
        hovertemplate="%{y}, chance level: %{x:.1%}<extra></extra>",
    )
    fig.update_xaxes(range=[-0.02, 1.02], tickformat=".0%")
    fig.update_yaxes(autorange="reversed")
    return finish(
        fig,
        height=380,
        x="Nearest human cell has<br>the label (% of mouse cells)",
        y="Subclass, mouse → human (mouse cells)",
    )
