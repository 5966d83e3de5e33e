"""A verdict in words: its headline, how like the database's the recording is, and what accuracy to expect."""

from collections.abc import Sequence

from neuroclass.cell_types import broad_of, label_of
from neuroclass.classification.quality_line import findings
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.ephys.conditions import REFERENCE_JUNCTION_MV
from neuroclass.ephys.quality import Severity
from neuroclass.features import BY_NAME, signed
from neuroclass.reference.health import NOT_HEALTHY
from neuroclass.types.models import SHIPPED_MODELS

LIKE, UNLIKE = 0.8, 0.2
USUAL = 0.05
"""Typicality from which a cell is called typical."""
CAUTIONS = ("Do not rely on this answer", "Read this answer with caution")
LEAST_NAMED = 0.1
"""Probability from which a class outside the prediction set is named with the reason."""
NOT_MEASURED = "The accuracy to expect of this model was not measured: it has no report."


def headline(verdict: CellVerdict) -> str:
    """The answer in one phrase, doubt first: a set where only a set can be said."""
    subclass, broad = verdict.subclass, verdict.broad
    if broad.abstain:
        return "Cannot say"
    kind = either(broad.prediction_set)
    if subclass.abstain:
        return kind.capitalize()
    if len(subclass.prediction_set) == 1:
        name = subclass.prediction_set[0]
        return f"{label_of(name)}, {label_of(broad_of(name))}"
    return either(subclass.prediction_set)


_MEANING = {
    "Probability": "Calibrated probability: of held-out cells with such a number, that share is of the class.",
    "Prediction set": "Holds the true class for that share of held-out cells.",
    "Expected accuracy": "Share of verdicts with exactly these features that were right on held-out donors.",
    "Typicality": "Share of held-out cells at least as unusual as this one: from 5% typical, less is unusual; below 1% "
    "there is no label.",
}
DOUBT_HELP = " ".join(f"**{name}**: {meaning[:1].lower()}{meaning[1:]}" for name, meaning in _MEANING.items())
"""What the figures of `doubt_line` mean; markdown."""


def doubt_line(verdict: CellVerdict) -> str:
    """How sure the headline is, in one line: probability, prediction set, expected accuracy, typicality."""
    if verdict.broad.abstain:
        return f"{verdict.broad.abstain[:1].upper()}{verdict.broad.abstain[1:]}."
    told = [one for one in (verdict.subclass, verdict.broad) if not one.abstain and one.probabilities]
    parts = [f"{label_of(str(one.label))} {stated(one.probabilities[str(one.label)])}" for one in told]
    if told and len(told[0].prediction_set) > 1:
        parts[0] += f" ({told[0].coverage:.0%} set: {either(told[0].prediction_set)})"
    figures = [", ".join(parts)]
    if told and "accuracy" in told[0].expected:
        figures.append(f"expected accuracy {told[0].expected['accuracy']:.1%}")
    if verdict.broad.typicality is not None:
        figures.append(f"typicality {verdict.broad.typicality:.1%}")
    text = f"Calibrated probability: {'; '.join(figures)}."
    if verdict.subclass.abstain:
        text += f" Subclass: cannot say, because {verdict.subclass.abstain}."
    return text


def doubt_figures(verdict: CellVerdict) -> list[tuple[str, str, str]]:
    """Name, value and meaning of each figure of `doubt_line`."""
    told = [one for one in (verdict.subclass, verdict.broad) if not one.abstain and one.probabilities]
    if verdict.broad.abstain or not told:
        return []
    figures = {"Probability": ", ".join(f"{label_of(str(one.label))} {stated(_likeliest(one))}" for one in told)}
    if len(told[0].prediction_set) > 1:
        figures["Prediction set"] = f"{told[0].coverage:.0%}, {len(told[0].prediction_set)} classes"
    if "accuracy" in told[0].expected:
        of = "broad class" if told[0] is verdict.broad else "subclass"
        figures["Expected accuracy"] = f"{told[0].expected['accuracy']:.1%} ({of})"
    if verdict.broad.typicality is not None:
        figures["Typicality"] = "typical" if typical(verdict) else f"unusual ({verdict.broad.typicality:.1%})"
    return [(name, text, _MEANING[name]) for name, text in figures.items()]


def typical(verdict: CellVerdict) -> bool:
    """Whether so many held-out cells are at least as unusual that nothing has to be said of it."""
    return verdict.broad.typicality is not None and verdict.broad.typicality >= USUAL


def _likeliest(prediction: Prediction) -> float:
    return prediction.probabilities[str(prediction.label)]


def either(classes: Sequence[str]) -> str:
    """Classes as alternatives in prose."""
    names = [label_of(name) for name in classes]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "no class"


def left_out(prediction: Prediction) -> list[str]:
    """Classes outside the prediction set whose probability is `LEAST_NAMED` or more, likeliest first."""
    if not prediction.prediction_set:
        return []
    found = [
        name
        for name, share in prediction.probabilities.items()
        if share >= LEAST_NAMED and name not in prediction.prediction_set
    ]
    return sorted(found, key=lambda name: -prediction.probabilities[name])


def left_out_line(prediction: Prediction) -> str:
    """Classes of some probability that are outside the prediction set; empty where there are none."""
    names = left_out(prediction)
    if not names:
        return ""
    shares = ", ".join(f"{label_of(name)} ({stated(prediction.probabilities[name])})" for name in names)
    be = "is" if len(names) == 1 else "are"
    return f"{shares} {be} outside the {prediction.coverage:.0%} prediction set, but not ruled out."


def set_line(prediction: Prediction) -> str:
    """What the prediction set means beside the probability of its classes; empty without a set."""
    members = prediction.prediction_set
    if not members:
        return ""
    coverage, share = f"{prediction.coverage:.0%}", sum(prediction.probabilities[name] for name in members)
    than = "lower: " if share < prediction.coverage else ""
    return (
        f"{coverage} prediction set: {either(members)}. Over many cells, {coverage} of such sets hold the true class; "
        f"for this one cell the probability that it does is {than}{stated(share)}."
    )


def set_rule(prediction: Prediction) -> str:
    """How the classes of the prediction set are chosen."""
    coverage = f"{prediction.coverage:.0%}"
    return f"It holds every class that is as probable here as the true class was in {coverage} of held-out cells."


def stated(share: float) -> str:
    """A probability as people read it."""
    return "over 99.9%" if share > 0.999 else f"{share:.1%}"


def likeness_line(verdict: CellVerdict) -> str:
    """Whether the recording is like the database's, and by which features it is not; empty where nothing is known."""
    if not verdict.likeness:
        return ""
    home = float(verdict.likeness["probability"])
    farthest = ", ".join(
        f"{BY_NAME[one['feature']].named} {signed(one['sd'])} SD" for one in verdict.likeness["differs_most"]
    )
    if home >= LIKE:
        return (
            f"Like the database's recordings (probability of being like them {stated(home)}); its most distant "
            f"features: {farthest}."
        )
    if home <= UNLIKE:
        return f"Unlike the database's recordings (probability of being like them {home:.0%}), above all in {farthest}."
    return f"Neither clearly like nor unlike the database's recordings ({home:.0%}); most distant: {farthest}."


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
    home, text = expected["probability_home"], f"Expected accuracy {expected['accuracy']:.1%}{interval}"
    where = f"{expected['home']:.1%} of held-out {expected['species']} cells are classified correctly as recorded"
    away = f"{expected['elsewhere']:.1%} as other rigs would measure them (simulated, classes equally frequent)"
    if home >= LIKE:
        return f"{text}, as for a recording like the database's. With these features {where}, {away}."
    if home <= UNLIKE:
        return f"{text}, as for another laboratory's recording. With these features {away}; {where}."
    return f"{text}, between the database's recordings and another laboratory's. {where}; {away}."


def contradicts(verdict: CellVerdict) -> bool:
    """Whether DANN and LSPIN contradict each other about the cell."""
    return any(map(is_contradiction, verdict.warnings))


def is_contradiction(warning: str) -> bool:
    """Whether a warning says that the models contradict each other."""
    return "contradict each other" in warning


def caution_line(verdict: CellVerdict) -> str:
    """What makes the recording so doubtful that it has to be known before the answer; empty where nothing does."""
    serious = [one for one in findings(verdict) if one.severity == Severity.SERIOUS.value]
    if not serious:
        return ""
    rely = any(one.name == NOT_HEALTHY for one in serious)
    return f"{CAUTIONS[0 if rely else 1]}: {'; '.join(one.text for one in serious)}."


def junction_line(verdict: CellVerdict, corrected: CellVerdict) -> str:
    """Whether the answer depends on a junction potential that is not stated, in a sentence."""
    begin = (
        "If the potentials are already corrected for the junction potential, "
        f"{REFERENCE_JUNCTION_MV:g} mV are to be added to compare them with the database, and"
    )
    state = "state it with the recording conditions"
    if corrected.broad.abstain:
        return f"{begin} there is no label ({corrected.broad.abstain.split(':')[0]}): {state}."
    then = headline(corrected)
    probability = {name: text for name, text, _ in doubt_figures(corrected)}.get("Probability", "")
    shown = f" ({probability})" if probability else ""
    if then == headline(verdict):
        return f"{begin} the answer stays {then}{shown}."
    return f"{begin} the answer is {then}{shown} instead: {state}."


def depends_on_junction(verdict: CellVerdict, corrected: CellVerdict) -> bool:
    """Whether the answer is another one if the potentials are corrected already."""
    return headline(verdict) != headline(corrected)
