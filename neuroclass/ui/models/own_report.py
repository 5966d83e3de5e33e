"""What the pages of reports show where a model of the library is chosen: its own report, or that there is none."""

import streamlit as st

from neuroclass.charts.theme import ordered
from neuroclass.evaluation import summaries
from neuroclass.library.entry import SHIPPED, ModelEntry
from neuroclass.library.library import ModelLibrary
from neuroclass.reports.store import Table
from neuroclass.reports.two_models import compare_models
from neuroclass.types.models import LSPIN
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.models.jobs import need_report
from neuroclass.ui.performance import confusion, partial, performance
from neuroclass.ui.performance.systems import EVERYTHING
from neuroclass.ui.text import escaped

VIEWS = {"confusion": "Confusion matrix", "partial": "Partial recordings", "shipped": "Beside the built-in model"}


def performance_of(entry: ModelEntry) -> None:
    """The Performance page of a model of the library."""
    need_report(entry)
    _named(entry)
    group = performance.choose_species(entry.id)
    predictions = performance.predictions_of(entry.id, group)
    metrics = summaries.flatten_results(cache.report(entry.id).metrics())
    view = widgets.choice("View", list(VIEWS), "view", format_func=VIEWS.__getitem__)
    performance.tiles(predictions, metrics.assign(system=entry.id), group, entry.id)
    caption = f"{escaped(entry.name)}: {performance.protocol_of(predictions)}."
    if view == "confusion":
        confusion.show(predictions, f"{entry.id}-{group}", caption)
    elif view == "partial":
        species = ordered(predictions["species"]) if group == EVERYTHING else [group]
        partial.show(entry.id, species)
    else:
        _beside(entry)
    performance.coverage(entry.id, group, entry.system)
    st.caption(
        "Other systems, groups of cells, learning curves and other laboratories are in the built-in models' reports; "
        "choose these in the sidebar."
    )


def _beside(entry: ModelEntry) -> None:
    """The paired difference from the shipped model of the same task."""
    found = compare_models(entry, ModelLibrary().get(SHIPPED))
    if found["paired"] is None:
        st.info(f"No paired difference from the built-in model: {found['why']}.", icon=":material/info:")
        return
    one = found["paired"]
    columns = widgets.tiles(4)
    for column, title, value in zip(columns, ("This model", "Built-in"), one["accuracies"], strict=False):
        column.metric(f"{title}: accuracy", f"{value:.1%}", border=True)
    columns[2].metric(
        "Difference",
        f"{100 * one['difference']:+.1f} points",
        f"95% CI {100 * one['low']:+.1f} to {100 * one['high']:+.1f}",
        delta_color="off",
        delta_arrow="off",
        border=True,
    )
    columns[3].metric("p, sign flips over donors", f"{one['p']:.2g}", border=True)
    st.caption(
        f"On the same {one['n_cells']:,} held-out cells of {one['n_donors']:,} donors, {one['n_repeats']} repeat of "
        "donor-grouped cross-validation; the built-in figure is of its network for all features, "
        "in the same repeat."
    )


def explained(entry: ModelEntry) -> str:
    """The id of a model whose SHAP values are stored; else offer its report and stop."""
    need_report(entry, Table.SHAP)
    _named(entry)
    return entry.id


def gated_model(entry: ModelEntry) -> str:
    """The model whose gates are shown: the shipped LSPIN, or the chosen model's id; stops where it has no gates."""
    if entry.shipped:
        return LSPIN.name
    if not entry.has_gates:
        _does_not_exist(entry, "gates", "only LSPIN gates features")
    need_report(entry, Table.GATES)
    _named(entry)
    return entry.id


def _named(entry: ModelEntry) -> None:
    cells = entry.card.get("training_cells") or {}
    kind = "simulated cells" if cells.get("simulated") else "cells"
    st.caption(
        f"{escaped(entry.name)} ({escaped(entry.system)}), a model of the library: its own report, on the "
        f"{int(cells.get('n_cells') or 0):,} {kind} that it learned from, each held out in one of five folds."
    )


def domains(entry: ModelEntry) -> None:
    """Stop where the chosen model has no domains to show."""
    if entry.shipped:
        return
    if not entry.has_domains:
        _does_not_exist(entry, "domain-invariant features", "only DANN learns features against a domain classifier")
    st.info(
        f"**The domains of {escaped(entry.name)} are not measured.** This page compares networks that were trained for "
        "it with several λ; that is made for the built-in DANN only. "
        "Choose the built-in models in the sidebar to see it.",
        icon=":material/info:",
    )
    st.stop()


def _does_not_exist(entry: ModelEntry, what: str, why: str) -> None:
    st.info(
        f"**{escaped(entry.name)} has no {what}**: it is of the system {escaped(entry.system)}, and {why}. Choose "
        "another model in the sidebar, or see which features move this one on the SHAP page.",
        icon=":material/info:",
    )
    st.button("Show the built-in models", on_click=model_choice.use, args=(SHIPPED,), icon=":material/restart_alt:")
    st.stop()
