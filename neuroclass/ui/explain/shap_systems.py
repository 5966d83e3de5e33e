"""Which features each system rests on: DANN or LSPIN beside the baselines."""

import pandas as pd
import streamlit as st

from neuroclass.charts import shap_maps
from neuroclass.evaluation.names import SYSTEM_TITLES
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import Table
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import findings
from neuroclass.ui.explain.shap_values import NETWORKS, SHOWN_FEATURES


def systems(model: str) -> None:
    """Which features each system rests on."""
    baselines = cache.table_if_stored(model, Table.SHAP_BASELINES)
    if baselines is None:
        st.info("Explanations of the baselines are not stored with this model.", icon=":material/info:")
        return
    ids = set(baselines["id"])
    own = cache.table(model, Table.SHAP)
    found = {NETWORKS[model]: own[own["id"].isin(ids)]}
    found |= {SYSTEM_TITLES.get(str(name), str(name)): rows for name, rows in baselines.groupby("system", sort=False)}
    means = pd.DataFrame({title: rows[list(FEATURE_NAMES)].abs().mean() for title, rows in found.items()})
    share = means / means.sum()
    share = share.loc[share.mean(axis=1).sort_values(ascending=False).index]
    alike = share.rank().corr()[NETWORKS[model]].drop(NETWORKS[model])
    widgets.figure(
        shap_maps.shares(share.head(SHOWN_FEATURES)),
        f"systems-{model}",
        share.rename_axis("feature").reset_index(),
        finding=findings.alike(alike, NETWORKS[model]),
        caption=f"Share (%) of a system's summed mean |SHAP| that a feature carries, over {len(ids)} held-out cells of "
        "one fold of donor-grouped cross-validation, all classes together. Units differ between systems (probability "
        "or log-odds), so only shares are compared.",
    )
