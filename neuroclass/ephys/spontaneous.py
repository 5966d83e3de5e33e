"""Firing without injected current, and which features it spoils."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from neuroclass.ephys.activity import Activity
from neuroclass.ephys.measures import Response
from neuroclass.features import Stimulus

RARE_HZ, RARE_SPIKES = 0.1, 2  # below either, spikes at rest are strays and the cell counts as silent
_CURRENT = "the cell fires without injected current, so this is not the current that makes it fire"
_LATENCY = "the cell fires without injected current, so its first spike need not be the stimulus' own"
_BASELINE = "the cell fires without injected current, so its baseline, taken between spikes, is no rest"
_RATE = "the cell fires without injected current, which adds to the rate of every square"
_SPOILED = {
    "threshold_i_long_square": _CURRENT,
    "threshold_i_ramp": _CURRENT,
    "threshold_i": _CURRENT,
    "latency": _LATENCY,
    "f_i_curve_slope": _RATE,
    "vrest": _BASELINE,
    "ri": _BASELINE,
    "tau": _BASELINE,
    "sag": _BASELINE,
    "vm_for_sag": _BASELINE,
}


@dataclass(frozen=True)
class SpontaneousFiring:
    """Spikes of one cell while no stimulus is applied.

    Attributes
    ----------
    n_spikes, n_sweeps : int
        Spikes at rest, and sweeps that hold some.
    rest_s : float
        Time at rest over all sweeps, s.
    n_hyperpolarised, n_below : int
        Hyperpolarising squares that hold spikes, and all of them.
    """

    n_spikes: int
    n_sweeps: int
    rest_s: float
    n_hyperpolarised: int
    n_below: int

    @property
    def rate_hz(self) -> float:
        """Rate at rest, Hz; 0 without any time at rest."""
        return self.n_spikes / self.rest_s if self.rest_s > 0 else 0.0

    @property
    def active(self) -> bool:
        """Whether the cell counts as spontaneously active."""
        resting = self.n_spikes >= RARE_SPIKES and self.rate_hz >= RARE_HZ
        return resting or self.n_hyperpolarised >= RARE_SPIKES

    @property
    def message(self) -> str:
        """What was found, in one sentence."""
        spikes = f"{self.n_spikes} spike{'s' if self.n_spikes != 1 else ''}"
        where = f"in {self.n_sweeps} sweep{'s' if self.n_sweeps != 1 else ''}"
        rest = f"{spikes} {where} while no stimulus is applied ({self.rate_hz:.2g} Hz over {self.rest_s:.3g} s at rest)"
        below = (
            f"; {self.n_hyperpolarised} of {self.n_below} hyperpolarising squares hold spikes"
            if self.n_hyperpolarised
            else ""
        )
        if not self.active:
            return f"{rest}{below}: too few to count the cell as spontaneously active."
        return (
            f"The cell is spontaneously active: {rest}{below}. That spoils rheobase, the ramp's threshold current, "
            "latency, f–I slope, and what is measured from a baseline: resting potential, input resistance, time "
            "constant and sag; they are marked."
        )

    def spoiled(self, measured: Collection[str]) -> dict[str, str]:
        """The measured features that the firing spoils, each with why; empty for a silent cell."""
        return {name: why for name, why in _SPOILED.items() if name in measured} if self.active else {}


def spontaneous_firing(activity: Mapping[int, Activity], responses: Sequence[Response]) -> SpontaneousFiring:
    """Count the spikes of a cell at rest and in hyperpolarising squares.

    Parameters
    ----------
    activity : mapping of int to Activity
        What each sweep does, by its number.
    responses : sequence of Response
        The epochs that features are measured on.
    """
    resting = [int(one.at_rest.sum()) for one in activity.values()]
    below = [r for r in responses if r.epoch.stimulus is Stimulus.LONG_SQUARE and r.epoch.amplitude_pa < 0]
    return SpontaneousFiring(
        sum(resting),
        sum(n > 0 for n in resting),
        sum(one.rest_s for one in activity.values()),
        sum(r.n_spikes > 0 for r in below),
        len(below),
    )
