"""How far gates, SHAP values and permutation importance agree, and survive retraining: on the SHAP and Gates pages."""

import pandas as pd
import streamlit as st

from neuroclass.charts import stability as charts
from neuroclass.charts.shap_charts import feature_label
from neuroclass.explain import stability
from neuroclass.reports.store import Table
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import findings
from neuroclass.ui.text import escaped

SHOWN_FEATURES = 16


@st.cache_data(max_entries=4, show_spinner="Comparing rankings")
def _compared(model: str, stamp: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, int]:  # noqa: ARG001 (part of the key)
    table = cache.table(model, Table.STABILITY)
    placed = stability.ranks(table)
    flags = stability.disagreements(table)
    rows = []
    for name in flags["feature"]:
        for method in dict.fromkeys(table["method"]):
            mine = placed.loc[name, method]
            rows.append((name, method, mine.mean(), mine.quantile(0.1), mine.quantile(0.9)))
    ranges = pd.DataFrame(rows, columns=["feature", "method", "rank", "low", "high"])
    ranges = ranges.merge(flags[["feature", "flagged"]], on="feature")
    return stability.agreement(table), flags, ranges, table["run"].nunique()


def section(model: str) -> None:
    """Agreement, ranks and disagreements."""
    if not cache.report(model).has(Table.STABILITY):
        st.info("Rankings over retrainings are not stored with this model.", icon=":material/info:")
        return
    agreed, flags, ranges, n_runs = _compared(model, cache.stamp(model))
    shown = flags["feature"].head(SHOWN_FEATURES)
    marked = flags[flags["flagged"]]
    widgets.say(findings.retraining(len(marked), len(flags), agreed))
    left, right = st.columns([3, 2])
    with left:
        st.markdown("**Rank of each feature**")
        widgets.figure(
            charts.rank_ranges(ranges[ranges["feature"].isin(shown)]),
            f"ranks-{model}",
            ranges,
            caption=f"{escaped(cache.report_title(model))}: mean rank over {n_runs} trainings (5 folds of "
            "donor-grouped cross-validation, and the first fold again with three other seeds), each on its held-out "
            "cells; lines: 10% to 90% of the trainings; ▲: ranked differently by method or training.",
        )
    with right:
        st.markdown("**Agreement of the rankings**")
        widgets.figure(
            charts.agreement(agreed),
            f"agreement-{model}",
            agreed,
            caption="Kendall's τ (−1 to 1) of the 41 ranks: off the diagonal between methods in the same training, on "
            "it between two trainings. SHAP: mean |SHAP|; permutation: loss of the true class' probability when a "
            "feature is permuted among cells.",
        )
    if marked.empty:
        st.caption(
            f"Of the features that a method ranks among the first {stability.HIGH}, none differs by more than "
            f"{stability.FAR} ranks between methods or trainings."
        )
        return
    table = marked.assign(feature=marked["feature"].map(feature_label)).drop(columns="flagged").round(1)
    with st.expander(f"{len(marked)} of 41 features are ranked differently by method or training: read them with care"):
        st.caption(
            f"Flagged where mean ranks by two methods, or the 10% and 90% quantiles of a method's ranks over "
            f"trainings, lie more than {stability.FAR} ranks apart, of features that some method ranks among the first "
            f"{stability.HIGH} in the mean; below, ranks are mostly chance."
        )
        titles = {
            "feature": "Feature",
            "between_methods": "Between methods (ranks)",
            "between_runs": "Over trainings (ranks)",
        }
        st.dataframe(table.rename(columns=titles), hide_index=True)
        widgets.figure_footer(f"disagreements-{model}", flags)
