"""The human subclass model on the Performance page."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import curves as curve_charts
from neuroclass.charts import evaluation as charts
from neuroclass.charts import gate_counts
from neuroclass.charts import gates as gate_charts
from neuroclass.charts.theme import ordered
from neuroclass.evaluation import summaries
from neuroclass.evaluation.names import HUMAN_SYSTEM_TITLES, LABORATORIES
from neuroclass.features import FEATURES, Stimulus
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.types.models import HUMAN_SUBCLASS
from neuroclass.types.shares import confidence, percent
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import human_labels
from neuroclass.ui.performance import confusion
from neuroclass.ui.text import escaped

METRICS = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "macro_f1": "Macro F1"}
VIEWS = {
    "systems": "Beside other systems",
    "answer": "Answer on Classify",
    "confusion": "Confusion matrix",
    "recordings": "Slices and stimuli",
    "learning": "Fewer donors",
    "gates": "Gates",
    "matches": "Mouse matches",
    "cells": "Training cells",
}
_HELD_OUT = "held-out human GABAergic cells, donor-grouped cross-validation"
TITLES = {
    "systems": f"Other systems: {_HELD_OUT}",
    "answer": "What Classify says of human cells: held-out cells of other laboratories, donor-grouped cross-validation",
    "confusion": "Confusion: held-out human cells, donor-grouped cross-validation",
    "recordings": f"By slice and stimuli: {_HELD_OUT}",
    "learning": f"Fewer training donors: {_HELD_OUT}",
    "gates": "Gates of LSPIN, one of the model's two voices: held-out human cells, donor-grouped cross-validation",
    "matches": "Nearest human GABAergic cells of the database's mouse GABAergic cells",
    "cells": "Cells of the training set, by class and source",
}
LEAST_P = 0.001


def show() -> None:
    """Tiles, then one of the views, kept in the URL."""
    report = cache.report(HUMAN_SUBCLASS.name)
    if not report.has(Document.METRICS):
        st.info(
            "No report is stored with this model. Whoever runs the server can make one; the documentation's page "
            "Command line says how, under the training of the human subclass model.",
            icon=":material/info:",
        )
        return
    results = report.metrics()
    ours = results[0]
    caption = (
        f"{ours['n_cells']} GABAergic cells of {ours['n_donors']} donors, each predicted {ours['n_repeats']} times; "
        "donor-grouped 5-fold cross-validation, in which no donor stands on both sides of a split. None of these cells "
        "is in the paper's table."
    )
    view = widgets.choice("View", list(VIEWS), "view", format_func=VIEWS.__getitem__)
    _tiles(ours)
    st.subheader(TITLES[view], anchor=False)
    if view == "systems":
        _systems(results, caption)
    elif view == "answer":
        _answer(ours, caption)
    elif view == "confusion":
        _confusion(caption)
    elif view == "recordings":
        _recordings(ours, caption)
    elif view == "learning":
        _learning(report)
    elif view == "gates":
        _gates()
    elif view == "matches":
        human_labels.agreement()
    else:
        _cells(report, ours)
    _sets(ours)


def _tiles(ours: dict[str, Any]) -> None:
    """One row: accuracy, balanced accuracy, macro F1, calibration error."""
    columns = widgets.tiles(4)
    for column, (metric, label) in zip(columns, METRICS.items(), strict=False):
        value = ours["metrics"][metric]
        column.metric(
            f"{label} ({ours['n_cells']:,} GABAergic cells)" if metric == "accuracy" else label,
            percent(value["mean"]),
            confidence(value),
            delta_color="off",
            delta_arrow="off",
        )
    columns[3].metric(
        "Calibration error",
        percent(ours["calibration_error"]),
        "10 bins of probability",
        delta_color="off",
        delta_arrow="off",
        help="Mean distance between the stated probability of the predicted class and how often it is correct.",
    )


def _sets(ours: dict[str, Any]) -> None:
    """What prediction sets keep of their promise, folded."""
    sets = ours["sets"]
    rows = [("Sets that hold the true class", f"{sets['coverage']:.0%}", percent(sets["shown"]))]
    rows += [
        (f"Sets of {name} cells that do", f"{sets['coverage']:.0%}", percent(n)) for name, n in sets["classes"].items()
    ]
    rows.append(("Classes in a set (mean number)", "", f"{sets['mean_size']:.2f}"))
    for source, share in ours["excitatory"].items():
        rows.append(
            (f"Excitatory cells called Glutamatergic, {LABORATORIES.get(source, (source,))[0]}", "", percent(share))
        )
    with st.expander("Do prediction sets keep their promise?", icon=":material/rule:"):
        table = pd.DataFrame(rows, columns=["Quantity", "Promised", "Held out"])
        st.table(table, hide_index=True)
        st.caption("Of the held-out predictions. A prediction set names every class that is not ruled out.")


def _systems(results: list[dict[str, Any]], caption: str) -> None:
    metric = widgets.choice("Metric", list(METRICS), "metric", format_func=METRICS.__getitem__)
    rows = pd.DataFrame(
        {"system": HUMAN_SYSTEM_TITLES[row["model"]], "published": False, **row["metrics"][metric]} for row in results
    )
    widgets.figure(
        charts.systems(rows, METRICS[metric], HUMAN_SYSTEM_TITLES[HUMAN_SUBCLASS.name]),
        f"human-systems-{metric}",
        rows,
        finding=f"{METRICS[metric]}: ours {rows['mean'].iloc[0]:.1%}, the best other system "
        f"{rows['mean'].iloc[1:].max():.1%}.",
        caption=f"{METRICS[metric]} of all systems on the same folds; 95% CI over donors. {caption}",
    )
    st.caption(
        f"Accuracy of ours minus theirs, percentage points: {', '.join(_difference(row) for row in results[1:])}. In "
        "parentheses the 95% interval and p of the sign-flip test over donors, not corrected for the number of systems."
    )


def _difference(row: dict[str, Any]) -> str:
    found = row["ours_minus_this"]
    p = f"p = {found['p']:.3f}" if found["p"] >= LEAST_P else f"p < {LEAST_P:g}"
    return (
        f"{HUMAN_SYSTEM_TITLES[row['model']]} {100 * found['difference']:+.1f} "
        f"({100 * found['low']:+.1f} to {100 * found['high']:+.1f}, {p})"
    )


def _answer(ours: dict[str, Any], caption: str) -> None:
    """The model's own figures beside those of the answer, into which DANN enters."""
    if "answer" not in ours:
        st.info("Figures of the combined answer are not stored with this model.")
        return
    rows: dict[str, dict[str, str]] = {}
    for name, part in (("The model alone", ours), ("The answer, with DANN", ours["answer"])):
        sets, metrics = part["sets"], part["metrics"]
        rows[name] = {
            **{label: percent(metrics[key]["mean"]) for key, label in METRICS.items()},
            "Calibration error": percent(part["calibration_error"]),
            "Excitatory cells called Glutamatergic": percent(part["excitatory"]["human_excitatory"]),
            "90% sets that hold the true class": percent(sets["shown"]),
            **{f"90% sets of {key} cells that do": percent(share) for key, share in sets["classes"].items()},
            "90% sets of excitatory cells that do": percent(sets["excitatory"]),
            "Classes in a set (mean number)": f"{sets['mean_size']:.2f}",
        }
    table = pd.DataFrame(rows).rename_axis("Of held-out predictions").reset_index()
    st.table(table, hide_index=True)
    low, high = (ours["answer"]["metrics"]["accuracy"][key] for key in ("low", "high"))
    st.caption(
        f"Accuracy of the answer: 95% CI over donors {low:.1%} to {high:.1%}. {caption} A human cell's probability "
        "of Glutamatergic is that of the human subclass model and of DANN, fitted to the cell's features, log odds "
        "weighted 4 to 1; DANN was trained on the database's cells only. Prediction sets have a limit for each class. "
        "Excitatory cells here are those of the other laboratory."
    )


def _confusion(caption: str) -> None:
    predictions = cache.table(HUMAN_SUBCLASS.name, Table.PREDICTIONS)
    classes = ordered(predictions["truth"])
    repeats = predictions["repeat"].nunique()
    counts = summaries.confusion_counts(predictions, classes) / repeats
    n_excitatory = predictions.loc[predictions["truth"] == classes[0], "id"].nunique()
    widgets.figure(
        charts.confusion(counts, what=f"cells, mean of {repeats} repeats"),
        "human-confusion",
        lambda: counts.rename_axis("truth").reset_index(),
        finding=confusion.hardest(predictions),
        needs_room=True,
        caption=f"{caption} With them, {n_excitatory} excitatory cells in the same folds.",
    )
    st.table(confusion.class_table(predictions), hide_index=True)
    widgets.csv_button("human-per-class", summaries.class_scores(predictions, classes))


def _recordings(ours: dict[str, Any], caption: str) -> None:
    predictions = cache.table(HUMAN_SUBCLASS.name, Table.PREDICTIONS)
    cells = predictions.drop_duplicates("id").groupby("condition")["id"].size()
    rows = [
        {"group": name, "cells": int(cells.get(name, 0)), **metrics["accuracy"]}
        for name, metrics in ours["groups"].items()
    ]
    conditions = pd.DataFrame(rows).rename(columns={"mean": "accuracy"}).assign(truth="human")
    widgets.figure(
        charts.by_group(conditions, "Slice"),
        "human-conditions",
        conditions.drop(columns="truth"),
        finding=f"Accuracy by slice: {_listed(conditions)}.",
        caption=f"Accuracy in acute slices and in slice culture; 95% CI over donors. {caption}",
    )
    stimuli = pd.DataFrame(
        {
            "group": name.replace("_", " ").replace("+", ", "),
            "cells": row["n_cells"],
            **{key: row[key] for key in ("accuracy", "low", "high", "balanced_accuracy", "macro_f1")},
        }
        for name, row in ours["stimuli"].items()
    ).assign(truth="human")
    widgets.figure(
        charts.by_group(stimuli, "Stimuli recorded"),
        "human-stimuli",
        stimuli.drop(columns="truth"),
        finding=f"Accuracy by stimuli: {_listed(_ends(stimuli))}.",
        caption=f"Accuracy where only these stimuli's features are known; 95% CI over donors. {caption}",
    )


def _ends(table: pd.DataFrame) -> pd.DataFrame:
    """The groups of the highest and of the lowest accuracy."""
    return table.loc[[table["accuracy"].idxmax(), table["accuracy"].idxmin()]]


def _listed(table: pd.DataFrame) -> str:
    return "; ".join(f"{row.group} {row.accuracy:.1%}" for row in table.itertuples())


def _learning(report: ReportStore) -> None:
    metric = widgets.choice("Metric", list(METRICS), "metric", format_func=METRICS.__getitem__)
    rows = report.learning()["cells"]
    table = pd.DataFrame({"model": r["model"], "number": r["n_donors"], **r["metrics"][metric]} for r in rows)
    widgets.figure(
        curve_charts.against_number(
            table, HUMAN_SYSTEM_TITLES, "Human training donors (number, logarithmic)", METRICS[metric]
        ),
        f"human-learning-{metric}",
        table,
        caption=f"{METRICS[metric]} on {rows[0]['n_cells']} held-out GABAergic cells of one repeat of donor-grouped "
        "cross-validation, trained on fewer donors of each fold; 95% CI over donors.",
    )


def _gates() -> None:
    gates = cache.table_if_stored(HUMAN_SUBCLASS.name, Table.GATES)
    if gates is None:
        st.info("No gates are stored with this model.", icon=":material/info:")
        return
    known = set(gates.columns)
    names = [
        spec.name for stimulus in Stimulus for spec in FEATURES if spec.stimulus is stimulus and spec.name in known
    ]
    means = gates.groupby(gates["truth"].astype(str))[names].mean()
    means = means.loc[ordered(means.index)]
    caption = f"{len(gates)} held-out cells of one repeat, excitatory among them; the gate of a missing feature is 0."
    widgets.figure(
        gate_charts.mean_by_class(means),
        "human-gates",
        lambda: means.rename_axis("truth").reset_index(),
        caption=f"Mean gate of each feature, 0 shut to 1 open. {caption} The kernel experts, the other voice, see all "
        "features that are there.",
    )
    widgets.figure(
        gate_counts.open_count(gates[names], gates["truth"]), "human-open", caption=f"Open gates of a cell. {caption}"
    )


def _cells(report: ReportStore, ours: dict[str, Any]) -> None:
    card = report.card()
    counts = card["training_cells"]["classes"]
    st.dataframe(
        pd.DataFrame({"Class": [name.removeprefix("human ") for name in counts], "Cells": list(counts.values())}),
        hide_index=True,
        height="content",
    )
    st.markdown("\n".join(f"- {escaped(source, 300)}" for source in card["sources"].values()))
    st.caption(
        f"{card['training_cells']['n_cells']} human cells of {card['training_cells']['n_donors']} donors, of which "
        f"{ours['n_cells']} are GABAergic. None of the GABAergic cells is in the paper's table. The model uses "
        f"{len(card['used_features'])} features of long squares, ramps and short squares: those that cells of every "
        "class have."
    )
