"""Which sets of features models are fitted to for an input, where its cells bring more than can be fitted.

Nothing here depends on what was fitted before, so that the same input gets the same verdicts at any time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from neuroclass.classification.doubt import LEAST_FEATURES, rows_of
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.errors import RejectedInput, TableError
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.training.library import LEAST_TO_IMPUTE, MOST_IMPUTED, FeatureSetLibrary
from neuroclass.types.arrays import Mask
from neuroclass.types.progress import FEATURE_SET, Progress, ProgressCallback, ignore_progress

MOST_FITTED = 20
"""Sets of features that models are fitted to for one input; each takes some seconds."""

_SPLIT = "classify these rows as a table of their own to have models fitted to them"


@dataclass(frozen=True)
class Plan:
    """Cells as they will be judged, and the sets of features that models must be fitted to first.

    Attributes
    ----------
    cells : list of MeasuredCell or RejectedInput
        In the input's order; some with features left out, or rejected.
    to_fit : tuple of ndarray of bool, shape (41,)
        Sets without shipped models, the commonest first.
    """

    cells: "list[MeasuredCell | RejectedInput]"
    to_fit: tuple[Mask, ...] = ()


def plan(
    measured: "Sequence[MeasuredCell | RejectedInput]", library: FeatureSetLibrary, most: int = MOST_FITTED
) -> Plan:
    """Choose the sets of features that cells are judged by.

    A cell whose set has shipped models, or is among the `most` commonest of the others, is judged by exactly its
    features. Any other is judged by the largest of these sets within its features, and says which were left out.

    Parameters
    ----------
    measured : sequence of MeasuredCell or RejectedInput
        The cells of one input.
    library : FeatureSetLibrary
        Where models come from.
    most : int
        Largest number of sets to fit.

    Returns
    -------
    Plan
    """
    cells = [one for one in measured if isinstance(one, MeasuredCell)]
    present = np.isfinite(rows_of(cells))
    counts = Counter(row.tobytes() for row in present if row.any())
    wanted = {key: np.frombuffer(key, dtype=bool) for key in counts}
    others = [key for key, mask in wanted.items() if not library.ships(mask)]
    others.sort(key=lambda key: (-counts[key], -int(wanted[key].sum())))
    to_fit = tuple(wanted[key] for key in others[:most])
    if len(others) <= most:
        return Plan(list(measured), to_fit)
    fewer = {key: _largest_within(wanted[key], to_fit, library.shipped) for key in others[most:]}
    judged = iter(
        _with_fewer(cell, fewer[key], len(others), most) if (key := row.tobytes()) in fewer else cell
        for cell, row in zip(cells, present, strict=True)
    )
    return Plan([next(judged) if isinstance(one, MeasuredCell) else one for one in measured], to_fit)


def fit(
    sets: Sequence[Mask],
    library: FeatureSetLibrary,
    progress: ProgressCallback = ignore_progress,
) -> None:
    """Fit models to sets of features, unless they are there already.

    Parameters
    ----------
    sets : sequence of ndarray of bool, shape (41,)
        From `plan`.
    library : FeatureSetLibrary
        Where they are kept.
    progress : ProgressCallback
        Called before each set that is to be fitted and after each of its networks; raising there stops.
    """
    missing = [one for one in sets if not library.is_ready(one)]
    for number, one in enumerate(missing):
        report = Progress(FEATURE_SET, number, len(missing))
        progress(report)
        library.model_for(one, partial(_as_before, progress, report))
    if missing:
        progress(Progress(FEATURE_SET, len(missing), len(missing)))


def _as_before(progress: ProgressCallback, report: Progress, _: Progress) -> None:
    progress(report)


def _largest_within(present: Mask, fitted: Sequence[Mask], shipped: Sequence[Mask]) -> Mask:
    """The most of these features that a shipped or fitted set serves, shape (41,); none if there is no such set."""
    best = np.zeros(len(FEATURE_NAMES), dtype=bool)
    for one in (*shipped, *fitted):
        lacking = int((one & ~present).sum())
        imputable = one.sum() >= LEAST_TO_IMPUTE and any(one is own for own in shipped)
        if lacking <= (MOST_IMPUTED if imputable else 0) and (one & present).sum() > best.sum():
            best = one & present
    return best


def _with_fewer(cell: MeasuredCell, kept: Mask, n_sets: int, most: int) -> MeasuredCell | RejectedInput:
    """The cell with only some of its features, and a warning that names the others."""
    names = {name for name, there in zip(FEATURE_NAMES, kept, strict=True) if there}
    why = f"its cells bring {n_sets} other sets of features than models ship for, and models are fitted to {most}"
    if len(names) < min(LEAST_FEATURES, len(cell.features)):
        return RejectedInput(
            cell.source,
            TableError(f"{cell.source}: {why}; none of these lies within this cell's features. Please {_SPLIT}."),
            cell.cell,
        )
    left_out = [name for name in cell.features if name not in names]
    listed = ", ".join(BY_NAME[name].named for name in left_out[:8])
    text = (
        f"Judged without {len(left_out)} of its {len(cell.features)} features ({listed}"
        f"{', …' if len(left_out) > 8 else ''}): {why}, the commonest. To use all, {_SPLIT}."
    )
    return replace(
        cell,
        features={name: value for name, value in cell.features.items() if name in names},
        missing={**cell.missing, **dict.fromkeys(left_out, "left out, see the warnings")},
        warnings=(*cell.warnings, text),
    )
