"""Settings for reading recordings and measuring features."""

from dataclasses import dataclass

from neuroclass.errors import SettingsError


@dataclass(frozen=True)
class SpikeSettings:
    """Rules for finding spikes, AllenSDK's by default.

    Attributes
    ----------
    filter_khz : float
        Cut-off of the low-pass Bessel filter before dV/dt, kHz; unused at or below twice this rate.
    dv_cutoff : float
        dV/dt that starts an event, mV/ms.
    threshold_share : float
        Share of the mean upstroke at which the threshold lies.
    min_height_mv : float
        Least height from threshold to peak, mV.
    min_peak_mv : float
        Least peak, mV.
    max_interval_s : float
        Longest time from threshold to peak, s.
    """

    filter_khz: float = 10.0
    dv_cutoff: float = 20.0
    threshold_share: float = 0.05
    min_height_mv: float = 2.0
    min_peak_mv: float = -30.0
    max_interval_s: float = 0.005

    def __post_init__(self) -> None:
        """Reject settings that cannot find a spike."""
        for name in ("filter_khz", "dv_cutoff", "max_interval_s"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} is {getattr(self, name)}; expected a number above 0.")
        if not 0 < self.threshold_share < 1:
            raise SettingsError(f"threshold_share is {self.threshold_share}; expected a share between 0 and 1.")


@dataclass(frozen=True)
class ProtocolSettings:
    """Limits for recognising stimuli by the shape of the current.

    Attributes
    ----------
    min_amplitude_pa : float
        Least departure from the holding current that counts, pA.
    noise_factor : float
        Least departure in standard deviations of a measured current's noise.
    short_max_s : float
        Longest short square, s.
    long_min_s : float
        Shortest long square, s; squares between the two limits have no stimulus.
    ramp_min_s, noise_min_s : float
        Shortest ramp and noise, s.
    rest_s : float
        Time at the holding current that counts as rest before an epoch, s.
    """

    min_amplitude_pa: float = 0.5
    noise_factor: float = 4.0
    short_max_s: float = 0.010
    long_min_s: float = 0.100
    ramp_min_s: float = 0.100
    noise_min_s: float = 0.200
    rest_s: float = 0.050


@dataclass(frozen=True)
class ReadLimits:
    """Resource limits for reading one recording.

    Attributes
    ----------
    bytes : int
        Most bytes of samples read from a file, as float64.
    expansion : int
        Most bytes of samples per byte of the file, beyond the first 64 MB.
    memory : int
        Most address space of the process that reads it, bytes.
    seconds : float
        Time limit, s, plus `seconds_per_mb` for each MB of the file.
    seconds_per_mb : float
        See `seconds`.
    objects : int
        Most groups and datasets in an HDF5 file.
    """

    bytes: int = 2_000_000_000
    expansion: int = 30
    memory: int = 6_000_000_000
    seconds: float = 6.0
    seconds_per_mb: float = 0.2
    objects: int = 100_000

    def bytes_for(self, file_size: int) -> int:
        """Limit on bytes of samples for a file of the given size, against unbounded expansion."""
        return min(self.bytes, max(64_000_000, self.expansion * file_size))

    def memory_for(self, file_size: int) -> int:
        """Limit on address space, bytes, for a file of the given size."""
        return min(self.memory, 600_000_000 + 3 * self.bytes_for(file_size))

    def seconds_for(self, file_size: int) -> float:
        """Time limit, s, for a file of the given size."""
        return self.seconds + self.seconds_per_mb * file_size / 1e6


@dataclass(frozen=True)
class QualitySettings:
    """Limits beyond which a sweep or a cell is flagged.

    Attributes
    ----------
    drift_mv : float
        Change of the baseline within a sweep, mV.
    noise_mv : float
        Noise before the stimulus, mV.
    flat_peak_ms : float
        Time that a spike's peak may be flat, ms.
    block_mv : float
        Potential in the silent end of a square in depolarisation block, mV.
    bridge_mohm : float
        Step at a square's onset by its current, MOhm.
    hum_mv : float
        Amplitude of the mains' hum before stimuli, mV.
    bridge_error_mv : float
        Error of a spike's potential by an unbalanced bridge, mV.
    rest_range_mv : float
        Range of the baselines of all long squares, mV.
    holding_pa : float
        Holding current of either sign, pA; the database's own limit for a sweep [1]_.
    holding_range_pa : float
        Range of the holding currents of all sweeps, pA.

    References
    ----------
    .. [1] Allen Institute for Brain Science, "Ephys QC Criteria v1.1" (``leak_pa_min``, ``leak_pa_max``).
    """

    drift_mv: float = 3.0
    noise_mv: float = 0.5
    flat_peak_ms: float = 0.1
    block_mv: float = -40.0
    bridge_mohm: float = 5.0
    hum_mv: float = 0.3
    bridge_error_mv: float = 3.0
    rest_range_mv: float = 10.0
    holding_pa: float = 100.0
    holding_range_pa: float = 10.0


@dataclass(frozen=True)
class FeatureSettings:
    """How features are measured; the defaults follow the database.

    Attributes
    ----------
    spikes : SpikeSettings
        Rules for finding spikes.
    quality : QualitySettings
        Limits beyond which sweeps and cells are flagged.
    protocols : ProtocolSettings
        Limits for recognising stimuli.
    hero_from_pa, hero_to_pa : float
        Window of the hero sweep above rheobase, pA.
    passive_from_pa, passive_to_pa : float
        Amplitudes between which input resistance and time constant are measured, pA.
    sag_target_mv : float
        Target potential of the sag sweep's lowest point, mV.
    noise_min_spikes : int
        Minimum, exclusive, of spikes in a noise sweep.
    """

    spikes: SpikeSettings = SpikeSettings()
    quality: QualitySettings = QualitySettings()
    protocols: ProtocolSettings = ProtocolSettings()
    hero_from_pa: float = 39.0
    hero_to_pa: float = 61.0
    passive_from_pa: float = -100.0
    passive_to_pa: float = 0.0
    sag_target_mv: float = -100.0
    noise_min_spikes: int = 10
