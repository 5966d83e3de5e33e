"""Neurons of the simulator under any current, with what a rig or a cell may add to them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.simulation import stimuli
from neuroclass.simulation.models import integrate, make_membrane
from neuroclass.types.arrays import Floats
from tests.simulation.test_models import REGULAR

RATE = stimuli.RATE_HZ
QUIET = replace(REGULAR, noise_pa=0.0)
BLOCKING = replace(QUIET, g_kd=2.0, g_m=0.0, g_kv3=0.0, h_shift_mv=0.0)
HIGH_RESISTANCE = replace(QUIET, capacitance_pf=18.0, v_rest_mv=-47.0, g_leak=0.03, g_na=21.0, g_m=0.0)


def step(amplitude_pa: float, start_s: float = 0.5, duration_s: float = 1.0, total_s: float = 2.0) -> Floats:
    """A square pulse, pA."""
    t = np.arange(stimuli.samples(total_s)) / RATE
    return np.where((t >= start_s - 1e-9) & (t < start_s + duration_s - 1e-9), amplitude_pa, 0.0)


def ramp(slope: float, start_s: float = 0.5, total_s: float = 3.0) -> Floats:
    """A ramp up to the sweep's end, pA."""
    t = np.arange(stimuli.samples(total_s)) / RATE
    return np.maximum(0.0, slope * (t - start_s))


def record(
    currents: Sequence[Floats],
    neuron: object = QUIET,
    *,
    holding_pa: Sequence[float] | float = 0.0,
    hidden_pa: float = 0.0,
    noise_mv: float = 0.0,
) -> Recording:
    """Sweeps of one neuron.

    Parameters
    ----------
    currents : sequence of ndarray
        Stimulus of each sweep, pA.
    neuron : NeuronParameters
        The neuron.
    holding_pa : float or sequence of float
        Holding current of all sweeps or of each, which the file holds, pA.
    hidden_pa : float
        Current that the file does not hold, such as the cell's own inward one, pA.
    noise_mv : float
        Noise of the potential, mV.
    """
    membrane = make_membrane(neuron)
    held = np.broadcast_to(np.asarray(holding_pa, dtype=float), len(currents))
    sweeps = []
    lead = stimuli.samples(1.0)
    for k, (current, level) in enumerate(zip(currents, held, strict=True)):
        injected = current + level
        v = integrate(membrane, np.concatenate([np.full(lead, level), injected]) + hidden_pa)[lead:]
        v = v + np.random.default_rng(k).normal(0.0, noise_mv, v.size) if noise_mv else v
        sweeps.append(Sweep(k, v, injected, RATE))
    return Recording("simulated", "simulated", tuple(sweeps))
