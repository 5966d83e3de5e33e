"""What overruling stimuli and leaving out sweeps changed: the verdict and the features before and after."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts.evidence import feature_name
from neuroclass.classification import wording
from neuroclass.classification.differences import Differences, Moved, differences
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.left_out import sweeps_text
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import CellVerdict
from neuroclass.features import BY_NAME, with_unit
from neuroclass.ui.classify import uploads
from neuroclass.ui.text import escaped

NAMED = 4


def note(cell_input: CellInput, verdict: CellVerdict, metadata: CellMetadata) -> None:
    """Verdict and features after the user's corrections against those of all sweeps; nothing without any."""
    how = _corrected(len(uploads.corrections(cell_input)), verdict)
    if not how:
        return
    before = uploads.uncorrected(cell_input, verdict.cell, metadata)
    if before is None:
        st.info(f"{how}; with all sweeps, as recognised, there is no verdict.", icon=":material/edit:")
        return
    found = differences(before, verdict, uploads.loaded_models().dann.predictor.preprocessor)
    answers = f"{wording.headline(before)} → {wording.headline(verdict)}"
    if wording.headline(before) == wording.headline(verdict):
        answers = f"the answer stays {wording.headline(verdict)}"
    shares = _shares(before, verdict)
    st.info(
        f"**{how}:** {escaped(answers)}{escaped(shares)}. {escaped(_features(found), 600)}",
        icon=":material/edit:",
    )
    with st.expander("What the correction changed", key="overruled", on_change="rerun") as opened:
        if opened.open:
            st.dataframe(table(before, verdict, found), hide_index=True)


def _corrected(n_epochs: int, verdict: CellVerdict) -> str:
    parts = [f"with {n_epochs} corrected epoch{'s' if n_epochs > 1 else ''}"] if n_epochs else []
    parts += [f"without {sweeps_text(set(verdict.without_sweeps))}"] if verdict.without_sweeps else []
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}"


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
            parts.append(f"{_listed(names)} {words}")
    if found.moved:
        shown = ", ".join(map(_change, found.moved[:NAMED]))
        rest = len(found.moved) - NAMED
        more = f" and {rest} more" if rest > 0 else ""
        parts.append(f"{len(found.moved)} changed, most of all {shown}{more}")
    return f"Features: {'; '.join(parts)}." if parts else "No feature changed."


def _change(one: Moved) -> str:
    first = one.first * BY_NAME[one.feature].display_factor
    return f"{feature_name(one.feature)} {first:.4g} → {with_unit(one.feature, one.second)}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(feature_name(name) for name in names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def table(before: CellVerdict, after: CellVerdict, found: Differences) -> pd.DataFrame:
    """Features that changed, with their values before and after."""
    sd = {one.feature: one.sd for one in found.moved}
    rows = [
        {
            "feature": feature_name(name),
            "before": with_unit(name, before.features[name]) if name in before.features else "not measured",
            "after": with_unit(name, after.features[name]) if name in after.features else "not measured",
            "difference (SD)": round(sd[name], 2) if name in sd else None,
        }
        for name in (*found.appeared, *found.gone, *sd)
    ]
    return pd.DataFrame(rows, columns=["feature", "before", "after", "difference (SD)"])
