"""Parts of the SHAP page: what is explained, and many cells at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import shap_charts as charts
from neuroclass.charts import shap_maps
from neuroclass.charts.theme import ordered
from neuroclass.evaluation.names import SYSTEM_TITLES
from neuroclass.explain.clustering import cluster
from neuroclass.explain.groups import quantities
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.reports.store import Table
from neuroclass.types.arrays import Floats
from neuroclass.types.models import HUMAN_SUBCLASS, MODELS, QUESTIONS
from neuroclass.ui import address, cache, widgets
from neuroclass.ui.explain import findings
from neuroclass.ui.performance.systems import EVERYTHING
from neuroclass.ui.text import escaped

SHOWN_FEATURES = 14
SHOWN_CELLS = 300
MAP_FEATURES = 20
NETWORKS = {spec.name: spec.title for spec in MODELS.values()}
TASKS = {spec.title: spec.name for spec in (*MODELS.values(), HUMAN_SUBCLASS)}
SINGLE, GROUPED = "feature", "quantity (stimuli pooled)"
_NAMES = list(FEATURE_NAMES)


@dataclass(frozen=True)
class Shown:
    """What the page explains.

    Attributes
    ----------
    model, system : str
        The network whose task it is, and the system explained (the network itself or a baseline).
    name, group : str
        Class towards which, and species or all.
    unit : str
        Unit of the values.
    table : DataFrame
        All SHAP values of the system: id, species, class, base_value, error and the players.
    """

    model: str
    system: str
    name: str
    group: str
    unit: str
    table: pd.DataFrame

    @property
    def own(self) -> bool:
        """Whether it is the model itself, not a baseline beside it."""
        return self.system == self.model

    @cached_property
    def players(self) -> list[str]:
        """Columns with SHAP values."""
        known = quantities()
        return [column for column in self.table.columns if column in BY_NAME or column in known]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Values towards the class in the species."""
        rows = self.table[self.table["class"] == self.name]
        return rows if self.group == EVERYTHING else rows[rows["species"] == self.group]

    @cached_property
    def ranking(self) -> list[str]:
        """Players by mean |SHAP|, the largest first."""
        return list(self.rows[self.players].abs().mean().sort_values(ascending=False).index)

    @property
    def title(self) -> str:
        """The system's name for people."""
        if self.own and self.system not in NETWORKS:
            return cache.report_title(self.model)
        return NETWORKS.get(self.system) or SYSTEM_TITLES.get(self.system, self.system)

    @property
    def cells(self) -> str:
        """Which cells, in words."""
        n_cells = self.rows["id"].nunique()
        species = "" if self.group == EVERYTHING else f"{self.group} "
        where = "donor-grouped 5-fold cross-validation"
        if not self.own:
            where = "drawn evenly from one fold of donor-grouped cross-validation"
        return f"{n_cells:,} held-out {species}cells, {where}"

    @property
    def key(self) -> str:
        """Names the choice in file names."""
        kind = "" if len(self.players) == len(_NAMES) else "-grouped"
        return f"{self.system}-{self.model}{kind}-{self.name}-{self.group}"


def _system_title(system: str, model: str) -> str:
    if system == model and system not in NETWORKS:
        return cache.report_title(model)
    return NETWORKS.get(system) or SYSTEM_TITLES.get(system, system)


def choose_model() -> str:
    """The model to explain, kept in the URL."""
    return TASKS[widgets.named_choice("Task", {title: QUESTIONS[name] for title, name in TASKS.items()}, "model")]


def choose(model: str) -> Shown:
    """What to explain, kept in the URL; what is seldom changed is folded."""
    baselines = cache.table_if_stored(model, Table.SHAP_BASELINES)
    titles = {_system_title(one, model): one for one in (model, *(() if baselines is None else baselines["system"]))}
    own = next(iter(titles))
    address.take("system", titles, own)
    title = str(st.session_state["system"])
    system = titles[title]
    if system == model or baselines is None:
        table, unit = cache.table(model, Table.SHAP), "probability"
    else:
        table = baselines[baselines["system"] == system].reset_index(drop=True)
        unit = str(table["unit"].iloc[0])
    groups = ordered(table["species"])
    group = groups[0]
    offered = {EVERYTHING: "all species", **{one: one for one in groups}}
    if len(groups) > 1:
        address.take("species", offered, EVERYTHING)
        group = str(st.session_state["species"])
    with st.popover(f"{title}, {offered[group]}", icon=":material/tune:", help="Choose system and species"):
        st.selectbox("System", list(titles), key="system")
        address.put("system", title, own)
        if len(groups) > 1:
            widgets.named_choice("Species", offered, "species")
    grouped = cache.table_if_stored(model, Table.SHAP_GROUPS) if system == model else None
    players = widgets.choice(
        "Explain by",
        [*([GROUPED] if grouped is not None else []), SINGLE],
        "by",
        help="The same quantity under four stimuli is one thing measured four times, and the four share its "
        "credit. By quantity, the four are revealed together and credited together (the Shapley value of the "
        "group, to which Owen's values of its members add up).",
    )
    if players != SINGLE and grouped is not None:
        table = grouped
    name = widgets.choice("Towards", ordered(table["class"]), "class", format_func=label_of)
    return Shown(model, system, name, group, unit, table)


def footing(shown: Shown) -> None:
    """Model, cells, background and the gap between values and output."""
    gap, what = additivity(shown)
    if shown.unit != "probability":
        st.caption(f"Here SHAP values are in {escaped(shown.unit)}, not in percentage points of probability.")
    how = "walks from every prototype in random orders and back"
    if not shown.own:
        how = str(shown.table["explainer"].iloc[0])
    background = "k-means prototypes of the training cells, 12 per species"
    if "XGBoost" in how:
        background = "the training cells in its trees' leaves"
    text = f"{shown.title}: {shown.cells}. Values in {shown.unit}, by {how}; relative to {background}."
    if gap > 1e-3:
        st.error(
            f"Base plus values misses the {what} by up to {gap:.1e} ({shown.unit}); at most 1e-3 is expected. Do not "
            "rely on this page until the model's report has been made anew.",
            icon=":material/warning:",
        )
    with st.expander("How these values were computed", icon=":material/info:"):
        st.caption(f"{escaped(text, 500)} Base plus values equals the {what} within {gap:.0e}.")


@st.cache_data(max_entries=16, show_spinner=False)
def _gap(model: str, grouped: bool, stamp: str) -> float | None:  # noqa: ARG001 (part of the key)
    table = cache.table(model, Table.SHAP_GROUPS if grouped else Table.SHAP)
    predictions = cache.table(model, Table.PREDICTIONS)
    first = predictions[predictions["repeat"] == 0].set_index("id")
    players = [column for column in table.columns if column in BY_NAME or column in quantities()]
    total = table["base_value"].to_numpy() + table[players].to_numpy(dtype=float).sum(1)
    columns = {name: first[f"p_{name}"] for name in table["class"].unique() if f"p_{name}" in first}
    gaps = [
        np.abs(total[(table["class"] == name).to_numpy()] - p.reindex(table["id"][table["class"] == name]).to_numpy())
        for name, p in columns.items()
    ]
    known = np.concatenate(gaps) if gaps else np.empty(0)
    return float(np.nanmax(known)) if np.isfinite(known).any() else None


def additivity(shown: Shown) -> tuple[float, str]:
    """Largest gap between base plus values and the output, and which output."""
    grouped = len(shown.players) != len(_NAMES)
    if shown.own:
        gap = _gap(shown.model, grouped, cache.stamp(shown.model))
        if gap is not None:
            return gap, "probability stored with the held-out predictions"
    if "error" in shown.table:
        return float(shown.table["error"].max()), "system's output"
    return float("nan"), "system's output"


def deciles(model: str, ids: pd.Series, players: list[str]) -> pd.DataFrame:
    """Decile, 1–10, of each player in each cell; of a quantity the mean over its features; NaN where missing."""
    found = cache.table(model, Table.DECILES).drop_duplicates("id").set_index("id")
    table = found.reindex(ids)[_NAMES].reset_index(drop=True).astype(float)
    table = table.where(table >= 1)
    members = quantities()
    return pd.DataFrame(
        {name: table[name] if name in BY_NAME else table[list(members[name])].mean(axis=1) for name in players}
    )


def beeswarm(shown: Shown) -> None:
    """SHAP values of many cells."""
    part = shown.rows.sample(min(SHOWN_CELLS, len(shown.rows)), random_state=0)
    features = shown.ranking[:SHOWN_FEATURES]
    drawn = f"{len(part):,} of them are drawn, with a fixed seed; " if len(part) < len(shown.rows) else ""
    values, places = part[features].reset_index(drop=True), deciles(shown.model, part["id"], features)
    every = shown.rows[features].reset_index(drop=True), deciles(shown.model, shown.rows["id"], features)
    widgets.figure(
        charts.beeswarm(
            values,
            places,
            features,
            unit=shown.unit,
            means=every[0].abs().mean().to_dict(),
            towards=label_of(shown.name),
        ),
        f"beeswarm-{shown.key}",
        shown.rows,
        finding=findings.strongest(*every, features, label_of(shown.name), shown.unit),
        caption=f"{shown.title}, towards {label_of(shown.name)}: {shown.cells}, bold: mean |SHAP| over them, "
        f"which is the order; {drawn}right of 0: favours the class in that cell. A value counts given the cell's "
        "others: of correlated features, such as fast trough and trough, one may count the other way than it would "
        f"alone.{_opposed(shown)}",
        needs_room=True,
    )


def _what(shown: Shown) -> str:
    """What the values are of."""
    return "features" if len(shown.players) == len(_NAMES) else "quantities"


def _opposed(shown: Shown) -> str:
    """Why one quantity may pull both ways, where features stand alone."""
    if _what(shown) == "quantities":
        return ""
    return (
        " The same quantity under another stimulus can pull the other way: the two go together, and the model sets one "
        f"off against the other. Explained by {GROUPED}, they are credited as one."
    )


def importance(shown: Shown) -> None:
    """Mean |SHAP| by class, and by species where there are two."""
    options = ["class", *(["species"] if shown.table["species"].nunique() > 1 else [])]
    by = options[0]
    if len(options) > 1:
        by = widgets.choice("Compare", options, "compare", default=options[-1], format_func=lambda o: f"by {o}")
    rows = shown.table[shown.table["class"] == shown.name] if by == "species" else shown.table
    if by == "class" and shown.group != EVERYTHING:
        rows = rows[rows["species"] == shown.group]
    means = rows.groupby(by)[shown.players].apply(lambda part: part.abs().mean()).T
    means = means[ordered(means.columns)]
    ranks, finding = means.rank(), findings.concentration(means, what=_what(shown))
    means = means.loc[shown.ranking[:SHOWN_FEATURES]]
    what = f"towards {label_of(shown.name)}, in each species" if by == "species" else "towards each class"
    caption = f"{shown.title}, mean |SHAP| {what}: {rows['id'].nunique():,} held-out cells{_each(rows, by)}."
    caption += (
        f" Ordered as on the other views: by mean |SHAP| towards {label_of(shown.name)} over "
        f"{shown.rows['id'].nunique():,} cells."
    )
    if by == "species":
        alike = float(np.corrcoef(ranks.to_numpy().T)[0, 1])
        caption += f" Rank correlation of the {len(ranks)} between the species: {alike:.2f} (−1 to 1)."
    elif means.shape[1] == 2:
        caption += " Probabilities of two classes sum to 1, so that both bars are alike."
    widgets.figure(
        charts.importance(means, unit=shown.unit),
        f"importance-{shown.key}-{by}",
        means.rename_axis("feature").reset_index(),
        finding=finding,
        caption=caption,
    )


def _each(rows: pd.DataFrame, by: str) -> str:
    """How many cells each group has; nothing where all groups are of the same cells."""
    if by != "species":
        return ""
    counts = rows.groupby(by)["id"].nunique()
    return f" ({', '.join(f'{counts[name]:,} {name}' for name in ordered(counts.index))})"


@st.cache_resource(max_entries=8, show_spinner="Clustering the cells")
def _ordered_rows(
    key: str,  # noqa: ARG001 (part of the key of the cache)
    stamp: str,  # noqa: ARG001
    _rows: pd.DataFrame,
    _players: list[str],
) -> pd.DataFrame:
    part = _rows.sample(min(SHOWN_CELLS, len(_rows)), random_state=0)
    rank = {name: k for k, name in enumerate(ordered(part["truth"]))}
    part = part.sort_values("truth", key=lambda t: t.map(rank), kind="stable")
    tree = cluster(part[_players].to_numpy(dtype=float), part["truth"])
    return part.iloc[tree.order]


def heat_map(shown: Shown) -> None:
    """Cells × features."""
    predictions = cache.table(shown.model, Table.PREDICTIONS).drop_duplicates("id").set_index("id")
    rows = shown.rows.assign(truth=shown.rows["id"].map(predictions["truth"]).fillna("unknown"))
    features = shown.ranking[:MAP_FEATURES]
    part = _ordered_rows(shown.key, cache.stamp(shown.model), rows, features)
    drawn = f"; {len(part):,} drawn with a fixed seed" if len(part) < len(rows) else ""
    widgets.figure(
        shap_maps.heat(part.set_index("id")[features], part["truth"].tolist(), features, unit=shown.unit),
        f"heat-{shown.key}",
        part,
        finding=findings.by_true_class(part, part["truth"].tolist(), features, shown.name, label_of(shown.name)),
        caption=f"{shown.title}, towards {label_of(shown.name)}: {shown.cells}{drawn}. Purple favours the class, green "
        "speaks against it; the cells' true class on top, within it average-linkage clustering; colours end at the 99% "
        "quantile of |SHAP|.",
        needs_room=True,
    )


def values_of(ids: pd.Series, feature: str) -> Floats | None:
    """The cells' values in shown units; None where those cells are not loaded or it is no single feature."""
    cells = cache.cohort()
    if feature not in BY_NAME or cells.simulated:
        return None
    found = cells.frame.set_index("id")[feature].reindex(ids) * BY_NAME[feature].display_factor
    return None if found.isna().all() else found.to_numpy()
