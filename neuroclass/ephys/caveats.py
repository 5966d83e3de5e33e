"""Why a measured value is to be taken with caution."""

from collections.abc import Sequence

import numpy as np

from neuroclass.ephys.measures import Measured, Response
from neuroclass.ephys.quality import baseline_noise, bridge_error
from neuroclass.ephys.settings import QualitySettings
from neuroclass.ephys.spontaneous import SpontaneousFiring
from neuroclass.features import BY_NAME, Stimulus, features_of

_STIMULI = (Stimulus.LONG_SQUARE, Stimulus.RAMP, Stimulus.SHORT_SQUARE)
_SPIKES = ("threshold_v", "peak_v")


def find_caveats(
    measured: Measured, responses: Sequence[Response], firing: SpontaneousFiring, settings: QualitySettings
) -> dict[str, str]:
    """Measured features that are spoiled, each with why.

    Parameters
    ----------
    measured : Measured
        The cell's values.
    responses : sequence of Response
        The epochs they were measured on.
    firing : SpontaneousFiring
        What the cell does without a stimulus.
    settings : QualitySettings
        Limits of the holding current's range and of the bridge.

    Returns
    -------
    dict of str to str
    """
    found = {name: [why] for name, why in firing.spoiled(measured.values).items()}
    bridge = bridge_error(responses)
    for stimulus in _STIMULI:
        own = [r for r in responses if r.epoch.stimulus is stimulus]
        current = f"threshold_i_{stimulus.value}"
        held = [r.epoch.holding_pa for r in own]
        if current in measured.values and np.ptp(held) > settings.holding_range_pa:
            why = f"the sweeps are held at {min(held):.3g} to {max(held):.3g} pA, and each counts from its own level"
            found.setdefault(current, []).append(why)
        off = bridge * measured.values.get(current, 0.0) * 1e-3
        if abs(off) > settings.bridge_error_mv:
            why = f"the bridge is off by {bridge:.3g} MΩ, so potentials at this current are off by {off:.3g} mV"
            for name in features_of(stimulus):
                if name.startswith(_SPIKES) and name in measured.values and BY_NAME[name].unit == "mV":
                    found.setdefault(name, []).append(why)
    noise = _noise(responses)
    if noise > settings.noise_mv:
        why = f"taken at the lowest sample, which noise of {noise:.2g} mV makes too low, the more the longer the square"
        for name in ("ri", "vm_for_sag"):
            if name in measured.values:
                found.setdefault(name, []).append(why)
    return {name: "; ".join(reasons) for name, reasons in found.items()}


def _noise(responses: Sequence[Response]) -> float:
    """Median noise of the potential before long squares, mV; 0 without one."""
    found = [
        noise
        for r in responses
        if r.epoch.stimulus is Stimulus.LONG_SQUARE and (noise := baseline_noise(r.sweep, r.epoch.start_s)) is not None
    ]
    return float(np.median(found)) if found else 0.0
