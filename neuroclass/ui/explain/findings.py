"""What a figure of the SHAP and Gates pages shows, in one sentence made from its numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cell_types import label_of
from neuroclass.features import BY_NAME, signed
from neuroclass.types.arrays import Floats

CLEAR = 0.3
"""|Spearman's ρ| from which a direction is named."""
OPEN_OFTEN = 0.95
ALL, MUCH, SOME = 0.98, 0.5, 0.2
"""Fractions of what a classifier guesses above chance, from which on all, much or some of it is removed."""
SLIGHT = 0.01
"""Loss of balanced accuracy that is no loss of the class."""


def named(feature: str) -> str:
    """A feature within a sentence: its label with the stimulus in brackets."""
    spec = BY_NAME.get(feature)
    return f"{feature} (all stimuli)" if spec is None else spec.named


def _direction(values: Floats, shap: Floats) -> float:
    """Spearman's ρ of value and SHAP value; 0 where either is constant or fewer than three are known."""
    pair = pd.DataFrame({"value": values, "shap": shap}).dropna()
    if len(pair) < 3 or pair["value"].nunique() < 2 or pair["shap"].nunique() < 2:
        return 0.0
    return float(pair["value"].rank().corr(pair["shap"].rank()))


def _effect(strength: float, towards: str) -> str:
    if strength > CLEAR:
        return f"high values favour {towards}"
    if strength < -CLEAR:
        return f"low values favour {towards}"
    return "which way depends on the cell"


def strongest(shap: pd.DataFrame, deciles: pd.DataFrame, features: Sequence[str], towards: str, unit: str) -> str:
    """Which feature moves the output most, how far, and in which direction.

    Parameters
    ----------
    shap, deciles : DataFrame, cells × features
        SHAP values, and the deciles of the features' values.
    features : sequence of str
        The most important first.
    towards, unit : str
        The class, and the unit of the SHAP values.

    Returns
    -------
    str
    """
    first, *others = features
    mean = float(shap[first].abs().mean())
    effect = _effect(_direction(deciles[first].to_numpy(float), shap[first].to_numpy(float)), towards)
    then = f". Next: {' and '.join(map(named, others[:2]))}" if others else ""
    if unit == "probability":
        size = f"it moves the probability by {100 * mean:.1f} percentage points on average"
    else:
        size = f"mean |SHAP| {mean:.3f} ({unit})"
    return f"{named(first)} matters most: {size}; {effect}{then}."


def concentration(means: pd.DataFrame, top: int = 5, what: str = "features") -> str:
    """What share of all mean |SHAP| the first features carry.

    Parameters
    ----------
    means : DataFrame, features × groups
        Mean |SHAP|.
    top : int
        How many features.
    what : str
        What they are called.

    Returns
    -------
    str
    """
    total = means.mean(axis=1).sort_values(ascending=False)
    share = float(total.head(top).sum() / total.sum()) if total.sum() else 0.0
    return f"{min(top, len(total))} of {len(total)} {what} carry {share:.0%} of the sum of mean |SHAP|."


def by_true_class(shap: pd.DataFrame, truth: Sequence[str], features: Sequence[str], name: str, label: str) -> str:
    """How often the strongest feature favours the class in cells of the class, and in others."""
    first = features[0]
    positive = shap[first].to_numpy(float) > 0
    mine = np.asarray(truth, dtype=object) == name
    if not mine.any() or mine.all():
        return f"{named(first)} favours {label} in {positive.mean():.0%} of these cells."
    return (
        f"{named(first)} favours {label} in {positive[mine].mean():.0%} of cells that are {label} and in "
        f"{positive[~mine].mean():.0%} of all others."
    )


def slope(values: Floats, shap: Floats, feature: str, towards: str, other: str, strength: float) -> str:
    """How a feature's SHAP value goes with its value, and what it interacts with most."""
    rho = _direction(values, shap)
    how = "strongly" if strength >= 0.5 else "moderately" if strength >= CLEAR else "weakly"
    return (
        f"{named(feature)}: {_effect(rho, towards)} (Spearman's ρ {signed(rho, 2)}). Its strongest interaction, with "
        f"{named(other)}, is {how.removesuffix('ly')} ({strength:.2f} of 1)."
    )


def main_reasons(base: float, contributions: pd.Series, towards: str, unit: str) -> str:
    """From the base value to the output, and the features that move it most."""
    order = contributions.abs().sort_values(ascending=False).index[:3]
    share = unit == "probability"

    def moved(name: object) -> str:
        value = float(contributions[name])
        return f"{named(str(name))} {f'{signed(100 * value, 1)} points' if share else signed(value, 3)}"

    listed = ", ".join(map(moved, order))
    start, end = (f"{value:.1%}" if share else f"{value:.3f}" for value in (base, base + float(contributions.sum())))
    return f"{unit.capitalize()} of {towards}: {start} → {end}, mostly by {listed}."


def alike(correlations: "pd.Series[float]", model: str) -> str:
    """How far the systems rank features as the model does."""
    return (
        f"The systems' rankings agree with {model}'s between {correlations.min():.2f} ({correlations.idxmin()}) and "
        f"{correlations.max():.2f} ({correlations.idxmax()}), Spearman's ρ."
    )


def retraining(flagged: int, total: int, agreed: pd.DataFrame) -> str:
    """How many features are ranked differently, and how far retrainings agree."""
    own = agreed[agreed["first"] == agreed["second"]].sort_values("kendall")
    text = f"{total - flagged} of {total} features keep their rank between methods and trainings"
    if len(own):
        best = own.iloc[-1]
        text += f"; {best['first']} ranks are the most stable (Kendall's τ {best['kendall']:.2f} between trainings)"
    return f"{text}."


def sparsity(n_open: "pd.Series[int]", total: int) -> str:
    """How few gates are open in a cell."""
    return (
        f"LSPIN uses few features: {n_open.median():.0f} of {total} or fewer in half of the cells, "
        f"{n_open.quantile(0.95):.0f} or fewer in 95%."
    )


def needs(n_open: "pd.Series[int]", truth: "pd.Series[str]") -> str:
    """How many gates are open in cells of each class; empty where the classes do not differ."""
    medians = n_open.groupby(truth.to_numpy()).median()
    first = str(medians.idxmin())
    if len(medians) < 2 or medians.min() == medians.max():
        return ""
    others = medians.drop(first)
    span = f"{others.min():g}" + (f" to {others.max():g}" if others.max() > others.min() else "")
    return f"LSPIN opens the fewest gates in {label_of(first)} cells: a median of {medians.min():g}, in others {span}."


def always_open(gates: pd.DataFrame) -> str:
    """Which gates are open most often, and how many hardly ever."""
    often = (gates > 0).mean().sort_values(ascending=False)
    listed = ", ".join(f"{named(str(name))} in {share:.0%} of cells" for name, share in often.head(3).items())
    rare = int((often < 1 - OPEN_OFTEN).sum())
    return f"Open most often: {listed}; {rare} of {len(often)} gates are open in under 5% of cells."


def gates_by_class(means: pd.DataFrame, labels: Sequence[str], effects: "pd.Series[float]") -> str:
    """The gate that differs most between classes.

    Parameters
    ----------
    means : DataFrame, classes × features
        Mean gates.
    labels : sequence of str
        The classes as the field writes them.
    effects : Series, by feature
        ε² of each gate between the classes, by which the table beside it is ordered too.

    Returns
    -------
    str
    """
    name = str(effects.idxmax())
    high, low = int(means[name].to_numpy().argmax()), int(means[name].to_numpy().argmin())
    return (
        f"The gate of {named(name)} differs most between the classes (ε² {effects.max():.2f} of its rank variance): "
        f"{means[name].iloc[high]:.2f} in {labels[high]}, {means[name].iloc[low]:.2f} in {labels[low]}."
    )


def domains(
    species: tuple[float | None, float | None],
    label: tuple[float | None, float | None],
    strength: float,
    plain: float | None = None,
) -> str:
    """How far a network hides the species and keeps the class.

    Parameters
    ----------
    species, label : tuple of float or None
        Balanced accuracy, as a fraction, of a classifier of the species and of the class: from the input features, and
        from the network's; None where it was not measured.
    strength : float
        The adversary's λ.
    plain : float, optional
        As the second of `species`, of the network without adversary.

    Returns
    -------
    str
    """
    (before, after), who = species, "DANN" if strength > 0 else "Without the adversary, the network"
    if before is None or after is None:
        return f"How well the species can be guessed from the features at λ = {strength:g} was not measured."
    hidden = (before - after) / max(before - 0.5, 1e-6)
    rest = ", not all" if MUCH <= hidden < ALL else ""
    how = "much" if hidden >= MUCH else "some" if hidden >= SOME else "little"
    text = (
        f"{who} removes {how} of the difference between the species{rest}: whether a cell is mouse or human is "
        f"guessed right in {before:.0%} from the input features and in {after:.0%} from the network's (chance 50%)."
    )
    if plain is not None and strength > 0:
        text += f" Training for the class alone, without the adversary, already brings that to {plain:.0%}."
    (first, then) = label
    if first is None or then is None:
        return text
    kept = "stays" if then >= first - SLIGHT else "suffers"
    return f"{text} Excitatory or inhibitory {kept}: {first:.0%} → {then:.0%}."


def transfer(table: pd.DataFrame) -> str:
    """Whether human cells are classified by what was learned from mouse cells.

    Parameters
    ----------
    table : DataFrame
        Columns ``system``, ``protocol`` and ``mean`` (accuracy in human cells, fraction).

    Returns
    -------
    str
        Empty where DANN was not tested without human labels.
    """
    by = table.set_index(["protocol", "system"])["mean"]
    alone = by.get(("leave-species-out", "dann"))
    if alone is None:
        return ""
    text = f"Mostly: without a single human label, DANN classifies {alone:.0%} of human cells correctly"
    if (known := by.get(("donor-cv", "dann"))) is not None:
        text += f", with human labels {known:.0%}"
    gaps = [
        abs(float(by[protocol, "dann"]) - float(by[protocol, "dann-lambda0"]))
        for protocol in ("leave-species-out", "donor-cv")
        if (protocol, "dann") in by and (protocol, "dann-lambda0") in by
    ]
    if gaps:
        points = f"changes that by up to {100 * max(gaps):.0f} points"
        text += f". The adversary {'makes no difference to that' if max(gaps) < SLIGHT else points}"
    plain = by.get(("leave-species-out", "lasso"))
    if plain is not None and plain > alone:
        text += f"; plain logistic regression transfers better ({plain:.0%} without human labels)"
    return f"{text}."


def matched_subclasses(rows: Sequence[Mapping[str, Any]]) -> str:
    """For which mouse subclasses the nearest human cell has the corresponding label more often than by chance.

    Parameters
    ----------
    rows : sequence of mapping
        ``subclass``, and as fractions ``same`` with the interval's end ``low``, and ``chance``.

    Returns
    -------
    str
    """
    above = [row for row in rows if row["low"] > row["chance"]]
    others = [row for row in rows if row["low"] <= row["chance"]]

    def listed(part: Sequence[Mapping[str, Any]]) -> str:
        found = [f"{label_of(row['subclass'])} ({row['same']:.0%}, chance {row['chance']:.0%})" for row in part]
        return " and ".join(filter(None, (", ".join(found[:-1]), found[-1])))

    start = "In DANN's features the nearest human cell carries the corresponding subclass"
    if not above:
        return f"{start} no more often than by chance, for mouse {listed(others)}."
    but = f", but not for {listed(others)}" if others else ""
    return f"{start} more often than by chance for mouse {listed(above)}{but}."


def open_gates(gates: "pd.Series[float]") -> str:
    """How many gates of a cell are open, and the most open ones."""
    opened = gates[gates > 0].sort_values(ascending=False)
    if opened.empty:
        return "No gate of this cell is open."
    listed = ", ".join(named(str(name)) for name in opened.index[:5])
    more = f" and {len(opened) - 5} more" if len(opened) > 5 else ""
    return f"{len(opened)} of {len(gates)} gates are open: {listed}{more}."
