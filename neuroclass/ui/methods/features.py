"""The 41 features: definitions by stimulus, and where each is measured on a simulated cell."""

import pandas as pd
import streamlit as st

from neuroclass.features import (
    BY_NAME,
    FEATURES,
    USUAL_ORDER,
    FeatureSource,
    FeatureSpec,
    Stimulus,
    measured_on,
    with_unit,
)
from neuroclass.ui import widgets
from neuroclass.ui.methods.pictures import drawn_with, picture
from neuroclass.ui.text import escaped

_ALSO = {
    "Threshold": "spike threshold",
    "Peak": "spike peak",
    "Trough": "AHP minimum",
    "Fast trough": "fAHP minimum",
    "Upstroke": "maximal rate of rise",
    "Downstroke": "maximal rate of decay",
    "Width": "half-width",
    "Resting potential": "RMP",
    "Sag": "sag ratio",
    "f–I slope": "gain",
    "Membrane time constant": "tau",
}
"""By label, which the stimuli share."""


def show() -> None:
    """The features of one stimulus as a table, one of them drawn; all of them as CSV."""
    stimuli = {stimulus.label.capitalize(): stimulus for stimulus in USUAL_ORDER}
    chosen = stimuli[widgets.choice("Stimulus", list(stimuli), "stimulus")]
    mine = [spec for spec in FEATURES if spec.stimulus is chosen]
    where = measured_on(chosen)
    if where:
        st.caption(f"Spikes: {where}. The holding current is subtracted from currents.")
    with widgets.wide("definitions"):
        st.markdown(_table(mine, where))
    _drawn(mine, chosen)
    widgets.csv_button("features", _as_csv, label="All 41 features (CSV)")


def _table(specs: list[FeatureSpec], where: str) -> str:
    rows = [
        f"| **{escaped(spec.label)}** | {also(spec)} | {spec.shown_unit or 'ratio'} | "
        f"{escaped(_definition(spec, where), 400)} |"
        for spec in specs
    ]
    return "\n".join(("| Feature | Also called | Unit | Definition |", "| :-- | :-- | :-- | :-- |", *rows))


def also(spec: FeatureSpec) -> str:
    """What others call a feature; empty where there is no other name."""
    if spec.name == "threshold_i_long_square":
        return "rheobase"
    return _ALSO.get(spec.label, "")


def _definition(spec: FeatureSpec, where: str) -> str:
    """The definition without what all of the stimulus' spikes share."""
    short = spec.definition.removesuffix(f"; {where}.") if where else spec.definition
    by_hand = "" if spec.source is FeatureSource.SWEEPS else " Entered by hand, not measured on sweeps"
    return f"{short.removesuffix('.')}.{by_hand}".removesuffix(".") + "."


def _drawn(specs: list[FeatureSpec], stimulus: Stimulus) -> None:
    """One feature, or a potential and the current at the same sample, on a simulated cell."""
    groups = dict.fromkeys(drawn_with(spec.name) for spec in specs if spec.source is FeatureSource.SWEEPS)
    titles = {" and ".join((BY_NAME[g[0]].label, *(BY_NAME[o].label.lower() for o in g[1:]))): g for g in groups}
    if not titles:
        return
    group = titles[widgets.pick("Where it is measured", list(titles), f"feature-{stimulus.value}")]
    fig = picture(group[0])
    if fig is None:
        return
    meta = fig.layout.meta
    values = "; ".join(f"{BY_NAME[name].label}: {with_unit(name, meta['values'][name])}" for name in group)
    spikes = ", mean over all its spikes, of which up to eight are drawn" if stimulus is Stimulus.NOISE else ""
    widgets.figure(
        fig, f"feature-{group[0]}", finding=values, simulated=True,
        caption=f"Simulated cell `{meta['cell']}`{spikes}. Points mark the samples that are measured. "
        f"Column{'s' if len(group) > 1 else ''} {', '.join(f'`{name}`' for name in group)}.",
    )  # fmt: skip


def _as_csv() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": spec.name,
            "label": spec.label,
            "stored unit": spec.unit or "ratio",
            "stimulus": spec.stimulus.label,
            "from": "sweeps" if spec.source is FeatureSource.SWEEPS else "entered by hand",
            "definition": spec.definition,
        }
        for spec in FEATURES
    )
