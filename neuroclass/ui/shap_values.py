"""Parts of the SHAP page."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import shap_charts as charts
from neuroclass.charts.theme import ordered
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.ui import cache, widgets
from neuroclass.ui.performance import EVERYTHING
from neuroclass.ui.text import with_unit

UNIT = "probability"
SHOWN_FEATURES = 14
SHOWN_CELLS = 400
_NAMES = list(FEATURE_NAMES)


def choose(model: str) -> tuple[pd.DataFrame, str, str]:
    """SHAP values towards one class in one species, that class, and the species."""
    table = cache.table(model, "shap")
    left, right = st.columns(2)
    with left:
        name = widgets.choice("Towards", ordered(table["class"]), "class", format_func=label_of)
    species = ordered(table["species"])
    group = species[0]
    if len(species) > 1:
        with right:
            group = widgets.choice("Species", [EVERYTHING, *species], "species")
    rows = table[table["class"] == name]
    return (rows if group == EVERYTHING else rows[rows["species"] == group]), name, group


def _deciles(model: str, ids: pd.Series) -> pd.DataFrame:
    deciles = cache.table(model, "deciles").drop_duplicates("id").set_index("id")
    return deciles.reindex(ids)[_NAMES].reset_index(drop=True)


def ranking(rows: pd.DataFrame) -> list[str]:
    """Features by mean |SHAP|, the largest first."""
    return list(rows[_NAMES].abs().mean().sort_values(ascending=False).index)


def beeswarm(model: str, rows: pd.DataFrame, name: str, group: str) -> None:
    """SHAP values of many cells."""
    part = rows.sample(min(SHOWN_CELLS, len(rows)), random_state=0)
    deciles = _deciles(model, part["id"])
    features = ranking(rows)[:SHOWN_FEATURES]
    widgets.figure(
        charts.beeswarm(part[_NAMES].reset_index(drop=True), deciles, features, unit=UNIT),
        f"beeswarm-{model}-{name}-{group}",
        rows,
        caption=f"{model.upper()}, towards {label_of(name)}: {len(part):,} of {len(rows):,} held-out "
        f"{'' if group == EVERYTHING else group + ' '}cells, drawn with a fixed seed; donor-grouped cross-validation. "
        "Relative to prototypes of the training cells of each species. Colour: the value's decile in its species.",
    )


def importance(model: str, name: str) -> None:
    """Mean |SHAP| by species, or by class where there is one species."""
    table = cache.table(model, "shap")
    by = "species" if table["species"].nunique() > 1 else "class"
    rows = table[table["class"] == name] if by == "species" else table
    means = rows.groupby(by)[_NAMES].apply(lambda part: part.abs().mean()).T
    means = means[ordered(means.columns)]
    means = means.loc[means.mean(axis=1).sort_values(ascending=False).index[:SHOWN_FEATURES]]
    what = f"towards {label_of(name)}, by species" if by == "species" else "towards each class"
    caption = f"Mean |SHAP| {what}, over {rows['id'].nunique():,} held-out cells."
    if by == "species":
        ranks = rows.groupby("species")[_NAMES].apply(lambda part: part.abs().mean()).rank(axis=1)
        agreement = float(np.corrcoef(ranks.to_numpy())[0, 1])
        caption += f" Rank correlation of the 41 features between the species: {agreement:.2f} (−1 to 1)."
    widgets.figure(
        charts.importance(means, unit=UNIT),
        f"importance-{model}-{name}",
        means.rename_axis("feature").reset_index(),
        caption=caption,
    )


def dependence(model: str, rows: pd.DataFrame) -> None:
    """A feature's SHAP value against its value, coloured by another feature."""
    order = ranking(rows)
    left, right = st.columns(2)
    with left:
        feature = widgets.pick("Feature", order, "feature", format_func=charts.feature_label)
    deciles = _deciles(model, rows["id"])
    strongest = _interaction(rows[feature].to_numpy(), deciles, feature)
    others = [strongest, *(name for name in order if name not in (strongest, feature))]
    with right:
        other = st.selectbox(
            "Colour (the strongest interaction first)", others, key=f"other-{feature}", format_func=charts.feature_label
        )
    known = _values(rows["id"], feature)
    values = known if known is not None else deciles[feature].where(deciles[feature] >= 1).to_numpy()
    points = pd.DataFrame(
        {
            "id": rows["id"].to_numpy(),
            "value": values,
            "shap": rows[feature].to_numpy(),
            "decile": deciles[other].where(deciles[other] >= 1).to_numpy(),
        }
    ).dropna(subset=["value"])
    fig = charts.dependence(points, feature, other, unit=UNIT)
    if known is None:
        fig.update_xaxes(title_text=f"{charts.feature_label(feature)} (decile in its species, 1–10)")
    note = "" if known is not None else " The cells' values are not loaded, so their deciles stand in."
    widgets.figure(fig, f"dependence-{model}", points, caption=f"{len(points):,} held-out cells.{note}")


def _interaction(shap: npt.NDArray[np.float64], deciles: pd.DataFrame, feature: str) -> str:
    """The feature whose decile goes best with what a feature's own decile leaves of its SHAP values."""
    own = deciles[feature].to_numpy()
    rest = shap - pd.Series(shap).groupby(own).transform("mean").to_numpy()
    strength = {
        name: abs(np.corrcoef(rest, deciles[name].to_numpy(dtype=float))[0, 1]) if deciles[name].nunique() > 1 else 0.0
        for name in _NAMES
        if name != feature
    }
    return max(strength, key=lambda name: strength[name] if np.isfinite(strength[name]) else 0.0)


def _values(ids: pd.Series, feature: str) -> npt.NDArray[np.float64] | None:
    """The cells' values in shown units; None where those cells are not loaded."""
    cells = cache.cohort()
    found = cells.frame.set_index("id")[feature].reindex(ids) * BY_NAME[feature].display_factor
    return None if cells.simulated or found.isna().all() else found.to_numpy()


def one_cell(model: str, rows: pd.DataFrame, name: str) -> None:
    """One cell's waterfall."""
    ids = rows["id"].drop_duplicates().tolist()
    cell = widgets.pick("Cell", ids, "cell")
    row = rows[rows["id"] == cell].iloc[0]
    deciles = _deciles(model, pd.Series([cell])).iloc[0]
    texts = []
    for feature in _NAMES:
        known = _values(pd.Series([cell]), feature)
        if known is not None and np.isfinite(known[0]):
            texts.append(with_unit(feature, known[0] / BY_NAME[feature].display_factor))
        else:
            texts.append(f"decile {deciles[feature]:.0f}" if deciles[feature] >= 1 else "missing")
    widgets.figure(
        charts.waterfall(float(row["base_value"]), row[_NAMES].astype(float), texts, unit=UNIT),
        f"waterfall-{model}",
        pd.DataFrame({"feature": _NAMES, "shap": row[_NAMES].to_numpy(), "value": texts}),
        caption=f"Held-out cell {cell}, towards {label_of(name)}. Base: mean over the prototypes of its species.",
    )
