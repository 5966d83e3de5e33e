"""Every system beside every other: metrics, intervals, paired tests, published figures and why they differ."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import evaluation as charts
from neuroclass.evaluation.names import SYSTEM_TITLES
from neuroclass.evaluation.system_notes import SYSTEM_NOTES
from neuroclass.types.shares import with_interval
from neuroclass.ui import widgets
from neuroclass.ui.text import escaped

METRICS = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}
EVERYTHING = "all"
LEVEL = 0.05
TITLES = {
    "donor-cv": "Donor-grouped",
    "paper-split": "The paper's split",
    "leave-species-out": "Unseen species",
}
PROTOCOLS = {
    "donor-cv": "Donor-grouped cross-validation: 5 repeats of 5 folds, no donor on both sides.",
    "paper-split": "The paper's own split, not grouped by donor; five seeds, nothing chosen on its test cells.",
    "leave-species-out": "Trained on mouse labels only, tested on human cells whose labels are hidden; class "
    "proportions estimated from the unlabelled cells.",
}


def title_of(system: str, published: bool = False) -> str:
    """A system for people; a published figure says that it is one."""
    title = SYSTEM_TITLES.get(system, system)
    return f"{title.removesuffix(', ours')}, published" if published else title


def choose_protocol(table: pd.DataFrame) -> str:
    """The protocol whose figures are compared, kept in the URL."""
    found = [name for name in PROTOCOLS if name in set(table["protocol"])]
    if len(found) < 2:
        return found[0] if found else "donor-cv"
    return widgets.choice("Protocol", found, "protocol", format_func=TITLES.__getitem__)


def comparison(
    table: pd.DataFrame, results: list[dict[str, Any]], model: str, group: str, protocol: str
) -> pd.DataFrame:
    """A row per system: its metrics, and how ours differ from it.

    Parameters
    ----------
    table : DataFrame
        From `flatten_results`, ours and published.
    results : list of dict
        The stored results, for their paired tests.
    model : str
        ``dann`` or ``lspin``.
    group : str
        ``all`` or a species.
    protocol : str
        Name of the protocol.

    Returns
    -------
    DataFrame
        Columns system, accuracy, low, high, macro_f1, f1_low, f1_high (fractions), ours_minus_this, p (corrected by
        Holm), verdict, cells, source; the most accurate first.
    """
    rows = table[(table["protocol"] == protocol) & (table["group"] == group)]
    tests = {
        r["model"]: r["ours_minus_this"].get(group, {}) for r in results if "p_holm" in str(r.get("ours_minus_this"))
    }
    found = []
    for (system, published), part in rows.groupby(["system", "published"], sort=False):
        by = part.set_index("metric")
        test = tests.get(system, {}) if not published and protocol == "donor-cv" else {}
        record: dict[str, Any] = {
            "system": title_of(system, published),
            "source": "published" if published else "measured",
        }
        for metric, names in (
            ("accuracy", ("accuracy", "low", "high")),
            ("macro_f1", ("macro_f1", "f1_low", "f1_high")),
        ):
            values = by.loc[metric] if metric in by.index else {}
            record |= {name: values.get(key) for name, key in zip(names, ("mean", "low", "high"), strict=True)}
        record |= {"ours_minus_this": test.get("difference"), "p": test.get("p_holm"), "verdict": _verdict(test, model)}
        record["cells"] = part["cells"].iloc[0]
        found.append(record)
    frame = pd.DataFrame(found)
    return frame.sort_values("accuracy", ascending=False, ignore_index=True) if len(frame) else frame


def _verdict(test: dict[str, float], model: str) -> str:
    if not test:
        return ""
    if test["p_holm"] >= LEVEL:
        return "no difference shown"
    return f"{model.upper()} better" if test["difference"] > 0 else f"{model.upper()} worse"


def table_of(frame: pd.DataFrame) -> None:
    """The comparison as a table that people read; the figure's CSV holds the numbers."""
    shown = pd.DataFrame({"System": frame["system"]})
    for title, mean, low, high in (
        ("Accuracy (95% CI)", "accuracy", "low", "high"),
        ("Macro F1 (95% CI)", "macro_f1", "f1_low", "f1_high"),
    ):
        shown[title] = [_cell(*one) for one in zip(frame[mean], frame[low], frame[high], strict=True)]
    if frame["p"].notna().any():
        gaps = frame["ours_minus_this"]
        shown["Ours − this (points)"] = [_gap(gap) for gap in gaps]
        shown["p (Holm)"] = [f"{value:.4f}" if pd.notna(value) else "" for value in frame["p"]]
        shown["Verdict"] = frame["verdict"]
    shown["Held-out cells"] = [f"{n:,.0f}" if pd.notna(n) else "" for n in frame["cells"]]
    st.table(shown, hide_index=True)


def _gap(difference: float | None) -> str:
    """A difference in percentage points; empty where there is none."""
    if difference is None or pd.isna(difference):
        return ""
    value = round(100 * difference, 1)
    return f"{value:+.1f}".replace("-", "−") if value else "0.0"


def _cell(mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None or pd.isna(mean):
        return ""
    known = low is not None and high is not None and pd.notna(low) and pd.notna(high)
    return with_interval({"mean": mean, "low": low, "high": high} if known else {"mean": mean})


def show(table: pd.DataFrame, results: list[dict[str, Any]], model: str, group: str) -> None:
    """Table and figure of all systems under a chosen protocol."""
    with st.container(horizontal=True):
        protocol = choose_protocol(table)
        metric = widgets.choice("Metric", list(METRICS), "metric", format_func=METRICS.__getitem__)
    known = set(table.loc[table["protocol"] == protocol, "group"])
    shown = group if group in known else EVERYTHING
    frame = comparison(table, results, model, shown, protocol)
    if frame.empty:
        st.info(f"No figure is stored for {group} cells under this protocol.", icon=":material/info:")
        return
    cells = f"{shown} cells" if shown != EVERYTHING else "cells"
    rows = drawn(table, metric, shown, protocol, model)
    widgets.figure(
        charts.systems(rows, METRICS[metric], title_of(model), same_protocol=protocol == "paper-split"),
        f"systems-{model}-{protocol}-{metric}",
        frame,
        finding=finding(frame, model),
        caption=f"{METRICS[metric]} on held-out {cells}. {PROTOCOLS[protocol]} Bars: 95% CI over donors (bootstrap). "
        f"Hold the pointer over a point to read what the system is.{_pooled(table, shown, model)}",
    )
    if why := _why_built_in(frame, model, protocol):
        st.caption(why)
    glossary(table["system"].unique().tolist())
    with st.expander("The figures as a table, with paired tests", icon=":material/table:"):
        table_of(frame)
        _tests_note(frame, model)
    _published_notes(table)


def _why_built_in(frame: pd.DataFrame, model: str, protocol: str) -> str:
    """Why ours is the built-in model though others stand above it; empty where none does, or where some are better."""
    measured = frame[(frame["source"] == "measured") & (protocol == "donor-cv")].reset_index(drop=True)
    place = measured.index[measured["system"] == title_of(model)]
    if not len(place) or place[0] == 0 or measured["verdict"].eq(f"{model.upper()} worse").any():
        return ""
    gap = 100 * float(measured["accuracy"].iloc[0] - measured["accuracy"].iloc[place[0]])
    return (
        f"Why {model.upper()} is built in though others stand above it: they lie within {gap:.1f} percentage points, "
        "which the paired tests do not tell from chance, and its reasons are what the paper and these pages explain."
    )


def _pooled(table: pd.DataFrame, group: str, model: str) -> str:
    """Why no published figure stands beside those of pooled species."""
    theirs = table[table["published"] & (table["system"] == model)]
    if group != EVERYTHING or theirs.empty or EVERYTHING in set(theirs["group"]):
        return ""
    return " Mouse and human cells are pooled; the published figures are of one species each: choose Mouse or Human."


def drawn(table: pd.DataFrame, metric: str, group: str, protocol: str, model: str) -> pd.DataFrame:
    """What the figure of all systems shows: those under a protocol, and what was published of ours for them.

    Returns
    -------
    DataFrame
        As `flatten_results` gives it, with titles as ``system`` and what each is in one line as ``about``.
    """
    same = table[table["metric"] == metric]
    rows = same[(same["group"] == group) & (same["protocol"] == protocol)].copy()
    rows["title"] = [title_of(*pair) for pair in zip(rows["system"], rows["published"], strict=True)]
    if not rows["published"].any():
        theirs = same[same["published"] & (same["system"] == model) & (same["group"] == group)].copy()
        theirs["title"] = title_of(model, True)
        rows = pd.concat([rows, theirs], ignore_index=True)
    rows["about"] = [SYSTEM_NOTES[name].what if name in SYSTEM_NOTES else "" for name in rows["system"]]
    return rows.drop(columns="system").rename(columns={"title": "system"})


def glossary(names: list[str]) -> None:
    """What the systems are, a line each, folded."""
    known = [name for name in SYSTEM_TITLES if name in names and name in SYSTEM_NOTES]
    if not known:
        return
    with st.expander("What the systems are", icon=":material/menu_book:"):
        st.markdown(
            "\n".join(
                f"- **{SYSTEM_TITLES[name]}:** {SYSTEM_NOTES[name].what} *{SYSTEM_NOTES[name].reference}.*"
                for name in known
            )
        )


def finding(frame: pd.DataFrame, model: str) -> str:
    """The model's place, and how many systems it is shown to be better and worse than."""
    mine = frame[frame["system"] == title_of(model)]
    measured = frame[frame["source"] == "measured"].reset_index(drop=True)
    if mine.empty:
        return f"{measured['system'].iloc[0]} is the most accurate here." if len(measured) else ""
    one = mine.iloc[0]
    place = int((measured["accuracy"] > one["accuracy"]).sum()) + 1
    tested, better = int(frame["p"].notna().sum()), int((frame["verdict"] == f"{model.upper()} better").sum())
    text = f"{model.upper()} has rank {place} of the {len(measured)} systems measured here"
    if not tested:
        return f"{text}."
    worse = int((frame["verdict"] == f"{model.upper()} worse").sum())
    than = f"better than {better} of the other {tested}, worse than {worse or 'none'}"
    return f"{text}; significantly {than} (paired tests)."


def _tests_note(frame: pd.DataFrame, model: str) -> None:
    if frame["p"].notna().any():
        st.caption(
            f"Ours − this: difference in accuracy between {model.upper()} and the system on the same cells, folds and "
            "repeats. p: two-sided sign-flip test with donors as units, corrected by Holm for the "
            f"{frame['p'].count()} systems; below {LEVEL:g} counts as a difference."
        )


def _published_notes(table: pd.DataFrame) -> None:
    noted = table[(table["note"].astype(str) != "") & (table["metric"] == "accuracy")]
    if noted.empty:
        return
    with st.expander("How the published figures came about", icon=":material/info:"):
        for note, rows in noted.groupby("note", sort=False):
            several = rows["group"].isin(("mouse", "human")).all() and rows["group"].nunique() > 1
            named = []
            for system, part in rows.drop_duplicates(["system", "mean"]).groupby("system", sort=False):
                figures = (f"{row.mean:.1%}{f' ({row.group})' if several else ''}" for row in part.itertuples())
                named.append(f"{title_of(str(system), True)}: {', '.join(figures)}")
            st.markdown(f"- **{escaped('; '.join(named), 300)}.** {escaped(note, 900)}")
