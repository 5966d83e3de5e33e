"""Whether training with a laboratory's own cells helped on its other donors."""

from typing import Any

import pandas as pd
import streamlit as st

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
                "accuracy": arm["accuracy"]["mean"],
                "95% interval": _interval(arm["accuracy"]),
                "macro F1": arm["macro_f1"]["mean"],
                "gain over without": pair.get("difference"),
                "95% interval of the gain": _interval(pair) if pair else "",
            }
        )
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in
                       ("accuracy", "macro F1", "gain over without")},
    )  # fmt: skip
    st.caption(
        f"{found['n_cells']} cells of {found['n_donors']} donors of {escaped(found['laboratory'])}, in "
        f"{found['n_folds']} folds of whole donors; each cell is predicted by a network that saw no cell of its donor. "
        f"Fractions; intervals by resampling donors, gains in pairs. {found['system'].upper()} for all features, "
        "missing ones imputed; the Classify page judges a cell by models fitted to exactly its features."
    )


def _interval(value: dict[str, Any]) -> str:
    return f"{value['low']:.3f} to {value['high']:.3f}"


def answer(pair: dict[str, Any] | None) -> str:
    """The answer in a sentence, from the paired difference in accuracy."""
    if not pair:
        return "It could not be measured."
    text = f"{pair['difference']:+.3f} accuracy [{pair['low']:+.3f}, {pair['high']:+.3f}] on the same cells"
    if pair["low"] > 0:
        return f"Yes: {text}."
    if pair["high"] < 0:
        return f"No, it does harm: {text}."
    return f"It cannot be said with so many donors: {text}; the interval includes none."


def better_alone(gain: dict[str, Any]) -> tuple[str, ...]:
    """A sentence where the laboratory's own donors alone train a better system than both together; else none."""
    both, alone = gain.get("with"), gain.get("alone")
    if not both or not alone or alone["difference"] <= both["difference"]:
        return ()
    more = alone["difference"] - both["difference"]
    return (f"Its own donors alone do better on them by another {more:.3f}; such a model knows no other laboratory.",)
