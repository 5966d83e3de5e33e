"""The tables of a report: features, reasons, counterfactual changes, stress test."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.classification.stress import UNITS, StressResult, summarise
from neuroclass.ephys.sweep_words import numbers_text
from neuroclass.explain.counterfactual import Counterfactual
from neuroclass.features import FEATURES, with_unit


def reasons_table(prediction: Prediction) -> pd.DataFrame:
    """Reasons of one prediction, largest first: feature, shown, shap, percentile, gate."""
    rows = [(r.feature, with_unit(r.feature, r.value), r.shap, r.percentile, r.gate) for r in prediction.reasons]
    return pd.DataFrame(rows, columns=["feature", "shown", "shap", "percentile", "gate"])


def changes_table(change: Counterfactual) -> pd.DataFrame:
    """The changes of a counterfactual with units: feature, now, then, delta_z."""
    rows = [(c.feature, with_unit(c.feature, c.now), with_unit(c.feature, c.then), c.delta_z) for c in change.changes]
    return pd.DataFrame(rows, columns=["feature", "now", "then", "delta_z"])


def stress_table(results: Sequence[StressResult], model: str) -> pd.DataFrame:
    """One row per variant: the change, number of features measured, prediction."""
    label = results[0].top(model)
    rows = [
        (r.axis, r.level, UNITS.get(r.axis, ""), r.label, r.n_features, r.probabilities[model][label], r.top(model))
        for r in results
    ]
    return pd.DataFrame(rows, columns=["axis", "level", "unit", "label", "features", "probability", "top"])


def holds_table(results: Sequence[StressResult], model: str) -> pd.DataFrame:
    """One row per axis: under how many variants the label holds, and where it flips."""
    rows = [
        (f"{hold.axis} ({hold.unit})", f"{hold.n_held} of {hold.n_tried}", hold.in_words(model))
        for hold in summarise(results, model)
    ]
    return pd.DataFrame(rows, columns=["axis", "label kept", "in words"])


def place_text(entry: Mapping[str, Any]) -> str:
    """Describe where a feature was measured."""
    parts = []
    numbers = list(entry.get("sweeps") or ())
    if numbers:
        parts.append("sweep " + ", ".join(str(n) for n in numbers[:6]) + ("…" if len(numbers) > 6 else ""))
    if entry.get("spike") is not None:
        parts.append(f"spike {entry['spike']}")
    if entry.get("time_s") is not None:
        parts.append(f"at {entry['time_s']:.4f} s")
    if entry.get("row") is not None:
        parts.append(f"row {entry['row']}")
    if entry.get("note"):
        parts.append(str(entry["note"]))
    if entry.get("holding_pa") and any(abs(level) >= 0.5 for level in entry["holding_pa"]):
        parts.append(f"{entry['absolute_pa']:.4g} pA with the holding current")
    if entry.get("as_measured") is not None:
        parts.append(f"as measured {entry['as_measured']:.4g}")
    return ", ".join(parts)


def feature_table(verdict: CellVerdict) -> pd.DataFrame:
    """The 41 features: value with unit, where measured, or why missing; and sweeps that were left out."""
    without = {"without sweeps": numbers_text(set(verdict.without_sweeps))} if verdict.without_sweeps else {}
    rows = []
    for spec in FEATURES:
        value = verdict.features.get(spec.name)
        rows.append(
            {
                "feature": spec.name,
                "label": spec.label,
                "stimulus": spec.stimulus.label,
                "value": None if value is None else value * spec.display_factor,
                "unit": spec.shown_unit or "ratio",
                "measured on": place_text(verdict.provenance.get(spec.name, {})),
                "caution": verdict.provenance.get(spec.name, {}).get("caveat", ""),
                "why missing": verdict.missing.get(spec.name, ""),
                **without,
            }
        )
    return pd.DataFrame(rows)


def qc_lines(verdict: CellVerdict) -> list[str]:
    """Quality flags and warnings, each once."""
    flags = [str(flag.get("message") or flag.get("name")) for flag in verdict.qc]
    return list(dict.fromkeys([*flags, *verdict.warnings]))
