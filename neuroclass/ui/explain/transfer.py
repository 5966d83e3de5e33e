"""Human accuracy with and without human labels, with and without the adversary: what the Domains page is about."""

import pandas as pd
import streamlit as st

from neuroclass.charts import domains as charts
from neuroclass.evaluation.summaries import flatten_results
from neuroclass.reports.store import Table
from neuroclass.types.models import DANN
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import domains, findings

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


def show(embedding: pd.DataFrame) -> None:
    """The answer in a sentence, and the figures behind it; nothing where they are not stored."""
    table = accuracies(flatten_results(cache.report(DANN.name).metrics()))
    finding = findings.transfer(table)
    if not finding:
        return
    widgets.say(finding)
    left, right = st.columns(2, gap="medium")
    commonest = _commonest()
    with left:
        shown = table.assign(system=table["system"].map(SYSTEMS), protocol=table["protocol"].map(PROTOCOLS))
        widgets.figure(
            charts.transferred(table, SYSTEMS, PROTOCOLS, commonest),
            "transfer",
            shown,
            alt=f"Accuracy in human cells with {' and with '.join(PROTOCOLS.values())} labelled in training.",
            caption=f"{int(table['cells'].min()):,} human cells of the database, excitatory or inhibitory; by what had "
            "labels in training. Lines: 95% intervals over donors."
            + ("" if commonest is None else f" Always naming the commonest class: {commonest:.1%}."),
        )
    with right:
        domains.strength_curve(embedding)
    with st.expander("What DANN does, and how this was measured", icon=":material/info:"):
        st.markdown(_ABOUT)


def _commonest() -> float | None:
    """Fraction of human cells that are of the commonest class; None where the predictions are not stored."""
    predictions = cache.table_if_stored(DANN.name, Table.PREDICTIONS)
    if predictions is None:
        return None
    human = predictions[predictions["species"] == "human"].drop_duplicates("id")["truth"]
    return float(human.value_counts(normalize=True).iloc[0])


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
