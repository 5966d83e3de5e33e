"""Parts of the Domains page: pictures and numbers."""

import pandas as pd
import streamlit as st

from neuroclass.charts import domains as charts
from neuroclass.charts import embedding as pictures_charts
from neuroclass.charts.theme import ordered
from neuroclass.reports.store import Table
from neuroclass.types.models import DANN
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import findings

COLOURS = {"species": "Coloured by species", "truth": "Coloured by class"}
RAW, PLAIN, SHIPPED = "raw", "lambda0", "dann"


def strengths(embedding: pd.DataFrame) -> dict[str, float]:
    """λ of each trained space, the weakest first; the shipped recipe's from the numbers, else from its card."""
    names = [str(space) for space in dict.fromkeys(embedding["space"]) if space != RAW]
    found = {name: float(name.removeprefix("lambda")) for name in names if name != SHIPPED}
    if SHIPPED in names:
        found[SHIPPED] = _shipped_strength()
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _shipped_strength() -> float:
    table = cache.table_if_stored(DANN.name, Table.DOMAINS)
    if table is None:
        return float(cache.report(DANN.name).card()["settings"]["reversal"])
    return float(table.loc[table["space"] == SHIPPED, "reversal"].iloc[0])


def choose(embedding: pd.DataFrame) -> str:
    """The space to look at, by the adversary's strength; kept in the URL."""
    known = strengths(embedding)
    names = list(known)
    return widgets.choice(
        "Weight of the adversary, λ",
        names,
        "space",
        default=SHIPPED if SHIPPED in known else names[-1],
        format_func=lambda name: f"{known[name]:g}{_remark(name)}",
        help="A network was trained with each λ. It weighs the reversed gradient of the species against the class.",
    )


def _remark(space: str) -> str:
    return {SHIPPED: " (built-in)", PLAIN: " (no adversary)"}.get(space, "")


def pictures(embedding: pd.DataFrame, _: pd.DataFrame | None) -> None:
    """The same cells in three spaces, above by species and below by class."""
    chosen = choose(embedding)
    names = [space for space in dict.fromkeys((RAW, PLAIN, chosen)) if space in set(embedding["space"])]
    n_cells = embedding["id"].nunique()
    known = strengths(embedding)
    titles = {RAW: "Input features", **{name: f"λ = {known[name]:g}{_remark(name)}" for name in known}}
    shown = embedding[embedding["space"].isin(names)]
    shown = shown.assign(space=shown["space"].astype(str).map(titles))
    if cache.report(DANN.name).has(Table.DOMAINS):
        widgets.say(_finding(_summary(cache.stamp(DANN.name)), chosen, known))
    widgets.figure(
        pictures_charts.aligned(shown, [titles[name] for name in names], COLOURS),
        f"umap-{chosen}",
        shown,
        alt=f"UMAP of {n_cells:,} cells in {len(names)} spaces, above coloured by species and below by class.",
        caption=f"The same {n_cells:,} held-out cells of the database in every panel, {_how()}. A UMAP's axes have no "
        "unit, and it is fitted to each space anew (fixed seed): compare which cells mix, not places between panels; "
        "distances between far groups mean little. Classify puts uploaded cells into such a map.",
    )


def place(embedding: pd.DataFrame, marked: list[str]) -> None:
    """A cell and those nearest to it among all cells, in the shipped network's features."""
    shown = embedding[embedding["space"] == (SHIPPED if SHIPPED in set(embedding["space"]) else RAW)]
    widgets.figure(
        pictures_charts.panels(shown.assign(space=shown["species"].astype(str)), ["mouse", "human"], "truth", marked),
        "umap-of-matches",
        shown,
        caption=f"{shown['id'].nunique():,} held-out cells of the database in one UMAP of DANN's features, the species "
        "side by side on the same axes. Nearness is measured in the features, not in this picture.",
    )


def _how() -> str:
    """How each cell's features came about, in words."""
    table = cache.table_if_stored(DANN.name, Table.DOMAINS)
    share = ""
    if table is not None:
        explained = table.loc[table["space"] == SHIPPED, "aligned"].iloc[0]
        share = f" (R² {explained:.2f} for the built-in λ)"
    return (
        "each placed by the network of its fold of donor-grouped cross-validation, which did not see it; the features "
        f"of the other folds are mapped linearly onto the first one's{share}"
    )


@st.cache_data(max_entries=2, show_spinner=False)
def _summary(stamp: str) -> pd.DataFrame:  # noqa: ARG001 (the key of the cache)
    table = cache.table(DANN.name, Table.DOMAINS)
    groups = table.groupby(["space", "measure"], sort=False)
    values = groups["value"].agg(["mean", "min", "max"]).rename(columns={"min": "low", "max": "high"})
    return values.assign(chance=groups["chance"].mean(), folds=groups.size()).reset_index()


def strength_curve(embedding: pd.DataFrame) -> None:
    """How well species and class are guessed from the features, by λ; nothing where that is not stored."""
    if not cache.report(DANN.name).has(Table.DOMAINS):
        return
    table, known = _summary(cache.stamp(DANN.name)), strengths(embedding)
    titles = {RAW: "inputs", **{space: f"{known[space]:g}" for space in known}}
    spaces = {space: title for space, title in titles.items() if space in set(table["space"])}
    widgets.figure(
        charts.against_strength(table, spaces),
        "domains-by-strength",
        alt="How often species and class are guessed right from the features, for networks of growing λ.",
        caption="Mouse or human near chance, excitatory or inhibitory near 100%: that is domain-invariant. Inputs: the "
        f"features before any network; λ = 0: no adversary; built in: {_shipped_strength():g}. Balanced accuracy of a "
        f"logistic regression on held-out cells, lines from the lowest to the highest of {int(table['folds'].max())} "
        "folds.",
    )


def numbers(embedding: pd.DataFrame, _: pd.DataFrame | None) -> None:
    """Mixing of species and separation of classes, measured."""
    if not cache.report(DANN.name).has(Table.DOMAINS):
        st.info("Numbers on mixing are not stored with this model.", icon=":material/info:")
        return
    chosen = choose(embedding)
    table = _summary(cache.stamp(DANN.name))
    known = strengths(embedding)
    spaces = {
        space: "Input features" if space == RAW else f"λ = {known[space]:g}"
        for space in (RAW, *known)
        if space in set(table["space"])
    }
    widgets.say(_finding(table, chosen, known))
    of_class = table["measure"].str.match(r"class |.* the same class$")
    columns = st.columns(2, gap="medium")
    for column, (key, rows, title) in zip(
        columns,
        (
            ("species", table[~of_class], "Mouse or human: removed if near chance"),
            ("class", table[of_class], "Excitatory or inhibitory: kept if near 100%"),
        ),
        strict=True,
    ):
        with column:
            st.subheader(title, anchor=False)
            widgets.figure(
                charts.measures(rows, spaces, chosen),
                f"domain-measures-{key}",
                rows,
                alt=f"{title}, in the input features and in networks trained with each λ.",
            )
    classes = " and ".join(ordered(embedding["truth"]))
    with columns[1].container(border=True):
        st.markdown("**How it was measured**")
        st.caption(
            "In the features, not on the map; held-out cells of the database, means over the 5 folds of donor-grouped "
            "cross-validation, lines from the lowest to the highest fold. Guessed right: balanced accuracy of a "
            "logistic regression on the features of the training cells. Neighbours: groups weighted alike. Neighbours "
            f"of the same species and distance within a class ({classes}), since class proportions differ between the "
            "species. Distance: how far the clouds of mouse and human cells lie apart as a whole (MMD², the squared "
            "maximum mean discrepancy, Gaussian kernel of median width); its chance level is the 95% quantile where "
            "species labels are permuted."
        )
        if note := _distance_note(table):
            st.caption(note)
        if SHIPPED in known:
            st.caption(
                f"λ = {known[SHIPPED]:g} was chosen in donor-grouped cross-validation: a stronger adversary cost "
                "accuracy in human cells, and none at all left more of the species in the features."
            )


def _distance_note(table: pd.DataFrame) -> str:
    """That training for the class alone moves the species apart, where it does."""
    rows = table[table["measure"].str.startswith("MMD")].set_index("space")["mean"]
    if not {RAW, PLAIN} <= set(rows.index) or rows[PLAIN] <= rows[RAW]:
        return ""
    return (
        f"Without the adversary the two species lie further apart than in the input features (MMD² {rows[PLAIN]:.2f} "
        f"against {rows[RAW]:.2f}), although the species of a single cell is harder to guess."
    )


def _finding(table: pd.DataFrame, chosen: str, known: dict[str, float]) -> str:
    """How well species and class are guessed from the chosen space and the input features."""
    by = table.set_index(["space", "measure"])["mean"]
    species, label = (
        (by.get((RAW, measure)), by.get((chosen, measure)))
        for measure in ("species told by a classifier", "class told by a classifier")
    )
    plain = by.get((PLAIN, "species told by a classifier"))
    return findings.domains(species, label, known[chosen], None if plain is None else float(plain))
