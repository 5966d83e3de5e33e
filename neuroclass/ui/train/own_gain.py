"""Whether training with a laboratory's own cells helped on its other donors."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.types.shares import DASH, percent, points, with_interval
from neuroclass.ui.text import escaped


def show(found: dict[str, Any]) -> None:
    """Accuracy on the laboratory's held-out donors, by what trained the system, and a sentence that answers."""
    arms, gain = found.get("arms", {}), found.get("gain", {})
    st.markdown("**Does training with my cells help on my donors?**")
    st.markdown(" ".join((answer(gain.get("with")), *better_alone(gain))))
    rows = []
    for name, arm in arms.items():
        if arm is None:
            rows.append({"training": name, "meaning": "not measured: some class had cells of one donor only"})
            continue
        pair = gain.get(name, {})
        rows.append(
            {
                "training": name,
                "meaning": arm["meaning"],
                "accuracy": with_interval(arm["accuracy"]),
                "macro F1": percent(arm["macro_f1"]["mean"]),
                "gain over without": points(pair) if pair else DASH,
            }
        )
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        placeholder=DASH,
    )
    st.caption(
        f"{found['n_cells']} cells of {found['n_donors']} donors of {escaped(found['laboratory'])}, in "
        f"{found['n_folds']} folds of whole donors; each cell is predicted by a network that saw no cell of its donor. "
        f"95% intervals by resampling donors, gains in pairs. {found['system'].upper()} for all features, "
        "missing ones imputed; the Classify page classifies a cell by models fitted to exactly its features."
    )


def answer(pair: dict[str, Any] | None) -> str:
    """The answer in a sentence, from the paired difference in accuracy."""
    if not pair:
        return "It could not be measured."
    text = f"accuracy {points(pair)} on the same cells"
    if pair["low"] > 0:
        return f"Yes: {text}."
    if pair["high"] < 0:
        return f"No, it makes them worse: {text}."
    return f"No detectable difference with these donors: {text}."


def better_alone(gain: dict[str, Any]) -> tuple[str, ...]:
    """A sentence where the laboratory's own donors alone train a better system than both together; else none."""
    both, alone = gain.get("with"), gain.get("alone")
    if not both or not alone or alone["difference"] <= both["difference"]:
        return ()
    more = 100 * (alone["difference"] - both["difference"])
    return (f"Your donors alone do better by another {more:.1f} points; such a model knows no other laboratory.",)
