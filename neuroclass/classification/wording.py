"""A verdict in words: its headline, how like the database's the recording is, and what accuracy to expect."""

from collections.abc import Sequence

from neuroclass.cell_types import broad_of, label_of
from neuroclass.classification.result import Answer, CellVerdict, Prediction
from neuroclass.errors import RejectedInput
from neuroclass.features import BY_NAME
from neuroclass.types.models import SHIPPED_MODELS

LIKE, UNLIKE = 0.8, 0.2
NOT_MEASURED = "The accuracy to expect of this model was not measured: it has no report."


def headline(verdict: CellVerdict) -> str:
    """The answer in one phrase, doubt first: a set where only a set can be said."""
    subclass, broad = verdict.subclass, verdict.broad
    if broad.abstain:
        return "Cannot say"
    kind = " or ".join(label_of(name) for name in broad.prediction_set)
    if subclass.abstain:
        return kind.capitalize()
    if len(subclass.prediction_set) == 1:
        name = subclass.prediction_set[0]
        return f"{label_of(name)}, {label_of(broad_of(name))}"
    return " or ".join(label_of(name) for name in subclass.prediction_set)


def doubt_line(verdict: CellVerdict) -> str:
    """How sure the headline is, in one line."""
    if verdict.broad.abstain:
        return f"{verdict.broad.abstain[:1].upper()}{verdict.broad.abstain[1:]}."
    parts = []
    for prediction in (verdict.subclass, verdict.broad):
        if not prediction.abstain and prediction.probabilities:
            name = max(prediction.probabilities, key=lambda one: prediction.probabilities[one])
            parts.append(f"{label_of(name)} {stated(prediction.probabilities[name])}")
    text = f"Calibrated probability: {', '.join(parts)}."
    if verdict.subclass.abstain:
        text += f" Subclass: cannot say, because {verdict.subclass.abstain}."
    return text


def stated(share: float) -> str:
    """A probability as people read it."""
    return "over 99.9%" if share > 0.999 else f"{share:.1%}"


def likeness_line(verdict: CellVerdict) -> str:
    """Whether the recording is like the database's, and by which features it is not; empty where nothing is known."""
    if not verdict.likeness:
        return ""
    home = float(verdict.likeness["probability"])
    farthest = ", ".join(
        f"{BY_NAME[one['feature']].label} {one['sd']:+.1f} sd" for one in verdict.likeness["differs_most"]
    )
    if home >= LIKE:
        return f"Like the database's recordings ({home:.0%}); its farthest features: {farthest}."
    if home <= UNLIKE:
        return f"Unlike the database's recordings (like them: {home:.0%}), by these features above all: {farthest}."
    return f"Neither clearly like the database's recordings nor unlike them (like them: {home:.0%}): {farthest}."


def promise_line(prediction: Prediction) -> str:
    """The accuracy to expect, and for which recordings; empty where nothing was measured."""
    expected = prediction.expected
    if "accuracy" not in expected:
        return "" if prediction.model in SHIPPED_MODELS else NOT_MEASURED
    interval = f" (95% interval {expected['low']:.1%} to {expected['high']:.1%})" if "low" in expected else ""
    if "elsewhere" not in expected:
        of = expected.get("species", "")
        cells = f"{expected.get('n_cells', '?')} held-out {of} cells".replace("  ", " ")
        return f"With these features, {expected['accuracy']:.1%} of {cells} are classified correctly{interval}."
    home, text = expected["probability_home"], f"Expect {expected['accuracy']:.1%} correct{interval}"
    where = f"{expected['home']:.1%} of held-out {expected['species']} cells as the database recorded them"
    away = f"{expected['elsewhere']:.1%} as simulated laboratories measure them, classes equally frequent"
    if home >= LIKE:
        return f"{text}: the promise for the database's own rigs. With these features {where}, {away}."
    if home <= UNLIKE:
        return f"{text}: the promise for another laboratory. With these features {away}; {where}."
    return f"{text}: between the promise for the database's own rigs and for another laboratory. {where}; {away}."


def contradicts(verdict: CellVerdict) -> bool:
    """Whether DANN and LSPIN contradict each other about the cell."""
    return any("contradict each other" in text for text in verdict.warnings)


def summary_of(answers: Sequence[Answer]) -> str:
    """Cells and their labels in one line, for searching the history."""
    parts = []
    for one in answers[:200]:
        if isinstance(one, RejectedInput):
            parts.append(f"{one.cell} refused ({one.error.kind})".strip())
        else:
            labels = " / ".join(prediction.label or "cannot say" for prediction in (one.broad, one.subclass))
            parts.append(f"{one.cell} ({one.species}): {labels}")
    return "; ".join(parts) + (f"; and {len(answers) - 200} more" if len(answers) > 200 else "")
