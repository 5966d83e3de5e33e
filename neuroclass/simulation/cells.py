"""A simulated cell: a neuron, the stimuli chosen for it, and its recording."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from scipy.signal import lfilter

from neuroclass.ephys.sweep import SIMULATED_KEYWORD, SIMULATED_WARNING, Recording, Sweep
from neuroclass.simulation import stimuli
from neuroclass.simulation.models import DT_MS, Membrane, NeuronParameters, integrate, make_membrane
from neuroclass.types.arrays import Floats

RAMP_AFTER_SPIKE_S = 0.5
LONG_LIMIT_PA = 750.0
SQUARE_STEP_PA = 10.0
SQUARE_LIMIT_PA = 4000.0
NOISE_TAU_MS = 2.0


@dataclass(frozen=True)
class Plan:
    """The set of sweeps to record.

    Attributes
    ----------
    long_pa : tuple of float
        Amplitudes of long squares below the resting current, pA.
    long_above_rheobase_pa, short_above_threshold_pa : tuple of float
        Amplitudes of long squares above the rheobase, and of short squares above the lowest that
        evokes a spike, pA.
    n_ramps : int
        Ramps.
    noise : tuple of int
        Variants of the noise.
    noise_s : float
        Duration of each epoch of noise, s.
    """

    long_pa: tuple[float, ...] = (-110.0, -90.0, -70.0, -50.0, -30.0, -10.0)
    long_above_rheobase_pa: tuple[float, ...] = (-20.0, -10.0, 0.0, 10.0, 20.0, 50.0, 80.0, 110.0, 140.0)
    short_above_threshold_pa: tuple[float, ...] = (-20.0, -10.0, 10.0, 10.0, 10.0)
    n_ramps: int = 2
    noise: tuple[int, ...] = (1, 2)
    noise_s: float = stimuli.NOISE_S


DATABASE_PLAN = Plan()


@dataclass(frozen=True)
class StimulusChoice:
    """Stimulus amplitudes that an experimenter would choose for the cell.

    Attributes
    ----------
    rheobase_pa : float
        Lowest long square (on a grid of 10 pA) that evokes a spike, pA.
    short_pa : float
        Lowest short square that does, pA.
    noise_pa : float
        Base of the noise stimuli, pA: the database takes a rheobase estimated at the rig, which
        is above the final one.
    """

    rheobase_pa: float
    short_pa: float
    noise_pa: float


@dataclass(frozen=True)
class SimulatedCell:
    """Everything that determines a simulated cell's sweeps except the seed of its intrinsic noise."""

    neuron: NeuronParameters
    stimuli: StimulusChoice


STIMULUS_NAMES: tuple[str, ...] = tuple(field.name for field in fields(StimulusChoice))


def spikes(v_mv: Floats) -> int:
    """Number of upward crossings of −10 mV."""
    above = v_mv >= -10.0
    return int(np.count_nonzero(above[1:] & ~above[:-1]))


def lowest_spiking(membrane: Membrane, duration_s: float, limit_pa: float) -> float | None:
    """Lowest amplitude of a square pulse, on a grid of 10 pA, that evokes a spike without noise.

    Parameters
    ----------
    membrane : Membrane
        The neuron.
    duration_s : float
        Duration of the pulse, s.
    limit_pa : float
        Highest amplitude to try, pA.

    Returns
    -------
    float or None
        Amplitude, pA; None if even `limit_pa` evokes no spike.
    """
    tail_s = 0.02 if duration_s < 0.1 else 0.0
    first = stimuli.samples(stimuli.LEAD_S)

    def fires(amplitude: float) -> bool:
        current = stimuli.square(amplitude, duration_s, tail_s)[first:]
        return spikes(integrate(membrane, current, stop_after=10)) > 0

    low, high = 0, round(limit_pa / SQUARE_STEP_PA)
    if not fires(high * SQUARE_STEP_PA):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fires(middle * SQUARE_STEP_PA) else (middle, high)
    return high * SQUARE_STEP_PA


def choose_stimuli(neuron: NeuronParameters, noise_gain: float) -> StimulusChoice | None:
    """Choose the stimulus amplitudes for a neuron, as an experimenter would.

    Parameters
    ----------
    neuron : NeuronParameters
        The neuron.
    noise_gain : float
        The rig's rheobase estimate as a multiple of the true one.

    Returns
    -------
    StimulusChoice or None
        None if the neuron does not spike.
    """
    membrane = make_membrane(neuron)
    short = lowest_spiking(membrane, stimuli.SHORT_S, SQUARE_LIMIT_PA)
    rheobase = None if short is None else lowest_spiking(membrane, stimuli.LONG_S, LONG_LIMIT_PA)
    if short is None or rheobase is None:
        return None
    return StimulusChoice(rheobase, short, noise_gain * rheobase)


class _Rig:
    """Records one sweep after another with the cell's own noise."""

    def __init__(self, neuron: NeuronParameters, seed: int) -> None:
        self.membrane = make_membrane(neuron)
        self.noise_pa = neuron.noise_pa
        self.seed = seed
        self.sweeps: list[Sweep] = []

    def intrinsic_noise(self, n_times: int, number: int) -> Floats:
        """Ornstein-Uhlenbeck current of one sweep, pA, shape (n_times,)."""
        generator = np.random.Generator(np.random.PCG64([self.seed, number]))
        steps = generator.standard_normal(n_times)
        return self.noise_pa * _low_pass(steps, float(np.exp(-DT_MS / NOISE_TAU_MS)))

    def record(self, stimulus_name: str, current_pa: Floats, stop_after: int = 0, number: int | None = None) -> None:
        """Add the response to `current_pa`; its sweep number, by default the next, seeds its noise."""
        number = len(self.sweeps) if number is None else number
        v = integrate(self.membrane, current_pa + self.intrinsic_noise(current_pa.size, number), stop_after)
        self.sweeps.append(Sweep(number, v, current_pa[: v.size].copy(), stimuli.RATE_HZ, stimulus_name=stimulus_name))


def _low_pass(steps: Floats, keep: float) -> Floats:
    """First-order autoregression of unit variance."""
    return np.asarray(lfilter([np.sqrt(1 - keep**2)], [1.0, -keep], steps))


def simulate_recording(
    cell: SimulatedCell, seed: int, name: str = "simulated", plan: Plan = DATABASE_PLAN
) -> Recording:
    """Record a simulated cell under the database's stimulus set.

    Parameters
    ----------
    cell : SimulatedCell
        Neuron and amplitudes.
    seed : int
        Seed of the intrinsic noise; the same cell, seed and plan give the same samples.
    name : str
        The cell's name.
    plan : Plan
        Which sweeps to record.

    Returns
    -------
    Recording
        Long squares, short squares, ramps and noise, 50 kHz; marked as simulated.
    """
    rig, chosen = _Rig(cell.neuron, seed), cell.stimuli
    for amplitude in long_square_amplitudes(chosen, plan):
        rig.record("Long Square", stimuli.long_square(amplitude))
    for step in plan.short_above_threshold_pa:
        rig.record("Short Square", stimuli.short_square(chosen.short_pa + step))
    for _ in range(plan.n_ramps):
        rig.record("Ramp", stimuli.ramp(_ramp_end_pa(chosen)), stimuli.samples(RAMP_AFTER_SPIKE_S))
    for variant in plan.noise:
        rig.record(f"Noise {variant}", stimuli.noise(chosen.noise_pa, variant, plan.noise_s))
    return _simulated(name, rig)


def long_square_amplitudes(chosen: StimulusChoice, plan: Plan = DATABASE_PLAN) -> tuple[float, ...]:
    """Amplitude of every long square, pA, in the order of the sweeps' numbers from 0."""
    above = (chosen.rheobase_pa + step for step in plan.long_above_rheobase_pa)
    return tuple(amplitude for amplitude in (*plan.long_pa, *above) if amplitude != 0.0)


def simulate_long_squares(
    cell: SimulatedCell, seed: int, numbers: Iterable[int], name: str = "simulated", plan: Plan = DATABASE_PLAN
) -> Recording:
    """Record only some of a cell's long squares; they equal those of `simulate_recording`.

    Parameters
    ----------
    cell, seed, name, plan
        See `simulate_recording`.
    numbers : iterable of int
        Sweep numbers, indexes into `long_square_amplitudes`.

    Returns
    -------
    Recording
    """
    rig, amplitudes = _Rig(cell.neuron, seed), long_square_amplitudes(cell.stimuli, plan)
    for number in numbers:
        rig.record("Long Square", stimuli.long_square(amplitudes[number]), number=number)
    return _simulated(name, rig)


def _simulated(name: str, rig: _Rig) -> Recording:
    return Recording(
        source="simulation",
        cell=name,
        sweeps=tuple(rig.sweeps),
        warnings=(SIMULATED_WARNING,),
        metadata={SIMULATED_KEYWORD: "yes"},
        format="simulation",
    )


def _ramp_end_pa(chosen: StimulusChoice) -> float:
    """Current, pA, at which a ramp without a spike is stopped."""
    return 2.0 * chosen.rheobase_pa + 100.0
