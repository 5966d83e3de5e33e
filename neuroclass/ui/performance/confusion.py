"""The confusion matrix, its cells one by one, and scores by class."""

from contextlib import nullcontext
from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import curves as curve_charts
from neuroclass.charts import evaluation as charts
from neuroclass.charts.theme import download_config, ordered
from neuroclass.evaluation import summaries
from neuroclass.evaluation.curves import one_against_rest
from neuroclass.evaluation.metrics import expected_calibration_error
from neuroclass.types.shares import percent
from neuroclass.ui import cache, widgets
from neuroclass.ui.address import put, take
from neuroclass.ui.text import escaped

TRUE, PUT = "true", "predicted"
NONE = "none"
_BESIDE = 3
"""Most classes whose matrix leaves room for the table of scores beside it."""
MOST_LINKED = 400
NOT_LOADED = "These recorded cells are not loaded: Explore can then not show them."
CURVES = {"roc": "ROC", "pr": "Precision and recall", "reliability": "Reliability"}


def matrix(predictions: pd.DataFrame, name: str, caption: str) -> None:
    """Confusion matrix; a click on a field lists its cells.

    Parameters
    ----------
    predictions : DataFrame
        Columns id, truth, predicted and, where there are several, repeat.
    name : str
        Of the figure and its files.
    caption : str
        Which cells, under which protocol.
    """
    classes = ordered(predictions["truth"])
    repeats = predictions["repeat"].nunique() if "repeat" in predictions else 1
    counts = summaries.confusion_counts(predictions, classes) / repeats
    what = f"cells, mean of {repeats} repeats" if repeats > 1 else "cells"
    with widgets.wide(name) if len(classes) > _BESIDE else nullcontext():
        event = st.plotly_chart(
            charts.confusion(counts, what=what),
            key=f"figure-{name}",
            on_select=lambda: _clicked(f"figure-{name}"),
            selection_mode="points",
            config=download_config(name),
            alt=caption,
        )
    del event
    widgets.figure_footer(name, lambda: counts.rename_axis("truth").reset_index(), caption=caption)


def _clicked(key: str) -> None:
    """Put the field that was clicked into the two selectors."""
    event: Any = st.session_state.get(key)
    points = (event or {}).get("selection", {}).get("points", [])
    if points and len(points[0].get("customdata", ())) == 2:
        st.session_state[TRUE], st.session_state[PUT] = points[0]["customdata"]


def cells_of(predictions: pd.DataFrame, truth: str, predicted: str) -> pd.DataFrame:
    """Cells of one class that were put into another (or the same), those most often so first.

    Parameters
    ----------
    predictions : DataFrame
        Columns id, species, truth, predicted, p_<class>.
    truth, predicted : str
        The field of the matrix.

    Returns
    -------
    DataFrame
        Columns cell, species, times (predictions so), of (predictions of the cell), probability (mean probability of
        the predicted class over all the cell's predictions, fraction of 1).
    """
    rows = predictions[predictions["truth"] == truth]
    grouped = rows.assign(so=rows["predicted"] == predicted).groupby("id")
    table = grouped.agg(
        species=("species", "first"), times=("so", "sum"), of=("so", "size"), probability=(f"p_{predicted}", "mean")
    )
    table = table[table["times"] > 0].sort_values(["times", "probability"], ascending=False)
    return table.reset_index().rename(columns={"id": "cell"})


def _cells_of(predictions: pd.DataFrame, classes: list[str]) -> None:
    take(TRUE, [NONE, *classes], NONE)
    take(PUT, [NONE, *classes], NONE)
    first, second, third = st.columns([2, 2, 5], vertical_alignment="bottom")
    with first:
        truth = st.selectbox("True class", [NONE, *classes], key=TRUE, format_func=_name)
    with second:
        predicted = st.selectbox("Predicted class", [NONE, *classes], key=PUT, format_func=_name)
    put(TRUE, truth, NONE)
    put(PUT, predicted, NONE)
    if NONE in (truth, predicted):
        third.caption("Click a field of the matrix, or choose two classes here, for its cells.")
        return
    table = cells_of(predictions, truth, predicted)
    if table.empty:
        third.caption(f"No cell labelled {escaped(label_of(truth))} was predicted {escaped(label_of(predicted))}.")
        return
    shown = table.head(MOST_LINKED)
    some = f" The link holds the {MOST_LINKED} first." if len(table) > MOST_LINKED else ""
    with third.container(horizontal=True, vertical_alignment="center"):
        link_to_cells(f"{len(shown):,} cells in Explore", shown["cell"].tolist())
        st.caption(
            f"{len(table):,} cells labelled {escaped(label_of(truth))} were predicted {escaped(label_of(predicted))} "
            f"at least once while held out.{some}"
        )
    st.dataframe(
        table,
        hide_index=True,
        height=min(300, 38 + 35 * len(table)),
        column_config={
            "cell": "Cell",
            "species": "Species",
            "times": st.column_config.NumberColumn("Predicted as this class (times)"),
            "of": st.column_config.NumberColumn("Predictions"),
            "probability": st.column_config.NumberColumn("Mean probability", format="percent"),
        },
    )
    widgets.csv_button(f"cells-{truth}-{predicted}", table)


def link_to_cells(label: str, ids: list[str]) -> None:
    """A link that opens these cells in Explore; without effect where none of them is loaded."""
    here = cache.cohort().frame["id"].isin(ids).any()
    st.link_button(
        label,
        f"explore?ids={quote(','.join(ids))}",
        icon=":material/scatter_plot:",
        disabled=not here,
        help=None if here else NOT_LOADED,
    )


def _name(option: str) -> str:
    return "–" if option == NONE else label_of(option)


def show(predictions: pd.DataFrame, name: str, caption: str) -> None:
    """Confusion matrix beside scores by class; then the cells of a field, and curves over the threshold, folded."""
    classes = ordered(predictions["truth"])
    widgets.say(hardest(predictions))
    beside = len(classes) <= _BESIDE
    left, right = st.columns([5, 4], gap="medium") if beside else (st.container(), st.container())
    with left:
        matrix(predictions, f"confusion-{name}", f"{caption}{_averaged(predictions)}")
    with right:
        table = class_table(predictions)
        st.table(table, hide_index=True)
        widgets.figure_footer(
            f"classes-{name}",
            summaries.class_scores(predictions, classes),
            caption="Precision: of the cells put into the class, those that belong to it. Recall: of the cells of the "
            "class, those that are found. F1: their harmonic mean.",
        )
    _cells_of(predictions, classes)
    with st.expander("By threshold: ROC, precision and recall, reliability", icon=":material/show_chart:"):
        by_threshold(predictions, name, caption)


def _averaged(predictions: pd.DataFrame) -> str:
    """That numbers of cells are means over repeats, and how many errors that makes."""
    if "repeat" not in predictions or predictions["repeat"].nunique() < 2:
        return ""
    return (
        f" Numbers of cells are means over the repeats, with {errors_a_repeat(predictions):.1f} errors in one; the "
        "view Where it errs counts each cell once, by its mean probability."
    )


def errors_a_repeat(predictions: pd.DataFrame) -> float:
    """How many cells one repeat gets wrong, on average."""
    wrong = predictions["truth"].astype(str) != predictions["predicted"].astype(str)
    return float(wrong.sum() / (predictions["repeat"].nunique() if "repeat" in predictions else 1))


def hardest(predictions: pd.DataFrame) -> str:
    """In a sentence a species: which class is missed most often, and for which other one."""
    species = predictions["species"].astype(str) if "species" in predictions else pd.Series("", predictions.index)
    names = ordered(species)
    if len(names) < 2:
        return _hardest(predictions)
    return " ".join(f"{name.capitalize()}: {_hardest(predictions[species == name])}" for name in names)


def _hardest(predictions: pd.DataFrame) -> str:
    """In a sentence: which class is missed most often, and for which other one; none where intervals overlap."""
    classes = ordered(predictions["truth"])
    shares = summaries.confusion_counts(predictions, classes)
    shares = shares.div(shares.sum(axis=1), axis=0)
    recall = pd.Series({name: shares.loc[name].get(name, 0.0) for name in shares.index})
    n_cells = predictions.groupby(predictions["truth"].astype(str))["id"].nunique().reindex(recall.index).to_numpy()
    low, high = (
        pd.Series(end, recall.index) for end in summaries.wilson_interval(recall.to_numpy() * n_cells, n_cells)
    )
    truth = str(recall.idxmin())
    alike = recall[low <= high[truth]].sort_values()
    listed = [f"{recall[name]:.1%} of {label_of(str(name))}" for name in alike.index]
    if len(alike) == len(recall) > 1:
        joined = " and ".join((", ".join(listed[:-1]), listed[-1]))
        return f"No clear difference between the classes: {joined} cells are classified correctly."
    if len(alike) > 1:
        joined = " and ".join((", ".join(listed[:-1]), listed[-1]))
        return f"Missed most often, with no clear difference between them: {joined} cells are classified correctly."
    others = shares.loc[truth].drop(truth, errors="ignore")
    name = label_of(truth)
    text = f"{name[:1].upper()}{name[1:]} cells are missed most often: {recall[truth]:.1%} are classified correctly"
    if others.empty or others.max() == 0:
        return f"{text}."
    return f"{text}, {others.max():.1%} as {label_of(str(others.idxmax()))}."


def class_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Precision, recall and F1 of each class as people read them."""
    scores = summaries.class_scores(predictions, ordered(predictions["truth"]))
    shown = {"True class": [label_of(str(name)) for name in scores["class"]]}
    shown |= {title: [percent(one) for one in scores[title.lower()]] for title in ("Precision", "Recall", "F1")}
    n_cells = predictions.groupby(predictions["truth"].astype(str))["id"].nunique()
    return pd.DataFrame(shown).assign(Cells=[f"{n_cells[str(name)]:,}" for name in scores["class"]])


def by_threshold(predictions: pd.DataFrame, name: str, caption: str) -> None:
    """One of ROC, precision–recall and reliability."""
    classes = ordered(predictions["truth"])
    with st.container():
        kind = widgets.choice(
            "Curve", list(CURVES), "curve", format_func=CURVES.__getitem__, label_visibility="collapsed"
        )
        if kind == "reliability":
            bins = summaries.reliability_bins(predictions, classes)
            error = expected_calibration_error(predictions, classes)
            widgets.figure(
                charts.reliability(bins),
                f"reliability-{name}",
                bins,
                caption="Ten bins of equal numbers of predictions; calibration error (over ten bins of equal width) "
                f"{error:.1%}. "
                f"{caption}",
            )
            return
        lines, areas = one_against_rest(predictions, classes)
        if kind == "roc" and len(classes) == 2:
            lines, areas = (part[part["class"] == classes[0]] for part in (lines, areas))
        draw = curve_charts.roc if kind == "roc" else curve_charts.precision_recall
        widgets.figure(
            draw(lines, areas),
            f"{kind}-{name}",
            lines,
            caption="Each class against all others by its stated probability; areas are means over repeats, curves "
            f"pool them. {caption}",
        )
