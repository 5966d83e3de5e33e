"""Two models side by side."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import evaluation as charts
from neuroclass.classification.agreement import UNSAID, Agreement, agreement
from neuroclass.classification.models import Models, load_models
from neuroclass.cohort.cohort import Cohort, source_title
from neuroclass.evaluation.names import SYSTEM_TITLES, Protocol
from neuroclass.library.entry import SHIPPED, ModelEntry
from neuroclass.library.library import ModelLibrary
from neuroclass.reports.two_models import compare_models
from neuroclass.training.settings import TITLES
from neuroclass.types.shares import confidence, percent, points
from neuroclass.ui import cache, widgets
from neuroclass.ui.address import put, take
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

FIRST, SECOND = "first", "second"
KINDS = {"broad": "excitatory/inhibitory", "subclass": "mouse subclass"}


def show() -> None:
    """Choose two models and compare them; both are kept in the address."""
    entries = {one.id: one for one in ModelLibrary().entries() if not one.trouble}
    if len(entries) < 2:
        return
    st.subheader("Compare two models", anchor=False, help="Accuracy on the same cells, settings, and verdicts.")
    ids = list(entries)
    take(FIRST, ids, ids[1])
    take(SECOND, ids, SHIPPED)
    left, right = st.columns(2)
    for column, key, title in ((left, FIRST, "First"), (right, SECOND, "Second")):
        column.selectbox(title, ids, key=key, format_func=lambda one: entries[one].name)
    first, second = entries[st.session_state[FIRST]], entries[st.session_state[SECOND]]
    put(FIRST, first.id, ids[1])
    put(SECOND, second.id, SHIPPED)
    with guarded(stop=False):
        found = compare_models(first, second)
        _cards(found["models"])
        _paired(found)
        _settings(found["settings"], first, second)
        _agreement(first, second)


def _cards(models: list[dict[str, Any]]) -> None:
    for column, one in zip(st.columns(2), models, strict=True):
        cells, metrics = one["cells"], one["metrics"] or {}
        with column.container(border=True, height="stretch"):
            system = SYSTEM_TITLES.get(one["system"], one["system"]).removesuffix(", ours")
            kind = KINDS.get(one["task"], one["task"])
            st.markdown(f"**{escaped(one['name'])}**: {escaped(kind)} ({escaped(system)})")
            simulated = ", simulated" if cells.get("simulated") else ""
            st.caption(
                f"Trained on {int(cells.get('n_cells') or 0):,} cells of {int(cells.get('n_donors') or 0):,} donors, "
                f"{escaped(source_title(str(cells.get('source'))), 120)}{simulated} (SHA-256 "
                f"{escaped(str(cells.get('sha256'))[:8])})"
            )
            if metrics and one["protocol"] == Protocol.DONOR_CV:
                st.caption("Held out by donor-grouped cross-validation.")
            if not metrics:
                st.write("Not evaluated on held-out cells.")
            for key, title in (("accuracy", "Accuracy"), ("macro_f1", "Macro F1")):
                if key in metrics:
                    st.metric(
                        f"{title} ({int(one['n_tested'] or 0):,} held-out cells)",
                        percent(metrics[key]["mean"]),
                        confidence(metrics[key]),
                        delta_color="off",
                        delta_arrow="off",
                    )


def _paired(found: dict[str, Any]) -> None:
    if found["paired"] is None:
        st.caption(f"No paired difference: {found['why']}.")
        return
    one = found["paired"]
    st.markdown(f"**First − second:** accuracy {points(one)}, p = {one['p']:.2g}")
    first, second = one["accuracies"]
    repeats = f"{one['n_repeats']} repeat{'s' if one['n_repeats'] > 1 else ''}"
    st.caption(
        f"{percent(first)} and {percent(second)} on the same {one['n_cells']:,} held-out cells of "
        f"{one['n_donors']:,} donors, donor-grouped cross-validation, {repeats}; interval: bootstrap over donors; p: "
        "sign flips over donors."
    )


def _settings(differ: dict[str, list[Any]], first: ModelEntry, second: ModelEntry) -> None:
    title = "1 setting differs" if len(differ) == 1 else f"{len(differ)} settings differ"
    with st.expander(title, icon=":material/tune:"):
        names = (f"First: {first.name}", f"Second: {second.name}")
        rows = [
            {"Setting": _setting(key), **{n: "–" if v is None else str(v) for n, v in zip(names, values, strict=True)}}
            for key, values in differ.items()
        ]
        st.dataframe(pd.DataFrame(rows, columns=["Setting", *names]), hide_index=True)


def _setting(key: str) -> str:
    """A setting's title; of a nested one, its own name's."""
    name = key.rpartition(".")[2]
    return TITLES.get(name, key.replace("_", " ").replace(".", ": "))


@st.cache_resource(max_entries=8, show_spinner="Classifying the loaded cells with both", hash_funcs=cache.HASHES)
def _agreed(first: Models, second: Models, tasks: tuple[str, str], cohort: Cohort) -> Agreement:
    return agreement(first, second, tasks, cohort)


def _agreement(first: ModelEntry, second: ModelEntry) -> None:
    st.markdown("**Agreement on the loaded cells**")
    key = f"{first.id} {second.id}"
    cells = cache.cohort()
    source = escaped(cells.title)
    if st.button("Compare their verdicts", icon=":material/compare_arrows:", key="compare-verdicts"):
        st.session_state["compared"] = key
    if st.session_state.get("compared") != key:
        st.caption(f"Classifies all {len(cells):,} cells of {source} with both; up to a minute.")
        return
    models = [load_models(chosen=() if one.shipped else (one,)) for one in (first, second)]
    found = _agreed(models[0], models[1], (first.task, second.task), cells)
    figures = (
        ("Cells that both label", f"{found.n_labelled:,} of {len(found.verdicts):,}"),
        ("Same label", f"{found.same:.1%}"),
        ("Cohen's κ (−1 to 1)", f"{found.kappa:.2f}".replace("-", "−")),
    )
    for column, (title, value) in zip(widgets.tiles(4), figures, strict=False):
        column.metric(title, value, border=True)
    counts = found.confusion()
    counts = counts.loc[counts.sum(axis=1) > 0, counts.sum(axis=0) > 0]
    named = counts.rename(index=_label, columns=_label)
    left, right = st.columns([3, 2])
    with left:
        widgets.figure(
            charts.agreement(named, first.name, second.name),
            "verdicts-of-two",
            lambda: found.verdicts,
            caption=f"Numbers of cells of {source} by the two models' labels. Cells that a model was trained on are "
            "among them, so that agreement says nothing about which is right.",
            simulated=cells.simulated,
        )
    with right:
        apart = found.verdicts[found.verdicts["first"] != found.verdicts["second"]]
        st.caption(f"{len(apart):,} cells are labelled differently.")
        st.dataframe(apart, hide_index=True, height=320)


def _label(name: str) -> str:
    return name if name == UNSAID else label_of(name)
