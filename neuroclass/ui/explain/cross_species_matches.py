"""Parts of the Domains page: the human cells nearest to a mouse cell."""

import pandas as pd
import streamlit as st

from neuroclass.charts import domains as charts
from neuroclass.charts.comparison import side_by_side
from neuroclass.charts.shap_charts import feature_label
from neuroclass.errors import NeuroClassError
from neuroclass.evaluation.summaries import percentile_in
from neuroclass.explain.cross_species_matches import N_NEAR, SURVIVES
from neuroclass.features import BY_NAME, FEATURE_NAMES, FEATURES, Stimulus
from neuroclass.reports.store import Table
from neuroclass.types.models import DANN
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import domains
from neuroclass.ui.text import escaped

_OF_RECORDING = [spec.name for spec in FEATURES if spec.stimulus is Stimulus.NONE]
"""What a person enters of the recording; a property of pipette and seal as much as of the cell."""
LARGEST = 12
"""Features that are drawn at first: those in which two matched cells differ most."""
_NAMES = [
    spec.name
    for stimulus in Stimulus
    for spec in FEATURES
    if spec.stimulus is stimulus and spec.name not in _OF_RECORDING
]
_TRACED = ("threshold_v_long_square", "sag", "threshold_v_short_square", "threshold_v_ramp", "width")


def table() -> pd.DataFrame | None:
    """Nearest human cells of every mouse cell; None where they are not stored."""
    return cache.table_if_stored(DANN.name, Table.MATCHES)


def choose(matches: pd.DataFrame, embedding: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """A mouse cell, kept in the URL, and its nearest human cells with their classes."""
    truth = embedding.drop_duplicates("id").set_index("id")["truth"]
    cell = widgets.pick(
        "Mouse cell",
        list(dict.fromkeys(matches["id"])),
        "cell",
        format_func=lambda c: f"{c}: {truth.get(c, 'unknown')}",
    )
    mine = matches[matches["id"] == cell].assign(truth=lambda t: t["twin"].astype(str).map(truth))
    return str(cell), mine


def section(embedding: pd.DataFrame, matches: pd.DataFrame) -> None:
    """The nearest human cells of a cell, whether they survive retraining, and both cells beside each other."""
    truth = embedding.drop_duplicates("id").set_index("id")["truth"]
    first = matches[matches["rank"] == 1]
    same = (first["id"].map(truth).to_numpy() == first["twin"].astype(str).map(truth).to_numpy()).mean()
    lasting = (first["found_again"] >= SURVIVES).mean()
    n_human = int((embedding.drop_duplicates("id")["species"] == "human").sum())
    widgets.say(
        f"For {same:.0%} of mouse cells the nearest human cell is of the same class; for {lasting:.0%} it is found "
        f"again in at least {SURVIVES:.0%} of the trainings."
    )
    cell, mine = choose(matches, embedding)
    st.markdown(f"**Nearest human cells in DANN's features** ({_number(matches, embedding)})")
    shown = pd.DataFrame(
        {
            "Rank": mine["rank"],
            "Human cell": mine["twin"],
            "Class": mine["truth"],
            "Distance (SD per DANN feature)": mine["distance"],
            "Found again": 100 * mine["found_again"],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "Rank": st.column_config.NumberColumn(width=60),
            "Found again": st.column_config.ProgressColumn(
                "Found again (% of trainings)", min_value=0, max_value=100, format="%.0f"
            ),
            "Distance (SD per DANN feature)": st.column_config.NumberColumn(format="%.2f"),
        },
    )  # fmt: skip
    widgets.figure_footer(
        "twins",
        matches,
        caption=f"Nearest human cells of mouse cell {escaped(cell)} ({escaped(truth.get(cell, 'unknown'))}) in DANN's "
        "features: root mean square distance over the ensemble's members, mean over the 5 trainings of donor-grouped "
        "cross-validation, most of which trained on these cells. Found again: share of the trainings in which the "
        f"cell is among the {N_NEAR} nearest of {n_human} human cells of the database, {N_NEAR / max(n_human, 1):.0%} "
        f"by chance; below {SURVIVES:.0%}, nearness is an accident of one network. The cell's own page lists "
        "the cells nearest in all measured features. They differ, for DANN's features keep what separates excitatory "
        "from inhibitory and drop the rest.",
    )
    others = mine["twin"].astype(str).tolist()
    domains.place(embedding, [cell, *others])
    st.subheader("The two cells, feature by feature", anchor=False)
    match = widgets.choice("Human cell", others, "twin")
    _features(cell, match)
    _traces(cell, match)


def _number(matches: pd.DataFrame, embedding: pd.DataFrame) -> str:
    """Of how many human cells the listed ones are the nearest."""
    n_human = int((embedding.drop_duplicates("id")["species"] == "human").sum())
    return f"the first {int(matches['rank'].max())} of {n_human}"


def _features(cell: str, match: str) -> None:
    """Where both cells' values stand, each in its own species."""
    cells = cache.cohort()
    frame = cells.frame.set_index("id")
    if not cells.simulated and {cell, match} <= set(frame.index):
        places = {}
        for key, one in (("mouse", cell), ("human", match)):
            mates = frame[frame["species"] == frame.loc[one, "species"]]
            places[key] = [percentile_in(mates[name], float(frame.loc[one, name])) for name in _NAMES]
        note = "percentiles of the loaded cells"
    else:
        deciles = cache.table(DANN.name, Table.DECILES).drop_duplicates("id").set_index("id")
        found = deciles.reindex([cell, match])[_NAMES].astype(float)
        found = 10 * found.where(found >= 1) - 5
        places = {"mouse": found.iloc[0].tolist(), "human": found.iloc[1].tolist()}
        note = "stored deciles, as the cells are not loaded"
    table = pd.DataFrame({"feature": _NAMES, **places})
    gap = (table["mouse"] - table["human"]).abs()
    table = table.loc[gap.sort_values(ascending=False).index]
    far = [feature_label(name) for name in table["feature"].head(3)]
    drawn = table if st.toggle("All features", key="all_features", bind="query-params") else table.head(LARGEST)
    widgets.figure(
        charts.matched_cells(drawn, f"human cell {match}"),
        f"twin-features-{cell}-{match}",
        table,
        finding=f"The two cells lie {gap.mean():.0f} percentiles apart on average; unrelated cells would lie 33 apart.",
        caption=f"Each cell's value among the cells of its own species ({note}), the largest difference first. "
        f"Farthest apart: {escaped('; '.join(far), 300)}. Left out, for they describe the recording more than the "
        f"cell: {escaped(' and '.join(BY_NAME[name].label for name in _OF_RECORDING))}.",
    )


def _traces(cell: str, match: str) -> None:
    """Sweeps of both cells, where they are at hand."""
    if not st.toggle("Show their sweeps", key="sweeps", bind="query-params"):
        return
    from neuroclass.report.places import aligned_on, compare, traced

    cells = cache.cohort()
    found = []
    for one, species in ((cell, "mouse"), (match, "human")):
        try:
            analysis = cache.analysis(cells.source, one)
        except NeuroClassError as error:
            analysis = str(error)
        if isinstance(analysis, str):
            st.info(f"No sweeps of {species} cell {escaped(one)}: {escaped(analysis, 500)}", icon=":material/info:")
            return
        found.append(traced(f"{species} cell {one}", analysis, cells.simulated))
    known = [name for name in (*_TRACED, *FEATURE_NAMES) if len(compare(found, name)) == len(found)]
    if not known:
        st.info("The two cells have no stimulus in common.", icon=":material/info:")
        return
    feature = st.selectbox("Sweeps that gave", list(dict.fromkeys(known)), format_func=feature_label)
    widgets.figure(
        side_by_side(compare(found, feature), aligned_on(feature)),
        f"twin-sweeps-{cell}-{match}",
        caption=f"{escaped(feature_label(feature))}, on the very sweeps it was measured on; same axes.",
        simulated=cells.simulated,
        needs_room=True,
    )
