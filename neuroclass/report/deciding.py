"""The sweep and the samples that a prediction rests on most: where its strongest reason was measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from neuroclass.charts.comparison import Panel
from neuroclass.charts.traces import Trace
from neuroclass.classification.result import Reason
from neuroclass.report.places import Traced, panel_of


@dataclass(frozen=True, eq=False)
class Deciding:
    """Where the strongest reason that has a place on the sweeps was measured.

    Attributes
    ----------
    reason : Reason
        The reason.
    sweep : Trace
        The whole sweep, time 0 at its first sample.
    panel : Panel
        The samples, on a time axis with 0 at the spike's peak or at stimulus onset.
    zero_s : float
        Time of that 0 on the sweep's axis, s.
    """

    reason: Reason
    sweep: Trace
    panel: Panel
    zero_s: float


def deciding(traced: Traced, reasons: Sequence[Reason]) -> Deciding | None:
    """Find the strongest reason's sweep and samples.

    Parameters
    ----------
    traced : Traced
        The cell's sweeps and where its features were measured.
    reasons : sequence of Reason
        Largest contribution first.

    Returns
    -------
    Deciding or None
        None where no reason was measured on a sweep.
    """
    for reason in reasons:
        panel = panel_of(traced, reason.feature)
        if panel is not None:
            first = panel.traces[0]
            return Deciding(reason, whole(first), panel, -first.start_s)
    return None


def whole(trace: Trace) -> Trace:
    """A sweep from its first sample, its name as a title."""
    return replace(trace, name=f"{trace.name[:1].upper()}{trace.name[1:]}", start_s=0.0)
