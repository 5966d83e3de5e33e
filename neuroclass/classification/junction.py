"""What the answer would be if a recording's potentials were already corrected, where the user does not state it.

The database's potentials are not corrected for its liquid junction potential of 14 mV. A laboratory that subtracts its
own gives potentials that lie about as much lower, which no model can tell from a more hyperpolarised cell.
"""

from neuroclass.classification.classify import classify_cells
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict
from neuroclass.ephys.conditions import Conditions, to_reference
from neuroclass.predictors.priors import Prior

_STATED = ("junction_mv", "junction_corrected")


def if_corrected(verdict: CellVerdict, models: Models, prior: Prior | None = None) -> CellVerdict | None:
    """The verdict on the same features, with potentials as of a laboratory that subtracts its junction potential.

    Parameters
    ----------
    verdict : CellVerdict
        As given.
    models : Models
        Those that gave it.
    prior : Prior, optional
        The prior that it was given under.

    Returns
    -------
    CellVerdict or None
        Without reasons; None where the user states the junction potential, where no label was given, or where no
        potential was measured.
    """
    if verdict.broad.abstain or any(name in verdict.conditions for name in _STATED):
        return None
    moved = to_reference(verdict.features, Conditions(junction_corrected=True)).features
    if moved == dict(verdict.features):
        return None
    cell = MeasuredCell(verdict.source, verdict.cell, verdict.species, moved, verdict.missing)
    (answer,) = classify_cells([cell], models, False, prior)
    return answer if isinstance(answer, CellVerdict) else None
