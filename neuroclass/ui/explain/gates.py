"""Parts of the Gates page: many cells."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import gate_counts, gate_curves
from neuroclass.charts import gates as charts
from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import download_config, ordered
from neuroclass.explain.clustering import Tree, cluster
from neuroclass.explain.gate_tests import compare_classes
from neuroclass.features import BY_NAME, FEATURES, Stimulus
from neuroclass.reports.store import Table
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import findings
from neuroclass.ui.text import escaped

SHOWN_CELLS = 600
SHOWN_GATES = 14
WITHIN, ACROSS = "within classes", "across classes"
ALONE, BY_STIMULUS = "by likeness", "within stimuli"
NAMES = [spec.name for spec in FEATURES]
BY_STIMULUS_NAMES = [spec.name for stimulus in Stimulus for spec in FEATURES if spec.stimulus is stimulus]
OFTEN = 0.95
HOW = {"shut": "shut (other gates stay)", "hidden": "hidden (as if not recorded)"}


@st.cache_resource(max_entries=4, show_spinner="Clustering the gates")
def _trees(
    model: str,
    stamp: str,  # noqa: ARG001 (part of the key)
    within_class: bool,
    within_stimulus: bool,
) -> tuple[pd.DataFrame, Tree, Tree]:
    gates = cache.table(model, Table.GATES)
    if len(gates) > SHOWN_CELLS:
        gates = gates.sample(SHOWN_CELLS, random_state=0)
    order = {name: k for k, name in enumerate(ordered(gates["truth"]))}
    gates = gates.sort_values("truth", key=lambda t: t.map(order), kind="stable", ignore_index=True)
    values = gates[BY_STIMULUS_NAMES]
    stimuli = [BY_NAME[name].stimulus.value for name in BY_STIMULUS_NAMES] if within_stimulus else None
    rows = cluster(values.to_numpy(dtype=float), gates["truth"] if within_class else None)
    return gates, rows, cluster(values.to_numpy(dtype=float).T, stimuli)


def tiles(gates: pd.DataFrame, model: str) -> None:
    """Sparsity in numbers."""
    n_open = (gates[NAMES] > 0).sum(axis=1)
    always = int((gates[NAMES] > 0).mean().gt(OFTEN).sum())
    never = int((gates[NAMES] > 0).mean().lt(1 - OFTEN).sum())
    total = len(NAMES)
    widgets.say(findings.sparsity(n_open, total))
    with st.container(horizontal=True):
        for label, value in (
            ("Features used per cell, middle 90%", f"{n_open.quantile(0.05):.0f} to {n_open.quantile(0.95):.0f}"),
            (f"Gates open in over {OFTEN:.0%} of cells", f"{always} of {total}"),
            (f"Gates open in under {1 - OFTEN:.0%} of cells", f"{never} of {total}"),
        ):
            st.metric(label, value, border=True)
    st.caption(
        f"{escaped(cache.report_title(model))} on {gates['id'].nunique():,} held-out mouse cells, donor-grouped 5-fold "
        "cross-validation: gates by the network that did not see the cell. A gate is open where it is above 0."
    )
    with st.container(key="place-open"):  # one below the other where the page is narrow
        left, right = st.columns(2, gap="medium")
    with left:
        shares = (gates[NAMES] > 0).mean().sort_values(ascending=False).head(SHOWN_GATES)
        widgets.figure(
            gate_counts.open_shares(shares),
            "open-most",
            lambda: (gates[NAMES] > 0).groupby(gates["truth"]).mean().T.rename_axis("feature").reset_index(),
            finding=f"Open most often: {', '.join(findings.named(str(name)) for name in shares.index[:3])}.",
            caption=f"Share of all cells in which the gate is open; the {SHOWN_GATES} gates open most often.",
        )
    with right:
        widgets.figure(
            gate_counts.open_count(gates[NAMES], gates["truth"]),
            "open-gates",
            lambda: gates[["id", "truth", "predicted"]].assign(open=(gates[NAMES] > 0).sum(axis=1)),
            finding=findings.needs(n_open, gates["truth"].astype(str)),
            caption="Share of each class's cells by their number of open gates.",
        )


@st.fragment
def matrix(model: str) -> None:
    """The clustered gate matrix; dragging across it selects cells."""
    with st.container(horizontal=True):
        cells = widgets.choice("Cluster cells", [WITHIN, ACROSS], "cluster")
        columns = widgets.choice("Cluster features", [ALONE, BY_STIMULUS], "features")
    gates, rows, tree = _trees(model, cache.stamp(model), cells == WITHIN, columns == BY_STIMULUS)
    total = len(cache.table(model, Table.GATES))
    drawn = f"{len(gates):,} of {total:,}, drawn with a fixed seed," if len(gates) < total else f"all {total:,}"
    fig = charts.matrix(
        gates.set_index("id")[BY_STIMULUS_NAMES], gates["truth"], rows, tree, gates["predicted"].astype(str)
    )
    fig.update_layout(dragmode="select", selectdirection="h")
    finding = findings.always_open(cache.table(model, Table.GATES)[NAMES])
    widgets.say(finding)
    with widgets.wide("gate-matrix"):
        event: Any = st.plotly_chart(
            fig,
            key=f"figure-gate-matrix-{cells}-{columns}",
            config=download_config("gate-matrix", select=True),
            on_select="rerun",
            selection_mode=("box", "points"),
            alt=f"{finding} Gate matrix: features by held-out cells, grey where shut, blue where open",
        )
    widgets.figure_footer(
        "gate-matrix",
        lambda: gates.iloc[rows.order],
        caption=f"Held-out mouse cells, {drawn} donor-grouped cross-validation. Average-linkage clustering, cells "
        f"{cells}, features {columns}. The paper's Figure 9, turned so that features can be read, grey for shut (0) "
        "and blue for open (1). **Drag across the figure to select cells.**",
    )
    _selected(gates, event)


def _selected(gates: pd.DataFrame, event: Any) -> None:
    """The cells in the box."""
    points = event.selection.points if event else []
    found = [str(point["customdata"][0]) for point in points if isinstance(point.get("customdata"), (list, tuple))]
    chosen = gates[gates["id"].isin(found)]
    if chosen.empty:
        return
    right = (chosen["truth"] == chosen["predicted"]).mean()
    shares = chosen["truth"].value_counts(normalize=True)
    listed = ", ".join(f"{label_of(str(name))} {share:.0%}" for name, share in shares.items())
    with st.container(border=True):
        st.markdown(f"**{len(chosen)} cells selected**: {escaped(listed)}; {right:.0%} classified correctly.")
        means = pd.DataFrame({"selected": chosen[NAMES].mean(), "all others": gates.drop(chosen.index)[NAMES].mean()})
        means["difference"] = means["selected"] - means["all others"]
        means = means.reindex(means["difference"].abs().sort_values(ascending=False).index)
        with st.container(horizontal=True, vertical_alignment="center"):
            ids = ",".join(chosen["id"].head(300))
            st.link_button("These cells in Explore", f"explore?ids={ids}", icon=":material/scatter_plot:")
            widgets.csv_button("selected-gates", chosen, label="Their gates (CSV)")
        shown = means.head(8).round(2).rename(index=feature_label)
        st.dataframe(shown.rename_axis("mean gate (0 to 1) of").reset_index(), hide_index=True)


def by_class(gates: pd.DataFrame, model: str) -> None:
    """Mean gates by class with tests, and open gates per cell."""
    means = gates.groupby("truth")[BY_STIMULUS_NAMES].mean().loc[ordered(gates["truth"])]
    tests = _tests(model, cache.stamp(model))
    effects = tests.set_index("feature")["effect"]
    used = [name for name in means if means[name].max() >= charts.LEAST_MEAN]
    idle = [feature_label(str(name)) for name in means if name not in used]
    widgets.figure(
        charts.mean_by_class(means[used]),
        "mean-gates",
        means.reset_index(),
        finding=findings.gates_by_class(means, [label_of(str(name)) for name in means.index], effects),
        caption=f"Mean gate, 0 (shut in all) to 1 (open in all), over {gates['id'].nunique():,} held-out mouse cells "
        f"by true class; below 0.1 no number is written.{_left_out(idle)}",
        needs_room=True,
    )
    known = tests["p_holm"].notna()
    n_differ = int((tests["p_holm"] < 0.01).sum())
    shown = tests[known].head(41).assign(feature=tests["feature"].map(feature_label))
    shown = shown.assign(highest=shown["highest"].map(label_of), lowest=shown["lowest"].map(label_of))
    st.subheader("Which gates differ between classes?", anchor=False)
    st.dataframe(
        shown[["feature", "highest", "lowest", "effect"]],
        hide_index=True,
        height=widgets.table_height(len(shown), 10),
        column_config={
            "feature": "Feature",
            "highest": "Most open in",
            "lowest": "Least open in",
            "effect": st.column_config.ProgressColumn("ε² (0 to 1)", min_value=0.0, max_value=1.0, format="%.2f"),
        },
    )
    widgets.figure_footer(
        "gate-tests",
        tests,
        caption=f"Kruskal–Wallis test of each gate between the five classes: {n_differ} of {int(known.sum())} that "
        "are ever open differ at a Holm-corrected p below .01. Cells of one donor are not independent, so read ε², "
        "the share of the ranks' variance between classes, rather than p.",
    )


def _left_out(idle: list[str]) -> str:
    """Which features have no row, since their gates hardly ever open."""
    if not idle:
        return ""
    mean = f"below {charts.LEAST_MEAN:g} in every class"
    return f" Not drawn, with a mean {mean}: {escaped('; '.join(idle), 700)}."


@st.cache_data(max_entries=2, show_spinner="Testing the gates")
def _tests(model: str, stamp: str) -> pd.DataFrame:  # noqa: ARG001 (part of the key)
    gates = cache.table(model, Table.GATES)
    return compare_classes(gates, gates["truth"].astype(str).tolist(), NAMES)


def matter(model: str) -> None:
    """Deletion and insertion curves."""
    table = cache.table_if_stored(model, Table.DELETION)
    if table is None:
        st.info("Deletion curves are not stored with this model.", icon=":material/info:")
        return
    how = widgets.choice("A removed feature is", list(HOW), "how", format_func=HOW.__getitem__)
    rows = table[table["how"] == how]
    at = rows[(rows["curve"] == "deletion") & rows["features"].isin((0, 5))].set_index(["ranking", "features"])
    whole, random = float(at.loc[("gates", 0), "accuracy"]), float(at.loc[("random", 5), "accuracy"])
    gates = float(at.loc[("gates", 5), "accuracy"])
    widgets.figure(
        gate_curves.curves(rows),
        f"deletion-{how}",
        rows,
        finding=f"Without its five most open features accuracy falls from {whole:.1%} to {gates:.1%}, without five "
        f"random ones to {random:.1%}.",
        caption=f"{escaped(cache.report_title(model))}, {int(rows['cells'].iloc[0]):,} held-out mouse cells, "
        "donor-grouped 5-fold cross-validation; "
        f"each cell's own ranking; bands: 95% over donors; random: mean of 3 orders. A removed feature is {HOW[how]}. "
        "Features beyond the open ones are in random order.",
    )
