"""The quality of a recording in one line: findings of a kind together, those that matter most first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neuroclass.classification.result import CellVerdict
from neuroclass.ephys.quality import Severity

_SERIOUS, _CAUTION = Severity.SERIOUS.value, Severity.CAUTION.value
_WORDS: Mapping[str, str] = {
    "unbalanced_bridge": "bridge",
    "baseline_drift": "drift",
    "no_repolarisation": "stay depolarised at",
    "noise": "have noise of",
    "clipped_spikes": "have clipped spikes",
    "truncated_epoch": "end within their stimulus",
    "depolarisation_block": "in depolarisation block",
    "spontaneous_firing": "spontaneous firing",
    "holding_current": "holding current",
    "holding_varies": "holding current varies by",
    "line_hum": "hum",
    "unstable_rest": "rest varies by",
    "high_input_resistance": "input resistance",
    "low_input_resistance": "input resistance",
    "depolarised_rest": "rest",
    "hyperpolarised_rest": "rest",
    "slow_membrane": "membrane time constant",
    "no_overshoot": "spike peak",
    "high_threshold": "threshold",
    "broad_spike": "spike width",
    "small_spike": "spike height",
    "not_a_healthy_cortical_neuron": "unlike a healthy cortical neuron",
}
"""What a finding is called beside its value; of sweeps, what they do."""
_ONE_SWEEP = {
    "drift": "drifts",
    "stay depolarised at": "stays depolarised at",
    "have noise of": "has noise of",
    "have clipped spikes": "has clipped spikes",
    "end within their stimulus": "ends within its stimulus",
}
_WITHOUT_VALUE = frozenset({"not_a_healthy_cortical_neuron", "clipped_spikes", "truncated_epoch"})


@dataclass(frozen=True)
class Finding:
    """The flags of one kind.

    Attributes
    ----------
    name : str
        Of the flags.
    flags : tuple of mapping
        As in a verdict's ``qc``.
    touched : float
        Sum of the absolute SHAP values of the reasons that were measured on the flagged sweeps; 0 for the whole cell.
    """

    name: str
    flags: tuple[Mapping[str, Any], ...]
    touched: float = 0.0

    @property
    def severity(self) -> str:
        """The gravest of its flags."""
        return min((str(flag.get("severity", _CAUTION)) for flag in self.flags), key=_rank)

    @property
    def sweeps(self) -> tuple[int, ...]:
        """Numbers of the flagged sweeps; empty for the whole cell."""
        return tuple(sorted({int(flag["sweep"]) for flag in self.flags if flag.get("sweep") is not None}))

    @property
    def text(self) -> str:
        """The finding in a few words, such as ``7 sweeps drift 3.9 to 8.8 mV``."""
        words = _WORDS.get(self.name, self.name.replace("_", " "))
        values = "" if self.name in _WITHOUT_VALUE else _span(self.flags)
        numbers = self.sweeps
        if not numbers:
            return f"{words} {values}".strip()
        who = f"sweep {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} sweeps"
        words = _ONE_SWEEP.get(words, words) if len(numbers) == 1 else words
        return f"{who} {words} {values}".strip()


def _rank(severity: str) -> int:
    order = [one.value for one in Severity]
    return order.index(severity) if severity in order else order.index(_CAUTION)


def _span(flags: Sequence[Mapping[str, Any]]) -> str:
    """The flags' values from the least to the largest, with their unit."""
    values = sorted(float(flag["value"]) for flag in flags if flag.get("value") is not None)
    if not values:
        return ""
    low, high = (f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" for value in (values[0], values[-1]))
    between = low if low == high else f"{low}–{high}" if values[0] >= 0 else f"{low} to {high}"
    return f"{between} {flags[0].get('unit', '')}".strip().replace("-", "−")


def findings(verdict: CellVerdict, effects: Mapping[str, float] | None = None) -> list[Finding]:
    """The verdict's quality flags by kind, those that matter most first.

    Parameters
    ----------
    verdict : CellVerdict
        With its flags, reasons and places.
    effects : mapping of name to float, optional
        How far each finding moves the verdict, where that was measured; see `quality_effect`.

    Returns
    -------
    list of Finding
        By what they change in the verdict where it was measured, else the gravest first, then those whose sweeps carry
        the most evidence.
    """
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for flag in verdict.qc:
        kinds.setdefault(str(flag.get("name")), []).append(flag)
    found = [Finding(name, tuple(flags), _touched(verdict, flags)) for name, flags in kinds.items()]
    moved = effects or {}
    return sorted(found, key=lambda one: (-moved.get(one.name, 0.0), _rank(one.severity), -one.touched))


def _touched(verdict: CellVerdict, flags: Sequence[Mapping[str, Any]]) -> float:
    numbers = {flag.get("sweep") for flag in flags} - {None}
    prediction = verdict.broad if verdict.subclass.abstain else verdict.subclass
    return sum(
        abs(reason.shap)
        for reason in prediction.reasons
        if numbers & set(verdict.provenance.get(reason.feature, {}).get("sweeps") or ())
    )


def quality_line(found: Sequence[Finding]) -> str:
    """All findings in one line; that there is none, where there is none."""
    return "; ".join(one.text for one in found) if found else "no finding"


def is_serious(found: Sequence[Finding]) -> bool:
    """Whether any finding is serious."""
    return any(one.severity == _SERIOUS for one in found)
