"""When a laboratory cannot be learned from a batch.

A batch of one class is the hard case: an offset of the laboratory and the particulars of a class look alike. A batch is
left as it is if a single class explains it at least as well as several do, if another explanation comes close and
classifies many cells otherwise, if the classes depend on which half of the cells the laboratory is learned from, or if
held-out cells are not described better.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from neuroclass.adaptation.variational import Home, LabFit, fit_laboratory
from neuroclass.adaptation.verdicts import posterior, unknown_laboratory
from neuroclass.cell_types import label_of
from neuroclass.types.arrays import Floats

RIVAL_NATS = 3.0
RIVAL_CHANGED = 0.3
MOSTLY = 0.6
MOST_CLASSES_ALIKE = 2
LEAST_STABLE = 0.65
_ROUNDS = 20


def compare_halves(
    z: Floats, start: Floats, batch: Floats, home: Home, rng: np.random.Generator
) -> tuple[float, float]:  # fmt: skip
    """Learn the laboratory from each half of the batch and look at the other.

    Parameters
    ----------
    z : ndarray, shape (n_cells, n_features)
        Standardised features, NaN where missing.
    start, batch : ndarray, shape (n_cells, n_classes)
        Each cell's own posterior, and that of the fit to all.
    home : Home
        The reference.
    rng : Generator
        Of the halves.

    Returns
    -------
    stability : float
        Fraction of cells that keep their class.
    gain : float
        Logarithm of the density with the laboratory learned, less that of an unknown laboratory, nats per cell.
    """
    half = rng.permutation(len(z)) < len(z) // 2
    same, gain = 0, 0.0
    for learned in (half, ~half):
        fit = fit_laboratory(z[learned], start[learned], home, _ROUNDS)
        other = z[~learned]
        same += int((posterior(fit, other).argmax(1) == batch[~learned].argmax(1)).sum())
        without = logsumexp(unknown_laboratory(other, home), axis=1) - np.log(len(home.means))
        gain += float((fit.log_density(other) - without).sum())
    return same / len(z), gain / len(z)


def why_not(
    z: Floats, start: Floats, batch: Floats, fit: LabFit, home: Home, classes: Sequence[str], stability: float,
    gain: float,
) -> str:  # fmt: skip
    """Why a batch cannot be adapted to; empty if it can.

    Parameters
    ----------
    z, start, batch
        As in `compare_halves`.
    fit : LabFit
        The fit to all cells, started from their own posteriors.
    home : Home
        The reference.
    classes : sequence of str
        Names of the classes.
    stability, gain : float
        From `compare_halves`.

    Returns
    -------
    str
        Complete sentences.
    """
    if gain <= 0:
        return "held-out cells are not described better with the laboratory's offset than without it."
    if stability < LEAST_STABLE:
        return (
            f"only {stability:.0%} of the cells keep their class when the laboratory is learned from the other half of "
            f"the batch; at least {LEAST_STABLE:.0%} should."
        )
    n_classes = len(home.means)
    top = int(start.mean(0).argmax())
    before, after = float(start[:, top].mean()), float(batch[:, top].mean())
    if n_classes > MOST_CLASSES_ALIKE and before >= MOSTLY and after < before:
        return (
            f"by themselves the cells are mostly {label_of(classes[top])} (mean probability {before:.0%}), and "
            f"allowing for an offset would divide them among other classes ({after:.0%} left): a class of several "
            "types can pass for several classes. Add cells of other classes recorded on the same rig."
        )
    alike = [fit_laboratory(z, np.ones((len(z), 1)), home.only(k), _ROUNDS).evidence for k in range(n_classes)]
    over = fit.evidence - max(alike)
    if over <= 0:
        return (
            f"one class ({label_of(classes[int(np.argmax(alike))])}) explains these cells at least as well as several "
            f"do (log evidence of several less one: {over:.1f} nats), so the offset of the laboratory cannot be "
            "separated from what is particular to a class. Add cells of other classes recorded on the same rig."
        )
    for corner in np.eye(n_classes):
        rival = fit_laboratory(z, 0.9 * corner + 0.1 * start, home, _ROUNDS)
        changed = float((posterior(rival, z).argmax(1) != batch.argmax(1)).mean())
        if changed > RIVAL_CHANGED and rival.evidence > fit.evidence - RIVAL_NATS:
            return (
                f"another explanation fits the batch about as well and classifies {changed:.0%} of the cells otherwise."
            )
    return ""
