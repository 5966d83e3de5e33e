"""Settings: where things live, and a frozen dataclass for every part that has settings."""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_dir

from neuroclass.errors import SettingsError

DATA_VARIABLE = "NEUROCLASS_DATA"
CACHE_VARIABLE = "NEUROCLASS_CACHE"
RECORDINGS_VARIABLE = "NEUROCLASS_RECORDINGS"
PROJECT_DIR = Path(__file__).resolve().parent.parent
MODELS_DIR = PROJECT_DIR / "models"


def data_folder() -> Path | None:
    """Folder of published tables named by ``NEUROCLASS_DATA``; None where it is not set."""
    value = os.environ.get(DATA_VARIABLE, "").strip()
    return Path(value).expanduser() if value else None


def recordings_folder() -> Path | None:
    """Folder of downloaded NWB files named by ``NEUROCLASS_RECORDINGS``; None where it is not set."""
    value = os.environ.get(RECORDINGS_VARIABLE, "").strip()
    return Path(value).expanduser() if value else None


def cache_folder() -> Path:
    """Folder for downloads and jobs: ``NEUROCLASS_CACHE``, else the user's cache folder."""
    value = os.environ.get(CACHE_VARIABLE, "").strip()
    return Path(value).expanduser() if value else Path(user_cache_dir("neuroclass", appauthor=False))


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
        """Refuse values that cannot find a spike."""
        for name in ("filter_khz", "dv_cutoff", "max_interval_s"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} is {getattr(self, name)}; expected a number above 0.")
        if not 0 < self.threshold_share < 1:
            raise SettingsError(f"threshold_share is {self.threshold_share}; expected a share between 0 and 1.")


@dataclass(frozen=True)
class AugmentSettings:
    """How far training cells are moved towards other laboratories.

    Attributes
    ----------
    masked_share, shifted_share : float
        Share of training cells that lose features, and that are shifted.
    stimulus_hidden, feature_hidden : float
        Probability that a masked cell loses each stimulus, and each feature besides.
    offset_mv, bridge_mv, height_mv : float
        Largest offset of all voltages, of spike voltages, and loss of spike height.
    log_temperature, log_resistance, log_step : float
        Largest natural logarithm of the factors on times and slopes, resistances, and rheobase.
    """

    masked_share: float = 0.3
    shifted_share: float = 0.3
    stimulus_hidden: float = 0.4
    feature_hidden: float = 0.3
    offset_mv: float = 15.0
    bridge_mv: float = 5.0
    height_mv: float = 10.0
    log_temperature: float = 0.7
    log_resistance: float = 0.4
    log_step: float = 0.3

    def __post_init__(self) -> None:
        shares = (self.masked_share, self.shifted_share, self.stimulus_hidden, self.feature_hidden)
        if not all(0 <= share <= 1 for share in shares):
            raise SettingsError(f"Shares of augmentation are {shares}; each must lie between 0 and 1.")


@dataclass(frozen=True)
class OptimiserSettings:
    """How networks are trained (AdamW, warm-up, cosine decay, averaged weights).

    Attributes
    ----------
    steps, batch_cells : int
        Steps, and cells a member sees in each.
    learning_rate, weight_decay : float
        Highest rate; decoupled weight decay.
    averaging : float
        Share of the running average of the weights that is kept in each step.
    steps_an_epoch : int
        Steps between two reports.
    """

    steps: int = 600
    batch_cells: int = 256
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    averaging: float = 0.98
    steps_an_epoch: int = 20

    def __post_init__(self) -> None:
        if min(self.steps, self.batch_cells, self.steps_an_epoch) < 1 or not self.learning_rate > 0:
            raise SettingsError(
                f"Training with {self.steps} steps of {self.batch_cells} cells at a rate of {self.learning_rate} is "
                "not possible; all must be above 0."
            )


@dataclass(frozen=True)
class DannSettings:
    """DANN: architecture and training.

    Attributes
    ----------
    n_members : int
        Networks in the ensemble.
    hidden : tuple of int
        Units of the feature extractor's layers.
    reversal : float
        λ at the end of its schedule; 0 switches the adversary off.
    dropout, mixup, smoothing : float
        Share of hidden units dropped; parameter of mix-up; label smoothing.
    inner_folds : int
        Donor groups of the training cells; each member leaves one out, for calibration.
    augment, optimiser
        See there.
    seed : int
        Of weights, batches and folds.
    """

    n_members: int = 10
    hidden: tuple[int, ...] = (64, 32, 4)
    reversal: float = 0.1
    dropout: float = 0.1
    mixup: float = 0.3
    smoothing: float = 0.02
    inner_folds: int = 10
    augment: AugmentSettings = AugmentSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    seed: int = 0


@dataclass(frozen=True)
class LspinSettings:
    """LSPIN: architecture and training.

    Attributes
    ----------
    n_members : int
        Networks in the ensemble.
    gating, prediction : tuple of int
        Units of the hidden layers.
    gate_penalty, similarity : float
        λ₁ on the expected number of open gates a cell (‖z‖₀), and λ₂ on differing gates of similar cells.
    penalty_ramp : float
        Share of training over which λ₁ grows to its value.
    consensus, consensus_from : float
        Threshold on the members' mean gate, and the share of training after which all use it.
    dropout, mixup, smoothing : float
        Share of hidden units dropped; parameter of mix-up; label smoothing.
    inner_folds : int
        Donor groups of the training cells; each member leaves one out, for calibration.
    augment, optimiser
        See there.
    seed : int
        Of weights, batches and folds.
    """

    n_members: int = 10
    gating: tuple[int, ...] = (50, 50)
    prediction: tuple[int, ...] = (64, 32)
    gate_penalty: float = 0.01
    similarity: float = 0.0
    penalty_ramp: float = 0.3
    agreement: float = 0.05
    consensus: float = 0.4
    consensus_from: float = 1.0
    dropout: float = 0.1
    mixup: float = 0.3
    smoothing: float = 0.02
    inner_folds: int = 10
    augment: AugmentSettings = AugmentSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    seed: int = 0


@dataclass(frozen=True)
class ProtocolSettings:
    """How stimuli are told apart by the current's own shape.

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
    """What reading one recording may cost.

    Attributes
    ----------
    bytes : int
        Most bytes of samples read from a file, as float64.
    expansion : int
        Most bytes of samples for each byte of the file, beyond the first 64 MB.
    memory : int
        Most address space of the process that reads it, bytes.
    seconds : float
        Longest time it may take, s, and for each MB of the file another `seconds_per_mb`.
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
        """Most bytes of samples read from a file of a size in bytes: its content cannot expand without end."""
        return min(self.bytes, max(64_000_000, self.expansion * file_size))

    def memory_for(self, file_size: int) -> int:
        """Most address space for a file of a size in bytes."""
        return min(self.memory, 600_000_000 + 3 * self.bytes_for(file_size))

    def seconds_for(self, file_size: int) -> float:
        """Longest time that a file of a size in bytes may take, s."""
        return self.seconds + self.seconds_per_mb * file_size / 1e6


ALLEN_URL_VARIABLE = "NEUROCLASS_ALLEN_URL"


@dataclass(frozen=True)
class AllenSettings:
    """Where the Allen Cell Types Database answers, and how much of it is kept.

    Attributes
    ----------
    base_url : str or None
        The API's address, or a mirror's; None for the database's own.
    cache_limit_bytes : int
        Most bytes of recordings that are kept, bytes.
    """

    base_url: str | None = None
    cache_limit_bytes: int = 20_000_000_000

    def __post_init__(self) -> None:
        """Refuse an address that is none, and a negative limit."""
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise SettingsError(f"{self.base_url!r} is not an address; expected one that begins with https://.")
        if self.cache_limit_bytes < 0:
            raise SettingsError(f"The cache's limit is {self.cache_limit_bytes} bytes; expected 0 or more.")


def allen_settings() -> AllenSettings:
    """Settings with the address named by ``NEUROCLASS_ALLEN_URL``, if any."""
    value = os.environ.get(ALLEN_URL_VARIABLE, "").strip().rstrip("/")
    return AllenSettings(value or None)


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
        Potential in the silent end of a square that spiked before, mV.
    bridge_mohm : float
        Step at a square's onset by its current, MOhm.
    rest_range_mv : float
        Range of the baselines of all long squares, mV.
    """

    drift_mv: float = 3.0
    noise_mv: float = 0.5
    flat_peak_ms: float = 0.1
    block_mv: float = -40.0
    bridge_mohm: float = 5.0
    rest_range_mv: float = 10.0


@dataclass(frozen=True)
class FeatureSettings:
    """How features are measured, the database's way by default.

    Attributes
    ----------
    spikes : SpikeSettings
        Rules for finding spikes.
    quality : QualitySettings
        Limits beyond which sweeps and cells are flagged.
    protocols : ProtocolSettings
        How stimuli are told apart.
    hero_from_pa, hero_to_pa : float
        Window of the hero sweep above rheobase, pA.
    passive_from_pa, passive_to_pa : float
        Amplitudes between which input resistance and time constant are measured, pA.
    sag_target_mv : float
        Potential that the sag sweep's lowest point should be nearest to, mV.
    noise_min_spikes : int
        A noise sweep needs more spikes than this.
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
