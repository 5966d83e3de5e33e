"""What a quality finding changes in the verdict: the recording is measured and classified again without it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from neuroclass.cell_types import label_of
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Models
from neuroclass.classification.quality_line import Finding
from neuroclass.classification.result import CellVerdict
from neuroclass.classification.stress import StressResult, Variant, bridge, stress
from neuroclass.ephys.sweep import Recording

BRIDGE = "unbalanced_bridge"
_AXIS = "quality"


@dataclass(frozen=True)
class Effect:
    """How the answer moves when a finding is undone.

    Attributes
    ----------
    moved : float
        Largest change of a class' probability, of either task.
    text : str
        The change in words.
    """

    moved: float
    text: str


def remedies(found: Sequence[Finding], recording: Recording) -> dict[str, Variant]:
    """How each finding is undone, by its name: the bridge is balanced, flagged sweeps are left out.

    Findings about the whole cell, and those about every sweep, cannot be undone.
    """
    return {one.name: Variant(_AXIS, None, text, _remedy(one)) for one in found if (text := _said(one, recording))}


def _said(one: Finding, recording: Recording) -> str:
    if one.name == BRIDGE:
        return "with the bridge balanced"
    left = {sweep.number for sweep in recording.sweeps} - set(one.sweeps)
    if not one.sweeps or not left:
        return ""
    return f"without sweep {one.sweeps[0]}" if len(one.sweeps) == 1 else f"without these {len(one.sweeps)} sweeps"


def _remedy(one: Finding) -> Callable[[Recording], Recording]:
    if one.name == BRIDGE:
        mohm = float(one.flags[0]["value"])
        return lambda recording: replace(recording, sweeps=tuple(bridge(s, -mohm) for s in recording.sweeps))
    numbers = set(one.sweeps)
    return lambda recording: replace(recording, sweeps=tuple(s for s in recording.sweeps if s.number not in numbers))


def effects(
    found: Sequence[Finding], recording: Recording, verdict: CellVerdict, models: Models, metadata: CellMetadata
) -> dict[str, Effect]:
    """Classify the recording again without each finding that can be undone.

    Parameters
    ----------
    found : sequence of Finding
        The findings.
    recording : Recording
        The sweeps.
    verdict : CellVerdict
        The answer as recorded.
    models : Models
        The models that gave it.
    metadata : CellMetadata
        Corrections, entered values, prior and recording conditions.

    Returns
    -------
    dict of name to Effect
    """
    wanted = remedies(found, recording)
    asked = tuple(models.named(one.model).predictor for one in (verdict.broad, verdict.subclass))
    as_recorded, *others = stress(recording, verdict.species, asked, metadata, list(wanted.values()))
    deciding = (verdict.broad if verdict.subclass.abstain else verdict.subclass).model
    return {name: _effect(as_recorded, other, deciding) for name, other in zip(wanted, others, strict=True)}


def _effect(before: StressResult, after: StressResult, deciding: str) -> Effect:
    if not after.n_features:
        return Effect(1.0, f"{_upper(after.label)}: no feature is left.")
    moved = max(
        abs(after.probabilities[model][name] - share)
        for model, shares in before.probabilities.items()
        for name, share in shares.items()
    )
    first, then = before.top(deciding), after.top(deciding)
    shares = before.probabilities[deciding], after.probabilities[deciding]
    if first == then:
        text = f"{label_of(first)} {shares[0][first]:.1%} → {shares[1][first]:.1%}"
    else:
        text = f"{label_of(first)} {shares[0][first]:.1%} → {label_of(then)} {shares[1][then]:.1%}"
    return Effect(moved, f"{_upper(after.label)}: {text}.")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
