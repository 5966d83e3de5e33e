"""Spike features against AllenSDK, and eFEL and IPFX where they are installed: ``make bench-features``.

Everything runs in one process on one thread, the packages in turn, and the best of several runs counts.
"""

import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from neuroclass.ephys.cell_features import extract_features
from neuroclass.ephys.spikes import detect_spikes
from neuroclass.io.recordings import read_recordings
from neuroclass.io.sandbox import warm_up
from neuroclass.types.arrays import Floats

DURATION_S, N_SPIKES, NOISE_MV = 3.0, 40, 0.05
RATES_HZ = (50_000.0, 200_000.0)
REPEATS = 7
SHARED = (
    *(f"{point}_{signal}" for point in ("threshold", "peak", "trough", "fast_trough") for signal in "vi"),
    "upstroke",
    "upstroke_v",
    "downstroke",
    "downstroke_v",
    "width",
    "upstroke_downstroke_ratio",
)


def simulated_sweep(rate_hz: float, duration_s: float = DURATION_S, n_spikes: int = N_SPIKES) -> Floats:
    """Potential of a sweep with spikes of 100 mV on noise, mV, shape (n_times,)."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz * 1e3
    v = -70.0 + 2.0 * np.sin(t * 3e-3)
    span = 1e3 * (duration_s - 0.4) / max(n_spikes, 1)
    for k in range(n_spikes):
        begin = int((200.0 + k * span) * rate_hz * 1e-3)
        x = np.arange(int(60.0 * rate_hz * 1e-3)) / rate_hz * 1e3
        fall = np.exp(-np.maximum(x - 0.5, 0.0) / 0.4)
        up = 50.0 * (1 - np.cos(np.pi * np.minimum(x, 0.5) / 0.5))
        down = 100.0 * fall - 12.0 * (1 - fall) * np.exp(-np.maximum(x - 0.5, 0.0) / 15.0)
        shape = np.where(x < 0.5, up, down)
        v[begin : begin + shape.size] += shape[: v.size - begin]
    return v + np.random.default_rng(0).normal(0.0, NOISE_MV, v.size)


def allensdk(v: Floats, i: Floats, rate_hz: float) -> dict[str, Floats]:
    """AllenSDK's spike features."""
    from allensdk.ephys.ephys_extractor import EphysSweepFeatureExtractor

    extractor = EphysSweepFeatureExtractor(np.arange(v.size) * (1 / rate_hz), v, i)
    extractor.process_spikes()
    return {name: extractor._spikes_df[name].to_numpy(float) for name in SHARED}


def ipfx(v: Floats, i: Floats, rate_hz: float) -> None:
    """IPFX's spike features."""
    from ipfx.feature_extractor import SpikeFeatureExtractor

    SpikeFeatureExtractor().process(np.arange(v.size) / rate_hz, v, i)


def efel(v: Floats, _i: Floats, rate_hz: float) -> None:
    """The eFEL features that come closest."""
    import efel

    wanted = ["peak_voltage", "AP_begin_voltage", "AP_rise_rate", "AP_fall_rate", "min_AHP_values", "spike_half_width"]
    trace = {"T": np.arange(v.size) / rate_hz * 1e3, "V": v, "stim_start": [0], "stim_end": [1e3 * DURATION_S]}
    efel.get_feature_values([trace], wanted)


def best_ms(works: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """Best time of each of several works, taken in turn, ms."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], 1e3 * (time.perf_counter() - start))
    return best


def largest_difference(v: Floats, i: Floats, rate_hz: float) -> float:
    """Largest relative difference from AllenSDK over all shared features of all spikes."""
    ours, theirs = detect_spikes(v, i, rate_hz), allensdk(v, i, rate_hz)
    assert len(ours) == len(theirs["peak_v"]) == N_SPIKES, (len(ours), len(theirs["peak_v"]))
    pairs = [(ours.values(name), theirs[name]) for name in SHARED]
    assert all(np.array_equal(np.isnan(a), np.isnan(b)) for a, b in pairs)
    return max(float(np.nanmax(np.abs(a - b) / np.maximum(np.abs(b), 1e-9))) for a, b in pairs)


def compare() -> None:
    """The ratio table."""
    others = {"AllenSDK": allensdk}
    for name, module, work in (("IPFX", "ipfx", ipfx), ("eFEL", "efel", efel)):
        if importlib.util.find_spec(module):
            others[name] = work
        else:
            print(f"{name} is not installed")
    print(f"\nSpike features of one sweep, {DURATION_S:g} s, {N_SPIKES} spikes, {NOISE_MV} mV noise")
    print(f"{'rate':>8} {'package':>12} {'time':>10} {'ratio':>7}  largest relative difference")
    for rate in RATES_HZ:
        v = simulated_sweep(rate)
        i = np.full(v.size, 100.0)
        works: dict[str, Callable[[], object]] = {"NeuroClass": lambda v=v, i=i, r=rate: detect_spikes(v, i, r)}
        works |= {name: lambda f=f, v=v, i=i, r=rate: f(v, i, r) for name, f in others.items()}
        for work in works.values():
            work()
        best = best_ms(works)
        for name, ms in best.items():
            note = f"{largest_difference(v, i, rate):.1e}" if name == "AllenSDK" else ""
            print(f"{rate / 1e3:>5.0f} kHz {name:>12} {ms:>7.2f} ms {ms / best['NeuroClass']:>6.1f}×  {note}")


def scaling() -> None:
    """How the time grows with samples and with spikes."""
    print("\nOne sweep at 50 kHz")
    for duration, spikes in ((1.0, 10), (3.0, 10), (10.0, 10), (30.0, 10), (10.0, 40), (10.0, 160)):
        v = simulated_sweep(50_000.0, duration, spikes)
        ms = best_ms({"": lambda v=v: detect_spikes(v, v, 50_000.0)})[""]
        print(f"{duration:>5g} s {spikes:>4} spikes {ms:>7.2f} ms {1e6 * ms / v.size:>6.2f} ns a sample")


def write_nwb(path: Path, n_sweeps: int, rate_hz: float) -> None:
    """An NWB 1 file of long squares, a third of them with spikes."""
    current = np.zeros(round(2.5 * rate_hz))
    step = slice(round(0.5 * rate_hz), round(1.5 * rate_hz))
    with h5py.File(path, "w") as file:
        file["nwb_version"] = np.bytes_("NWB-1.0.5")
        for k in range(n_sweeps):
            amplitude = -100.0 + 10.0 * k
            current[step] = amplitude
            charge = 1 - np.exp(-np.arange(current[step].size) / (0.015 * rate_hz))
            v = simulated_sweep(rate_hz, 2.5, 20 if 3 * k > 2 * n_sweeps else 0)
            v[step] += 0.15 * min(amplitude, 60.0) * charge
            for folder, data, conversion, unit, kind in (
                ("acquisition/timeseries", v, 1e-3, "V", "CurrentClampSeries"),
                ("stimulus/presentation", current, 1e-12, "A", "CurrentClampStimulusSeries"),
            ):
                group = file.create_group(f"{folder}/Sweep_{k}")
                group.attrs["ancestry"] = np.array([b"TimeSeries", kind.encode()])
                group.create_dataset("data", data=data.astype(np.float32), compression="gzip", compression_opts=4)
                group["data"].attrs.update({"conversion": conversion, "unit": unit})
                group.create_dataset("starting_time", data=0.0).attrs["rate"] = rate_hz


def whole_files() -> None:
    """From a file to its features, with the parsing process warm."""
    print("\nNWB file of long squares of 2.5 s, from file to features")
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        for n_sweeps, rate in ((10, 50_000.0), (40, 50_000.0), (80, 50_000.0), (40, 200_000.0)):
            path = Path(folder) / f"{n_sweeps}-{rate:.0f}.nwb"
            write_nwb(path, n_sweeps, rate)
            work = {"": lambda p=path: [extract_features(r) for r in read_recordings(p)]}
            size = path.stat().st_size / 1e6
            print(f"{n_sweeps:>4} sweeps {rate / 1e3:>4.0f} kHz {size:>6.1f} MB {best_ms(work, 3)[''] / 1e3:>6.2f} s")


if __name__ == "__main__":
    compare()
    scaling()
    whole_files()
