"""What a correction changed: the answer and the features before and after, in words and as a table."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts.evidence import feature_name
from neuroclass.classification import wording
from neuroclass.classification.differences import Differences, Moved, differences
from neuroclass.classification.result import CellVerdict
from neuroclass.features import BY_NAME, rounded, with_unit
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.ui.text import escaped

NAMED, DIGITS = 4, 4


def show(how: str, before: CellVerdict, after: CellVerdict, preprocessor: Preprocessor) -> None:
    """Answer, largest probability and features before and after.

    Parameters
    ----------
    how : str
        The correction in words.
    before, after : CellVerdict
        One cell's answers without and with it.
    preprocessor : Preprocessor
        Of the model whose training cells give the standard deviations.
    """
    found = differences(before, after, preprocessor)
    answers = f"{wording.headline(before)} → {wording.headline(after)}"
    if wording.headline(before) == wording.headline(after):
        answers = f"the answer stays {wording.headline(after)}"
    text = f"{answers}{_shares(before, after)}. {_features(found)}"
    st.info(f"**{escaped(how)}:** {escaped(text, 900)}", icon=":material/edit:")
    with st.expander("What the correction changed", key="overruled", on_change="rerun") as opened:
        if opened.open:
            st.dataframe(table(before, after, found), hide_index=True)


def _shares(before: CellVerdict, after: CellVerdict) -> str:
    prediction = after.broad if after.subclass.abstain else after.subclass
    earlier = before.broad if after.subclass.abstain else before.subclass
    name = max(prediction.probabilities, key=lambda one: prediction.probabilities[one])
    if name not in earlier.probabilities:
        return ""
    was, now = wording.stated(earlier.probabilities[name]), wording.stated(prediction.probabilities[name])
    return f" ({label_of(name)} {was} → {now})"


def _features(found: Differences) -> str:
    parts = []
    for words, names in (("appeared", found.appeared), ("gone", found.gone)):
        if names:
            parts.append(f"{_listed([feature_name(name) for name in names])} {words}")
    if found.moved:
        parts.append(f"{len(found.moved)} changed, most of all {_listed([_change(one) for one in found.moved])}")
    return f"Features: {'; '.join(parts)}." if parts else "No feature changed."


def _change(one: Moved) -> str:
    first = rounded(one.first * BY_NAME[one.feature].display_factor, DIGITS)
    return f"{feature_name(one.feature)} {first} → {with_unit(one.feature, one.second, DIGITS)}"


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(texts[:NAMED])
    return f"{shown} and {len(texts) - NAMED} more" if len(texts) > NAMED else shown


def table(before: CellVerdict, after: CellVerdict, found: Differences) -> pd.DataFrame:
    """Features that changed, with their values before and after."""
    sd = {one.feature: one.sd for one in found.moved}
    rows = [
        {
            "feature": feature_name(name),
            "before": with_unit(name, before.features[name], DIGITS) if name in before.features else "not measured",
            "after": with_unit(name, after.features[name], DIGITS) if name in after.features else "not measured",
            "difference (SD)": round(sd[name], 2) if name in sd else None,
        }
        for name in (*found.appeared, *found.gone, *sd)
    ]
    return pd.DataFrame(rows, columns=["feature", "before", "after", "difference (SD)"])
