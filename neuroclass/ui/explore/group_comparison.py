"""Compare groups of cells: named selections, all features ranked, one feature's distribution."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from neuroclass.charts import cohort as charts
from neuroclass.charts import points
from neuroclass.charts.parallel import parallel as parallel_lines
from neuroclass.charts.theme import species_groups
from neuroclass.cohort.compare import DONOR, OTHERS, compare_selections, compare_within
from neuroclass.cohort.selections import MOST_NAMED, clean_name, decode_named, encode_named
from neuroclass.errors import SettingsError
from neuroclass.features import BY_NAME, FEATURE_NAMES, signed
from neuroclass.ui import address as address_of
from neuroclass.ui import widgets
from neuroclass.ui.cells import own_cells
from neuroclass.ui.cells.own_cells import OwnCell
from neuroclass.ui.explore import overlaid
from neuroclass.ui.explore.axes import name_of
from neuroclass.ui.explore.explore import COLOURS
from neuroclass.ui.text import escaped, stated_p

NAMED, ADDRESS = "named", "sets"
SELECTED, REST = "the selection", "all others after the filters"
FIRST_AXES = ("width", "upstroke_downstroke_ratio", "sag", "tau", "ri", "f_i_curve_slope", "vrest")
TESTED = (
    "Cliff's delta (−1 to 1): the chance that a cell of the first group is above one of the second, less that of the "
    "opposite. p: Mann–Whitney U test of donors, each with the median of its cells in the group, for cells of a donor "
    "are not independent; Holm-corrected over the {what}."
)
MOST_PAIRS = 11
"""Rows of the table of tests that are seen without scrolling."""
WHISKERS = "median and quartiles, whiskers to the farthest cell within 1.5 interquartile ranges of the box"
ACROSS = "Groups of different species differ by class and by species at once; neither can be told from the other."


def selections(frame: pd.DataFrame, picked: pd.DataFrame | None, everyone: pd.DataFrame, simulated: bool) -> None:
    """Let the user name selections and compare two of them.

    Parameters
    ----------
    frame : DataFrame
        Cells after the filters.
    picked : DataFrame or None
        The selected ones.
    everyone : DataFrame
        All loaded cells, to which named selections refer regardless of filters.
    simulated : bool
        Whether the cells are simulated.
    """
    named = _named(everyone["id"].tolist())
    st.markdown("**Compare two groups in all 41 features**")
    if picked is not None or named or len(frame) < len(everyone):
        _naming(frame if picked is None else picked, picked is not None, named)
    groups = {**({SELECTED: picked["id"].tolist()} if picked is not None else {}), **named}
    if not groups:
        st.caption(
            "Drag a box or lasso over cells in the scatter plot above, and they are compared with all others here, the "
            "largest difference first. A selection, or what passes the filters, can be kept under a name and compared "
            "with another."
        )
        return
    left, right = st.columns(2)
    with left:
        first = _one("a", list(groups), next(iter(groups)))
    with right:
        second = _one("b", [*(name for name in groups if name != first), REST], REST)
    a = everyone[everyone["id"].isin(groups[first])]
    b = everyone[everyone["id"].isin(groups[second])] if second != REST else frame[~frame["id"].isin(groups[first])]
    both = int(a["id"].isin(b["id"]).sum())
    if a.empty or b.empty:
        st.caption(f"{escaped(first)} has {len(a):,} and {escaped(second)} {len(b):,} cells; both need some.")
        return
    table = compare_selections(a, b)
    labels = f"{first} ({len(a):,})", f"{second} ({len(b):,})"
    shared = f" {both:,} cells are in both." if both else ""
    widgets.figure(
        points.effects(table, labels, simulated),
        "effects",
        table.drop(columns="name").rename(
            columns={"median_a": f"median {labels[0]}", "median_b": f"median {labels[1]}"}
        ),
        finding=_largest(table, first),
        caption=f"All {len(table)} features known in both, the largest effect first; paler: corrected p ≥ 0.05. "
        f"{TESTED.format(what=f'{len(table)} features')}{shared}",
        simulated=simulated,
    )


def _largest(table: pd.DataFrame, group: str) -> str:
    """The feature in which a group differs most from the other."""
    if table.empty:
        return ""
    name, delta = table["feature"].iloc[0], float(table["delta"].iloc[0])
    which = "higher" if delta > 0 else "lower"
    return (
        f"The largest difference: {name}, {which} in {group}. A random cell of it is above one of the other group in "
        f"{exceeds(delta):.0%} of pairs (Cliff's delta {signed_share(delta)})."
    )


def exceeds(delta: float) -> float:
    """Chance that a random cell of the first group exceeds one of the second, ties counted half, of Cliff's delta."""
    return (1 + delta) / 2


def _named(all_ids: list[str]) -> dict[str, list[str]]:
    if NAMED not in st.session_state:
        st.session_state[NAMED] = {}
        try:
            st.session_state[NAMED] = decode_named(st.query_params.get(ADDRESS, ""), all_ids)
        except SettingsError as error:
            st.warning(escaped(error), icon=":material/warning:")
    named: dict[str, list[str]] = st.session_state[NAMED]
    address_of.put(ADDRESS, encode_named(named, all_ids), "")
    return named


def _naming(rows: pd.DataFrame, selected: bool, named: dict[str, list[str]]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = "selected" if selected else "filtered"
        name = st.text_input(
            f"Name for the {len(rows):,} {what} cells", key="new_name", placeholder="such as fast-spiking", width=280
        )
        st.button(
            "Keep",
            icon=":material/bookmark_add:",
            disabled=not name or len(named) >= MOST_NAMED,
            on_click=_keep,
            args=(name, rows["id"].tolist()),
        )
        for kept, ids in list(named.items()):
            st.button(
                f"{escaped(kept)} ({len(ids):,})",
                key=f"drop-{kept}",
                icon=":material/close:",
                type="tertiary",
                help="Forget this selection",
                on_click=_drop,
                args=(kept,),
            )


def _keep(name: str, ids: list[str]) -> None:
    st.session_state[NAMED][clean_name(name)] = ids
    st.session_state["new_name"] = ""


def _drop(name: str) -> None:
    st.session_state[NAMED].pop(name, None)


def _one(key: str, options: list[str], default: str) -> str:
    address_of.take(key, options, default)
    label = "Compare" if key == "a" else "with"
    chosen = str(st.selectbox(label, options, key=key))
    address_of.put(key, chosen, default)
    return chosen


def distributions(rows: pd.DataFrame, default: str, simulated: bool, own: Mapping[str, OwnCell]) -> None:
    """One feature by group, with effect sizes and corrected tests between groups."""
    st.subheader("Distribution of a feature", anchor=False)
    left, right = st.columns([3, 1])
    names = list(FEATURE_NAMES)
    offered = [name for name in COLOURS if rows[name].notna().any()]
    with left:
        feature = widgets.pick("Feature", names, "feature_shown", names.index(default), format_func=name_of)
    with right:
        by = widgets.pick("By", offered, "by", format_func=name_of)
    widgets.figure(
        charts.distribution(rows, feature, by, simulated, own_cells.values(own, feature)),
        "distribution",
        lambda: rows[["id", by, feature]],
        caption=f"{BY_NAME[feature].definition} {_counted(int(rows[feature].count()))}: {WHISKERS}."
        f"{overlaid.missing(own, [feature])}",
        simulated=simulated,
    )
    _tests(rows, feature, by, simulated)


def _counted(n_cells: int) -> str:
    return f"{n_cells:,} cell{'' if n_cells == 1 else 's'}"


def _tests(rows: pd.DataFrame, feature: str, by: str, simulated: bool) -> None:
    """Whether the groups of one figure differ, within each species unless the user asks for more."""
    groups, colours = species_groups(rows, by)
    several = by != "species" and rows["species"].nunique() > 1
    with st.container(border=True):
        st.markdown("**Do the groups differ?**")
        across = several and st.toggle("Compare across species too", key="across", bind="query-params", help=ACROSS)
        table = compare_within(
            rows[feature], groups, list(colours), rows["species"] if several and not across else None, rows.get(DONOR)
        )
        if table.empty:
            st.caption("There is only one group with values.")
            return
        all_others = (table["b"] == OTHERS).any()
        what = f"{len(table)} groups, each against all others" if all_others else f"{len(table)} pairs"
        first = table.iloc[0]
        widgets.say(
            f"The largest difference: a random cell of {first['a']} is above one of {first['b']} in "
            f"{exceeds(first['delta']):.0%} of pairs."
        )
        within = " of its species" if all_others and several and not across else ""
        st.dataframe(
            pd.DataFrame(
                {
                    "Group": table["a"],
                    "Against": table["b"],
                    "Above it": [100 * exceeds(delta) for delta in table["delta"]],
                    "Cliff's delta": table["delta"].map(signed_share),
                    "Donors": [f"{a:,} and {b:,}" for a, b in zip(table["donors_a"], table["donors_b"], strict=True)],
                    "p, corrected": table["p_holm"].map(stated_p),
                }
            ),
            hide_index=True,
            height=widgets.table_height(len(table), MOST_PAIRS),
            column_config={
                "Above it": st.column_config.ProgressColumn(
                    "Chance to be above (%)",
                    min_value=50 if (table["delta"] >= 0).all() else 0,
                    max_value=100,
                    format="%.0f%%",
                    help="How often a random cell of the group is above a random cell of the one it is compared with; "
                    "50%: no difference, ties counted half.",
                ),
                "Cliff's delta": st.column_config.TextColumn(alignment="right"),
                "Donors": st.column_config.TextColumn(alignment="right"),
                "p, corrected": st.column_config.TextColumn("p, corrected", alignment="right"),
            },
        )
        widgets.figure_footer("groups", table, caption=TESTED.format(what=f"{what}{within}"), simulated=simulated)


def signed_share(value: float) -> str:
    """A number from −1 to 1 to two decimals with its sign, a true minus."""
    return signed(value, 2)


def more(
    frame: pd.DataFrame,
    picked: pd.DataFrame | None,
    everyone: pd.DataFrame,
    simulated: bool,
    own: Mapping[str, OwnCell],
) -> None:
    """Selections compared, and cells as lines; folded until either has something to show."""
    shown = picked is not None or bool(st.session_state.get(NAMED)) or ADDRESS in st.query_params
    shown = shown or bool(st.session_state.get("parallel")) or "parallel" in st.query_params
    with st.expander("Compare two groups in all features; cells as lines", icon=":material/compare:", expanded=shown):
        selections(frame, picked, everyone, simulated)
        parallel(frame if picked is None else picked, simulated, own)


def parallel(rows: pd.DataFrame, simulated: bool, own: Mapping[str, OwnCell]) -> None:
    """Cells as lines across several features."""
    st.markdown("**Cells as lines across features**")
    if not st.toggle("Show parallel coordinates", key="parallel", bind="query-params"):
        return
    left, right = st.columns([3, 1])
    offered = [name for name in COLOURS if rows[name].notna().any()]
    with left:
        features = st.multiselect(
            "Axes",
            list(FEATURE_NAMES),
            default=[name for name in FIRST_AXES if rows[name].notna().any()],
            key="axes",
            bind="query-params",
            format_func=name_of,
            max_selections=12,
        )
    with right:
        colour = widgets.pick("Colour of lines", offered, "lines_by", format_func=name_of)
    if len(features) < 2:
        st.caption("Choose two features or more.")
        return
    chosen = [(name, BY_NAME[name].title, BY_NAME[name].display_factor) for name in features]
    widgets.figure(
        parallel_lines(
            rows, chosen, colour, simulated=simulated, own={name: one.features for name, one in own.items()}
        ),
        "parallel",
        lambda: rows[["id", colour, *features]],
        caption="One line per cell that has all of these features, at most 600, evenly chosen; each axis from the 1st "
        f"to the 99th percentile of the cells shown.{overlaid.missing(own, features)}",
        simulated=simulated,
    )
