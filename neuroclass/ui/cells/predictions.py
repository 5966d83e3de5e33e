"""What the models say of a cohort cell: held out of their training, or as shipped on a simulated cell."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from neuroclass.cell_types import Species, label_of
from neuroclass.charts.verdict import strips
from neuroclass.classification.result import Prediction
from neuroclass.classification.wording import stated
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.verdicts import SURE
from neuroclass.errors import NeuroClassError
from neuroclass.report.content import TITLES
from neuroclass.reports.store import Table
from neuroclass.types.models import DANN, HUMAN_SUBCLASS, LSPIN
from neuroclass.ui import cache, widgets
from neuroclass.ui.text import escaped

OUTCOMES = {
    "right": "Predicted correctly.",
    "wrong": "Predicted wrongly.",
    "uncertain": f"Uncertain: no class reaches {SURE:.0%}.",
}
HELD_OUT = "Mean of {n} predictions by models that saw no cell of this donor (donor-grouped cross-validation)."
SHIPPED = "By the built-in models, trained on recorded cells; here on a simulated cell's features."


def show(cells: Cohort, cell_id: str) -> None:
    """Every model's prediction, in words and as one bar."""
    st.subheader("Prediction" if cells.simulated else "Held-out prediction", anchor=False)
    if cells.simulated:
        _shipped(cells, cell_id)
    else:
        _held_out(cell_id)


def classes(cells: Cohort, cell_id: str) -> dict[str, str]:
    """The class that `show` predicts, by label column (``subclass`` of mouse cells, ``broad``) as far as there is one.

    Parameters
    ----------
    cells : Cohort
        The loaded cells.
    cell_id : str
        One of them.

    Returns
    -------
    dict of str to str
    """
    if cells.simulated:
        try:
            verdict = cache.verdict(cells, cell_id)
        except NeuroClassError:
            return {}
        given = {"broad": verdict.broad}
        if verdict.species == Species.MOUSE:
            given["subclass"] = verdict.subclass
        shares = {column: prediction.probabilities for column, prediction in given.items()}
    else:
        found = {"subclass": _held_out_shares(LSPIN.name, cell_id), "broad": _held_out_shares(DANN.name, cell_id)}
        shares = {column: one[0] for column, one in found.items() if one is not None}
    return {column: max(one, key=one.__getitem__) for column, one in shares.items() if one}


def _held_out_shares(model: str, cell_id: str) -> tuple[dict[str, float], int] | None:
    """Mean probabilities of a held-out cell and over how many predictions; None where there is none."""
    table = cache.table_if_stored(model, Table.PREDICTIONS)
    mine = None if table is None else table[table["id"] == cell_id]
    if mine is None or mine.empty:
        return None
    means = mine[[name for name in mine.columns if name.startswith("p_")]].mean()
    return {str(name).removeprefix("p_"): float(share) for name, share in means.items()}, len(mine)


def _held_out(cell_id: str) -> None:
    """Predictions of models that never saw the cell's donor."""
    predictions: dict[str, Prediction] = {}
    outcomes: dict[str, str] = {}
    repeats = 0
    for model in (LSPIN.name, DANN.name, HUMAN_SUBCLASS.name):
        found = _held_out_shares(model, cell_id)
        if found is None:
            continue
        shares, n_predictions = found
        predictions[model] = Prediction(model, shares, tuple(shares))
        outcomes[model] = OUTCOMES[cache.cell_verdicts(model, Table.PREDICTIONS).loc[cell_id, "verdict"]]
        repeats = max(repeats, n_predictions)
    if not predictions:
        st.caption("No model predicted this cell while it was held out.")
        return
    _figure(predictions, outcomes, HELD_OUT.format(n=repeats), simulated=False)


def _shipped(cells: Cohort, cell_id: str) -> None:
    """The shipped models' predictions for a simulated cell, which they were not trained on."""
    try:
        verdict = cache.verdict(cells, cell_id)
    except NeuroClassError as error:
        st.info(escaped(error, 600), icon=":material/info:")
        return
    given = (verdict.broad,) if verdict.species == Species.HUMAN else (verdict.subclass, verdict.broad)
    _figure({one.model: one for one in given}, {}, SHIPPED, simulated=True)


def _figure(
    predictions: Mapping[str, Prediction], outcomes: Mapping[str, str], caption: str, *, simulated: bool
) -> None:
    for model, prediction in predictions.items():
        outcome = f" **{outcomes[model]}**" if model in outcomes else ""
        st.markdown(f"**{escaped(TITLES.get(model, model))}:** {escaped(in_words(prediction))}.{outcome}")
    named = {TITLES.get(model, model): prediction for model, prediction in predictions.items()}
    rows = [(name, one, share) for name, each in named.items() for one, share in each.probabilities.items()]
    widgets.figure(
        strips(named, height=50 * len(named), named=True),
        "predictions",
        pd.DataFrame(rows, columns=["model", "class", "probability"]),
        caption=f"{caption} Bars run from 0 to 100%.",
        alt=f"Probabilities of the classes: {'; '.join(in_words(one) for one in predictions.values())}",
        simulated=simulated,
    )


def in_words(prediction: Prediction) -> str:
    """The likeliest class and the next, with their probabilities."""
    shares = prediction.probabilities
    first, second = sorted(shares, key=lambda name: -shares[name])[:2]
    return f"{label_of(first)} {stated(shares[first])}, then {label_of(second)} {stated(shares[second])}"
