"""A single-compartment neuron: its currents, their gates and the compiled integrator.

The membrane obeys, per unit capacitance (1 nS/pF equals 1 mS/cm² at 1 µF/cm²),

    dV/dt = I/C − g_leak (V − E_leak) − (g_na m³h + g_nap r) (V − E_na)
            − (g_kd n⁴ + g_kv3 k² + g_m p + g_kir w) (V − E_k) − g_t s²u (V − E_ca) − g_h q (V − E_h)

with first-order gates m, h, n, k, p, u, q and instantaneous gates r, w, s. Gates advance by the
exponential Euler rule, the potential by the backward Euler rule.

References
----------
.. [1] Pospischil et al., "Minimal Hodgkin-Huxley type models for different classes of cortical and
   thalamic neurons", Biol Cybern 99, 2008 (m, h, n, p, s, u).
.. [2] Erisir et al., "Function of specific K+ channels in sustained high-frequency firing of
   fast-spiking neocortical interneurons", J Neurophysiol 82, 1999 (k, Kv3).
.. [3] Wang and Buzsaki, "Gamma oscillation by synaptic inhibition in a hippocampal interneuronal
   network model", J Neurosci 16, 1996 (fast sodium activation of fast-spiking cells).
.. [4] Huguenard and McCormick, "Simulation of the currents involved in rhythmic oscillations in
   thalamic relay neurons", J Neurophysiol 68, 1992 (q, the h-current).
.. [5] Magistretti and Alonso, "Biophysical properties and slow voltage-dependent inactivation of a
   sustained sodium current in entorhinal cortex layer-II principal neurons", J Gen Physiol 114, 1999 (r).
.. [6] Stegen et al., "Kir and K2P channels shape granule cell excitability", J Physiol 590, 2012 (w).
"""

from dataclasses import dataclass, fields

import numpy as np

from neuroclass.ephys.compiled import compiled
from neuroclass.types.arrays import Floats

DT_MS = 0.02
V_LOW, V_STEP, N_GRID = -160.0, 0.1, 2601
E_CA, E_H = 120.0, -43.0
N_DYNAMIC = 7


@dataclass(frozen=True)
class NeuronParameters:
    """Parameters of one simulated neuron.

    Attributes
    ----------
    capacitance_pf : float
        Membrane capacitance, pF.
    v_rest_mv : float
        Resting potential, mV; the leak's reversal potential follows from it.
    g_leak, g_na, g_nap, g_kd, g_kv3, g_m, g_kir, g_t, g_h : float
        Largest conductances per capacitance, nS/pF: leak, transient and persistent sodium, delayed
        rectifier, Kv3, M-type, inward-rectifying potassium, T-type calcium, h-current.
    e_na_mv, e_k_mv : float
        Reversal potentials, mV.
    vt_mv : float
        Pospischil's spike threshold parameter V_T: shifts m, h and n, mV.
    h_shift_mv, n_shift_mv, nap_shift_mv, kv3_shift_mv : float
        Further shifts of h, n, r and k along the voltage axis, mV.
    m_rate, h_rate, n_rate, kv3_rate : float
        Factors on the gates' rates (temperature, isoform).
    tau_m_ms : float
        Largest time constant of the M-current, ms.
    noise_pa : float
        Standard deviation of the intrinsic current noise, pA.
    """

    capacitance_pf: float
    v_rest_mv: float
    g_leak: float
    g_na: float
    g_nap: float
    g_kd: float
    g_kv3: float
    g_m: float
    g_kir: float
    g_t: float
    g_h: float
    e_na_mv: float
    e_k_mv: float
    vt_mv: float
    h_shift_mv: float
    n_shift_mv: float
    nap_shift_mv: float
    kv3_shift_mv: float
    m_rate: float
    h_rate: float
    n_rate: float
    kv3_rate: float
    tau_m_ms: float
    noise_pa: float


PARAMETER_NAMES: tuple[str, ...] = tuple(field.name for field in fields(NeuronParameters))


@dataclass(frozen=True)
class Membrane:
    """A neuron prepared for the integrator.

    Attributes
    ----------
    table : ndarray, shape (N_GRID, 17)
        On the voltage grid: steady states of the 7 dynamic gates, their decay factors over one
        time step, and the values of the 3 instantaneous gates.
    conductances : ndarray, shape (9,)
        leak, na, nap, kd, kv3, m, kir, t, h, nS/pF.
    reversals : ndarray, shape (5,)
        leak, na, k, ca, h, mV.
    capacitance_pf : float
        Membrane capacitance, pF.
    rest : ndarray, shape (8,)
        Potential (mV) and the dynamic gates at rest.
    """

    table: Floats
    conductances: Floats
    reversals: Floats
    capacitance_pf: float
    rest: Floats


def _sigmoid(v: Floats, half: float, slope: float) -> Floats:
    return 1.0 / (1.0 + np.exp(-(v - half) / slope))


def _linoid(x: Floats, slope: float) -> Floats:
    """Rate x / (1 − exp(−x / slope)), with its limit at 0."""
    near = np.abs(x) < 1e-6
    safe = np.where(near, 1.0, x)
    return np.where(near, slope, safe / -np.expm1(-safe / slope))


def _rates(p: NeuronParameters, v: Floats) -> list[tuple[Floats, Floats]]:
    """Steady state and time constant (ms) of each dynamic gate at the potentials `v`."""
    u = v - p.vt_mv
    gates = []
    alpha, beta = 0.32 * _linoid(u - 13, 4), 0.28 * _linoid(40 - u, 5)
    gates.append((alpha / (alpha + beta), 1 / (p.m_rate * (alpha + beta))))
    uh = u - p.h_shift_mv
    alpha, beta = 0.128 * np.exp(-(uh - 17) / 18), 4 * _sigmoid(uh, 40, 5)
    gates.append((alpha / (alpha + beta), 1 / (p.h_rate * (alpha + beta))))
    un = u - p.n_shift_mv
    alpha, beta = 0.032 * _linoid(un - 15, 5), 0.5 * np.exp(-(un - 10) / 40)
    gates.append((alpha / (alpha + beta), 1 / (p.n_rate * (alpha + beta))))
    vk = v - p.kv3_shift_mv
    alpha, beta = _linoid(vk - 95, 11.8), 0.025 * np.exp(-vk / 22.222)
    gates.append((alpha / (alpha + beta), 1 / (p.kv3_rate * (alpha + beta))))
    slow = p.tau_m_ms / (3.3 * np.exp((v + 35) / 20) + np.exp(-(v + 35) / 20))
    gates.append((_sigmoid(v, -35, 10), slow))
    deep = (211.4 + np.exp(np.minimum((v + 115.2) / 5, 50))) / (3.7 * (1 + np.exp(np.minimum((v + 86) / 3.2, 50))))
    gates.append((_sigmoid(v, -83, -4), 30.8 + np.minimum(deep, 500)))
    gates.append((_sigmoid(v, -75, -5.5), 1 / (np.exp(-14.59 - 0.086 * v) + np.exp(-1.87 + 0.0701 * v))))
    return gates


def make_membrane(p: NeuronParameters) -> Membrane:
    """Tabulate a neuron's gates and find its leak reversal and resting state.

    Parameters
    ----------
    p : NeuronParameters
        The neuron.

    Returns
    -------
    Membrane
        Table entries are rounded to 12 digits, so that a processor's last bit of ``exp`` does not
        change a trace.
    """
    v = V_LOW + V_STEP * np.arange(N_GRID)
    gates = _rates(p, v)
    steady = [inf for inf, _ in gates]
    decay = [np.exp(-DT_MS / tau) for _, tau in gates]
    instant = [_sigmoid(v, -52.6 + p.nap_shift_mv, 4.6), _sigmoid(v, -80, -12), _sigmoid(v, -59, 6.2)]
    table = np.round(np.column_stack([*steady, *decay, *instant]), 12)
    g = np.array([p.g_leak, p.g_na, p.g_nap, p.g_kd, p.g_kv3, p.g_m, p.g_kir, p.g_t, p.g_h])
    reversals = np.array([0.0, p.e_na_mv, p.e_k_mv, E_CA, E_H])
    row = np.array([np.interp(p.v_rest_mv, v, column) for column in table.T])
    m, h, n, k, slow, u, q = row[:N_DYNAMIC]
    r, w, s = row[2 * N_DYNAMIC :]
    rest = p.v_rest_mv
    others = (
        (g[1] * m**3 * h + g[2] * r) * (rest - p.e_na_mv)
        + (g[3] * n**4 + g[4] * k**2 + g[5] * slow + g[6] * w) * (rest - p.e_k_mv)
        + g[7] * s**2 * u * (rest - E_CA)
        + g[8] * q * (rest - E_H)
    )
    reversals[0] = rest + others / p.g_leak
    return Membrane(table, g, reversals, p.capacitance_pf, np.array([rest, *row[:N_DYNAMIC]]))


@compiled
def _integrate(
    current: Floats, table: Floats, g: Floats, e: Floats, state: Floats, dt: float, stop_after: int
) -> Floats:
    """Integrate one sweep; `current` is in pA/pF. Stops `stop_after` samples after the first 0 mV crossing."""
    n_times = current.size
    out = np.empty(n_times)
    gate = state[1:].copy()
    v = state[0]
    end = n_times
    for i in range(n_times):
        out[i] = v
        x = (v - V_LOW) / V_STEP
        j = min(max(int(x), 0), N_GRID - 2)
        f = min(max(x - j, 0.0), 1.0)
        low, high = table[j], table[j + 1]
        for k in range(N_DYNAMIC):
            steady = low[k] + f * (high[k] - low[k])
            decay = low[k + N_DYNAMIC] + f * (high[k + N_DYNAMIC] - low[k + N_DYNAMIC])
            gate[k] = steady + (gate[k] - steady) * decay
        nap = low[14] + f * (high[14] - low[14])
        kir = low[15] + f * (high[15] - low[15])
        act = low[16] + f * (high[16] - low[16])
        na = g[1] * gate[0] * gate[0] * gate[0] * gate[1] + g[2] * nap
        n2 = gate[2] * gate[2]
        k = g[3] * n2 * n2 + g[4] * gate[3] * gate[3] + g[5] * gate[4] + g[6] * kir
        ca = g[7] * act * act * gate[5]
        ih = g[8] * gate[6]
        total = g[0] + na + k + ca + ih
        drive = g[0] * e[0] + na * e[1] + k * e[2] + ca * e[3] + ih * e[4] + current[i]
        previous = v
        v = (v + dt * drive) / (1.0 + dt * total)
        if stop_after > 0 and end == n_times and previous < 0.0 <= v:
            end = min(n_times, i + stop_after)
        if i + 1 >= end:
            break
    return out[:end]


def integrate(membrane: Membrane, current_pa: Floats, stop_after: int = 0) -> Floats:
    """Membrane potential under an injected current, from rest.

    Parameters
    ----------
    membrane : Membrane
        The neuron.
    current_pa : ndarray, shape (n_times,)
        Injected current incl. intrinsic noise, pA, one sample per `DT_MS`.
    stop_after : int
        If positive, stop this many samples after the potential first rises above 0 mV.

    Returns
    -------
    ndarray, shape (n_times,) or shorter
        Membrane potential, mV.
    """
    return _integrate(
        current_pa / membrane.capacitance_pf,
        membrane.table,
        membrane.conductances,
        membrane.reversals,
        membrane.rest,
        DT_MS,
        stop_after,
    )
