"""The shipped models: what each answers, how good it is on which cells, and what it learned from."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import numpy as np
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.cohort.cohort import source_title
from neuroclass.config import MODELS_DIR
from neuroclass.features import FEATURE_NAMES
from neuroclass.library.entry import SHIPPED
from neuroclass.reports.store import ReportStore
from neuroclass.training.library import feature_set_library
from neuroclass.types.models import DANN, HUMAN_SUBCLASS, LSPIN, QUESTIONS
from neuroclass.types.shares import confidence
from neuroclass.ui import model_choice, widgets
from neuroclass.ui.text import escaped

_IDEAS = {
    DANN: "Mouse and human. An adversary presses the species out of its features (domain-adversarial training).",
    LSPIN: "Gates select a few features for each cell.",
    HUMAN_SUBCLASS: "Kernel logistic regressions, boosted trees and LSPIN, pooled; subclasses by transcriptome.",
}


def show() -> None:
    """The set, a button to use it, and a card for each of its models."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Built-in models", anchor=False)
        use_button(SHIPPED)
    if text := pooled():
        widgets.say(text)
    st.markdown(
        "A verdict pools models of these kinds, fitted to the features that the cell has, with models without gates or "
        "adversary, and gives the accuracy to expect with these features (see [partial "
        "recordings](performance?view=partial)). The cards below score each network alone, on cells with all 41 "
        "features."
    )
    there = [spec for spec in _IDEAS if (MODELS_DIR / spec.name).is_dir()]
    with st.container(key="cards"):
        columns = st.columns(len(_IDEAS))
    for column, spec in zip(columns, there, strict=False):
        card = ReportStore(spec.name, MODELS_DIR / spec.name).card()
        with column.container(border=True, height="stretch", vertical_alignment="distribute"):
            with st.container():
                st.markdown(f"**{QUESTIONS[spec.name]}**")
                accuracy(card)
                facts(card, f"{_IDEAS[spec]}{_used(card)}")
            st.link_button("See performance", f"performance?model={quote_plus(spec.title)}", icon=":material/grid_on:")


def pooled() -> str:
    """What the pooled models of all features reach on held-out cells of the database; empty without them."""
    library = feature_set_library(None)
    present = np.ones(len(FEATURE_NAMES), dtype=bool)
    if not library.ships(present):
        return ""
    held_out = library.model_for(present).held_out
    subclass, mouse, human = (
        held_out[species][task]["home"]["accuracy"]
        for species, task in (("mouse", "subclass"), ("mouse", "broad"), ("human", "broad"))
    )
    return (
        f"With all 41 features, a verdict names the subclass of {subclass:.1%} of held-out mouse cells of the database "
        f"correctly, and is right on excitatory or inhibitory in {mouse:.1%} of mouse and {human:.1%} of human ones."
    )


def use_button(entry_id: str) -> None:
    """A button that makes pages judge with a model, or a badge that they do."""
    if model_choice.entry().id == entry_id:
        st.badge("In use", icon=":material/check:", color="green", width="content")
        return
    st.button(
        "Use",
        icon=":material/play_arrow:",
        key=f"use-{entry_id}",
        on_click=model_choice.use,
        args=(entry_id,),
        help="Classify with this model on every page",
    )


def accuracy(card: Mapping[str, Any]) -> None:
    """Accuracy and macro F1 on held-out cells as metrics, or that there are none."""
    metrics = (card.get("metrics") or {}).get("metrics") or {}
    shown = [(key, title) for key, title in (("accuracy", "Accuracy"), ("macro_f1", "Macro F1")) if key in metrics]
    if not shown:
        st.caption("Not evaluated on held-out cells.")
        return
    values = [(title, metrics[key]) for key, title in shown]
    groups = (card.get("metrics") or {}).get("groups") or {}
    if len(groups) == 2:
        named = {"culture": "slice culture", "acute": "acute slices"}
        ends = sorted(groups, reverse=True)
        values = [(f"Accuracy, {named.get(name, name)}", groups[name]["accuracy"]) for name in ends]
    for column, (title, value) in zip(widgets.tiles(2), values, strict=False):
        interval = confidence(value) if "low" in value else None
        column.metric(title, f"{value['mean']:.1%}", interval, delta_color="off", delta_arrow="off")


def facts(card: Mapping[str, Any], idea: str = "") -> None:
    """How it works, its classes, where its score comes from, and the cells that it learned from."""
    classes = ", ".join(escaped(label_of(str(name))) for name in card.get("classes", ()))
    lines = [f"**How:** {idea}"] if idea else []
    lines += [f"**Classes:** {classes}"] if classes else []
    cells = card.get("training_cells")
    learned = f"all {_counted(cells)} ({escaped(sources(card), 300)})" if cells else ""
    if scored := scored_on(card):
        lines.append(f"**Score:** {scored}{f'; the final model is trained on {learned}' if learned else ''}.")
    elif learned:
        lines.append(f"**Trained on** {learned}.")
    lines += [f"**Yardstick:** {told}."] if (told := yardstick(card)) else []
    if apart := scored_apart(card.get("metrics") or {}):
        lines.append(apart)
    for line in lines:
        st.caption(line)


def scored_on(card: Mapping[str, Any]) -> str:
    """Which held-out cells the card's figures are of; empty where there are none."""
    metrics, cells = card.get("metrics") or {}, card.get("training_cells") or {}
    if not metrics.get("n_cells"):
        return ""
    text = "from donor-grouped cross-validation"
    if metrics["n_cells"] != cells.get("n_cells"):
        kind = f"{escaped(str(metrics['cells']))} " if metrics.get("cells") else ""
        donors = f" of {metrics['n_donors']:,} donors" if metrics.get("n_donors") else ""
        text += f" on {metrics['n_cells']:,} {kind}cells{donors}"
    return text


def yardstick(card: Mapping[str, Any]) -> str:
    """How often the commonest class alone is right in the cells of the score, by species; empty where not known."""
    counts: Mapping[str, int] = (card.get("training_cells") or {}).get("classes") or {}
    if not counts or (card.get("metrics") or {}).get("n_cells") != sum(counts.values()):
        return ""
    species: dict[str, list[int]] = {}
    for name, n_cells in counts.items():
        species.setdefault(name.split(" ", 1)[0], []).append(int(n_cells))
    shares = {name: max(mine) / sum(mine) for name, mine in sorted(species.items(), reverse=True)}
    named = len(shares) > 1
    listed = " and ".join(f"{share:.0%}{f' of {name} cells' if named else ''}" for name, share in shares.items())
    return f"always naming the commonest class is right in {listed}{'' if named else ' of these cells'}"


def scored_apart(metrics: Mapping[str, Any]) -> str:
    """How a class is found that the accuracy leaves out; empty where there is none."""
    shares = [float(one) for one in (metrics.get("excitatory") or {}).values()]
    if not shares:
        return ""
    ends = " to ".join(dict.fromkeys(f"{100 * one:.1f}" for one in (min(shares), max(shares))))
    return f"Glutamatergic is scored apart, in cells of two studies: found in {ends}% of held-out excitatory cells."


def sources(card: Mapping[str, Any]) -> str:
    """Where the training cells come from, by name alone."""
    named = card.get("sources")
    if named:
        return "; ".join(str(one).split(":")[0] for one in named.values())
    cells = card.get("training_cells") or {}
    return f"{source_title(str(cells.get('source', '')))}{', simulated' if cells.get('simulated') else ''}"


def _counted(cells: Mapping[str, Any]) -> str:
    return f"{int(cells.get('n_cells') or 0):,} cells of {int(cells.get('n_donors') or 0):,} donors"


def _used(card: Mapping[str, Any]) -> str:
    """How many features its gates let through, where the card says so."""
    gates = (card.get("metrics") or {}).get("open_gates") or {}
    return f" Median: {gates['median']:.0f} of {gates['of']} features." if {"median", "of"} <= gates.keys() else ""
