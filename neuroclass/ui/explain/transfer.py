"""Human accuracy with and without human labels, with and without the adversary: what the Domains page is about."""

import pandas as pd
import streamlit as st

from neuroclass.evaluation.summaries import flatten_results
from neuroclass.reports.store import Table
from neuroclass.types.models import DANN
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import findings

PROTOCOLS = {
    "leave-species-out": "mouse cells only",
    "donor-cv": "mouse and human cells",
}
"""What had a label in training, by protocol; the page's question first."""
SYSTEMS = {
    DANN.name: "DANN",
    "dann-lambda0": "DANN without the adversary",
    "lasso": "Logistic regression (LASSO)",
}


def show() -> None:
    """The answer in a sentence, and the accuracies behind it; nothing where they are not stored."""
    table = accuracies(flatten_results(cache.report(DANN.name).metrics()))
    finding = findings.transfer(table)
    if not finding:
        return
    widgets.say(finding)
    shown = pd.DataFrame({"Labels in training": [PROTOCOLS[name] for name in dict.fromkeys(table["protocol"])]})
    for system, title in SYSTEMS.items():
        rows = table[table["system"] == system].set_index("protocol")
        if len(rows):
            shown[title] = [_share(rows, name) for name in dict.fromkeys(table["protocol"])]
    st.table(shown, hide_index=True)
    st.caption(
        f"Accuracy in {int(table['cells'].min()):,} human cells of the database (95% interval over donors), excitatory "
        f"or inhibitory.{_baseline()}"
    )
    with st.expander("What DANN does, and how this was measured", icon=":material/info:"):
        st.markdown(_ABOUT)


def _baseline() -> str:
    """How often the commonest class alone is right in human cells; empty where the predictions are not stored."""
    predictions = cache.table_if_stored(DANN.name, Table.PREDICTIONS)
    if predictions is None:
        return ""
    human = predictions[predictions["species"] == "human"].drop_duplicates("id")["truth"]
    return f" Always naming the commonest class is right in {human.value_counts(normalize=True).iloc[0]:.1%}."


_ABOUT = """
- **Why.** Spikes of the same class differ between mouse and human: what separates the classes in one **domain** (a
  species, or a laboratory) may mislead in the other.
- **How.** DANN learns features from which excitatory or inhibitory can be read while an **adversary**, another network,
  tries to guess the species from them and is made to fail. **λ** is the adversary's weight in training; 0 means none.
- **Mouse cells only.** No human label is used, but class proportions are estimated from the unlabelled human cells.
- **Mouse and human cells.** Donor-grouped 5-fold cross-validation, repeated five times.
- **Why DANN is built in all the same.** Trained with labels of both species, as here, it is as accurate as the best of
  14 systems within the error of the measurement (Performance), and one network answers for both species. Where a
  species has no labels at all, logistic regression is the better choice.
"""


def accuracies(results: pd.DataFrame) -> pd.DataFrame:
    """Human accuracy of the systems under both protocols.

    Parameters
    ----------
    results : DataFrame
        From `neuroclass.evaluation.summaries.flatten_results`.

    Returns
    -------
    DataFrame
        Columns system, protocol, mean, low, high (fractions) and cells; the page's question first.
    """
    if results.empty:
        return pd.DataFrame(columns=["system", "protocol", "mean", "low", "high", "cells"])
    wanted = (results["group"] == "human") & (results["metric"] == "accuracy")
    rows = results[wanted & results["system"].isin(SYSTEMS) & results["protocol"].isin(PROTOCOLS)]
    rank = {name: k for k, name in enumerate(PROTOCOLS)}
    rows = rows.sort_values("protocol", key=lambda names: names.map(rank), kind="stable")
    return rows[["system", "protocol", "mean", "low", "high", "cells"]].reset_index(drop=True)


def _share(rows: pd.DataFrame, protocol: str) -> str:
    """An accuracy with its interval; an en dash where it was not measured."""
    if protocol not in rows.index:
        return "–"
    mean, low, high = (100 * float(rows.loc[protocol, name]) for name in ("mean", "low", "high"))
    return f"{mean:.1f}%" if low != low else f"{mean:.1f}% ({low:.1f} to {high:.1f}%)"
