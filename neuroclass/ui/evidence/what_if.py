"""What if a feature were another: sliders within the database's range, and the answer before and after."""

from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import Any

import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import verdict as charts
from neuroclass.charts.evidence import feature_name
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Models
from neuroclass.classification.result import Prediction
from neuroclass.classification.wording import stated
from neuroclass.explain.what_if import Altered, altered_features, ask, shown_range
from neuroclass.features import BY_NAME, FEATURES, USUAL_ORDER, Stimulus, features_of
from neuroclass.ui import cache, widgets
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

STRONGEST, LEAVE_OUT = "Strongest reasons", "Leave out"
N_STRONGEST = 6
_STEPS = 200
_ODD = 0.01


def show(case: Case, prediction: Prediction) -> None:
    """Sliders of one group of features beside the probabilities that follow."""
    changes, left_out = _changes(case), _left_out(case)
    st.caption(
        "The model's answer to an altered cell, not a measurement: values move within the database's central 99% "
        "of the species, each by itself, whether or not such a cell exists."
    )
    left, right = st.columns([3, 2])
    with left:
        groups = _groups(case, prediction)
        group = widgets.choice("Features", [*groups, LEAVE_OUT], "group", label_visibility="collapsed")
        if group == LEAVE_OUT:
            _choose_left_out(case)
        else:
            for k, name in enumerate(name for name in groups[group] if name not in left_out):
                if k % 2 == 0:
                    columns = st.columns(2)
                with columns[k % 2]:
                    _slider(case, name, changes)
    with right:
        _answer(case, prediction, changes, left_out)


def _groups(case: Case, prediction: Prediction) -> dict[str, list[str]]:
    """Measured features: those of the strongest reasons, then by stimulus."""
    groups = {STRONGEST: [one.feature for one in prediction.reasons[:N_STRONGEST]]}
    for stimulus in USUAL_ORDER:
        names = [one.name for one in FEATURES if one.stimulus is stimulus and one.name in case.verdict.features]
        if names:
            groups["Other" if stimulus is Stimulus.NONE else stimulus.label.capitalize()] = names
    return groups


def _changes(case: Case) -> dict[str, float]:
    """Altered values by feature, stored units; kept for the session."""
    found: dict[str, float] = st.session_state.setdefault(f"altered-{case.fingerprint}", {})
    return found


def _left_out(case: Case) -> list[str]:
    found: list[str] = st.session_state.get(f"left-out-{case.fingerprint}", [])
    return found


def _resets(case: Case) -> int:
    return int(st.session_state.get(f"resets-{case.fingerprint}", 0))


def _slider(case: Case, name: str, changes: Mapping[str, float]) -> None:
    spec, own = BY_NAME[name], case.verdict.features[name]
    low, high = shown_range(name, own, case.verdict.species)
    decimals = max(0, 2 - floor(log10(max(high - low, 1e-9))))
    key = f"alter-{case.fingerprint[:16]}-{name}-{_resets(case)}"
    value = changes.get(name, own) * spec.display_factor
    st.slider(
        f"{feature_name(name)}{f', {spec.shown_unit}' if spec.shown_unit else ''}",
        round(low, decimals),
        round(high, decimals) + 10**-decimals,
        round(value, decimals),
        step=max(round((high - low) / _STEPS, decimals), 10**-decimals),
        format=f"%.{decimals}f",
        key=key,
        on_change=_move,
        args=(case, name, key),
        help=f"Measured: {own * spec.display_factor:.4g} {spec.shown_unit}. {spec.definition}",
    )


def _move(case: Case, name: str, key: str) -> None:
    _changes(case)[name] = float(st.session_state[key]) / BY_NAME[name].display_factor


def _reset(case: Case) -> None:
    _changes(case).clear()
    st.session_state.pop(f"left-out-{case.fingerprint}", None)
    st.session_state[f"resets-{case.fingerprint}"] = _resets(case) + 1


def _choose_left_out(case: Case) -> None:
    """Features to leave out, singly or a whole stimulus; the models fitted to the others then answer."""
    measured = [one.name for one in FEATURES if one.name in case.verdict.features]
    stimuli = {s.value: [n for n in features_of(s) if n in case.verdict.features] for s in Stimulus}
    options = [*(name for name, members in stimuli.items() if 0 < len(members) < len(measured)), *measured]
    with st.form(f"leave-out-{case.fingerprint[:16]}", border=False):
        chosen = st.multiselect(
            "Features to leave out",
            options,
            [name for name in _left_out(case) if name in options],
            key=f"leaving-{case.fingerprint[:16]}-{_resets(case)}",
            format_func=lambda one: f"all of {Stimulus(one).label}" if one in stimuli else feature_name(one),
            placeholder="a feature, or all of a stimulus",
        )
        if st.form_submit_button("Classify without them"):
            names = [name for one in chosen for name in stimuli.get(one, [one])]
            st.session_state[f"left-out-{case.fingerprint}"] = list(dict.fromkeys(names))
            st.rerun(scope="fragment")
    st.caption("The models are fitted to the features that are left, up to a minute for a set without built-in models.")


def _answer(case: Case, prediction: Prediction, changes: Mapping[str, float], left_out: Sequence[str]) -> None:
    verdict = case.verdict
    altered = altered_features(verdict.features, changes, left_out)
    if not altered:
        st.info("No feature is left, so that there is nothing to classify.", icon=":material/info:")
    else:
        after = _ask(case.models, altered, verdict.species, prediction.model, case.metadata)
        order = sorted(prediction.probabilities, key=lambda name: -prediction.probabilities[name])
        before = {name: prediction.probabilities[name] for name in order}
        widgets.figure(
            charts.before_after(before, after.probabilities, ("as measured", "altered"), simulated=case.simulated),
            f"what-if-{prediction.model}",
            caption=_in_words(before, after, len(changes), len(left_out)),
            simulated=case.simulated,
        )
    st.button(
        "Back to the measured values",
        key=f"reset-{case.key}",
        icon=":material/restart_alt:",
        on_click=_reset,
        args=(case,),
        disabled=not changes and not left_out,
    )


def _in_words(before: Mapping[str, float], after: Altered, n_changed: int, n_left_out: int) -> str:
    if not n_changed and not n_left_out:
        return "Outlined: as measured; full: altered. Nothing is altered yet: move a slider."
    first, then = (max(shares, key=lambda name: shares[name]) for shares in (before, after.probabilities))
    parts = [f"{n_changed} altered" if n_changed else "", f"{n_left_out} left out" if n_left_out else ""]
    change = f"{label_of(first)} {stated(before[first])} → {stated(after.probabilities[first])}"
    if then != first:
        change += f", now {label_of(then)} {stated(after.probabilities[then])}"
    odd = " Out of distribution: such a cell would get no label." if after.typicality < _ODD else ""
    text = f"{' and '.join(filter(None, parts))}: {change}; typicality {after.typicality:.1%}.{odd}"
    return f"Outlined: as measured; full: altered. {escaped(text, 400)}"


@st.cache_data(max_entries=400, show_spinner="Asking the model", hash_funcs=cache.HASHES)
def _ask(models: Models, features: dict[str, float], species: str, model: str, metadata: CellMetadata) -> Any:
    return ask(models.named(model).predictor, features, species, metadata.prior)
