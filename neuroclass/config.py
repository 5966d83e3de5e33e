"""Settings: paths, and a frozen dataclass for each configurable component."""

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
    """Folder of published tables named by ``NEUROCLASS_DATA``; None if unset."""
    value = os.environ.get(DATA_VARIABLE, "").strip()
    return Path(value).expanduser() if value else None


def recordings_folder() -> Path | None:
    """Folder of downloaded NWB files named by ``NEUROCLASS_RECORDINGS``; None if unset."""
    value = os.environ.get(RECORDINGS_VARIABLE, "").strip()
    return Path(value).expanduser() if value else None


def cache_folder() -> Path:
    """Folder for downloads and jobs: ``NEUROCLASS_CACHE``, else the user's cache folder."""
    value = os.environ.get(CACHE_VARIABLE, "").strip()
    return Path(value).expanduser() if value else Path(user_cache_dir("neuroclass", appauthor=False))


@dataclass(frozen=True)
class AugmentSettings:
    """Augmentation: how far training cells are shifted towards other laboratories.

    Attributes
    ----------
    masked_share, shifted_share : float
        Fraction of training cells with hidden features, and with shifted ones.
    stimulus_hidden, feature_hidden : float
        Probability that each stimulus, and each further feature, of a masked cell is hidden.
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
        Number of steps, and cells per member and step.
    learning_rate, weight_decay : float
        Highest rate; decoupled weight decay.
    averaging : float
        Decay of the running average of the weights, per step.
    steps_an_epoch : int
        Steps between two progress reports.
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
    agreement : float
        Weight of the variance of the gates between members, which draws the members towards the same features.
    penalty_ramp : float
        Share of training over which λ₁ grows to its value.
    consensus : float
        Threshold on the members' mean gate, above which a trained ensemble lets a feature through.
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
    gate_penalty: float = 0.013
    similarity: float = 0.0
    penalty_ramp: float = 0.3
    agreement: float = 0.02
    consensus: float = 0.25
    dropout: float = 0.1
    mixup: float = 0.3
    smoothing: float = 0.15
    inner_folds: int = 10
    augment: AugmentSettings = AugmentSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    seed: int = 0


@dataclass(frozen=True)
class TreeSettings:
    """Boosted trees, of three levels.

    Attributes
    ----------
    rounds : int
        Rounds of boosting, each with a tree a class.
    rate : float
        Shrinkage of each tree's scores.
    cells, inputs : float
        Fractions drawn for each round, and for each tree.
    ridge : float
        Penalty on the squared scores.
    bins : int
        Quantiles of each input at which a tree may split.
    """

    rounds: int = 80
    rate: float = 0.1
    cells: float = 0.6
    inputs: float = 0.4
    ridge: float = 3.0
    bins: int = 32


@dataclass(frozen=True)
class HumanSubclassSettings:
    """The human subclass model: kernel experts, boosted trees and a gated network.

    Attributes
    ----------
    n_waves : int
        Random waves of each expert.
    bandwidth : float
        Width ℓ of the kernel, in units of the square root of the number of inputs.
    penalty : float
        Inverse strength C of the experts' ridge penalty.
    balance : float
        Power of a class' number of cells by which its cells weigh less; 0 not at all, 1 all classes alike.
    trees : TreeSettings
        Of the boosted trees.
    lspin : LspinSettings
        Of the gated network; its members, donor groups and seed are those of the experts and trees too.
    """

    n_waves: int = 100
    bandwidth: float = 1.4
    penalty: float = 10.0
    balance: float = 0.75
    trees: TreeSettings = TreeSettings()
    lspin: LspinSettings = LspinSettings(gate_penalty=0.005, agreement=0.01, optimiser=OptimiserSettings(steps=300))

    @property
    def seed(self) -> int:
        """Of weights, waves, batches and folds."""
        return self.lspin.seed


ALLEN_URL_VARIABLE = "NEUROCLASS_ALLEN_URL"


@dataclass(frozen=True)
class AllenSettings:
    """Address of the Allen Cell Types Database, and the cache limit.

    Attributes
    ----------
    base_url : str or None
        Address of the API or a mirror; None for the database's own.
    cache_limit_bytes : int
        Maximum size of the cached recordings, bytes.
    """

    base_url: str | None = None
    cache_limit_bytes: int = 20_000_000_000

    def __post_init__(self) -> None:
        """Reject an invalid address or a negative limit."""
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise SettingsError(f"{self.base_url!r} is not an address; expected one that begins with https://.")
        if self.cache_limit_bytes < 0:
            raise SettingsError(f"The cache's limit is {self.cache_limit_bytes} bytes; expected 0 or more.")


def allen_settings() -> AllenSettings:
    """Settings with the address named by ``NEUROCLASS_ALLEN_URL``, if any."""
    value = os.environ.get(ALLEN_URL_VARIABLE, "").strip().rstrip("/")
    return AllenSettings(value or None)
