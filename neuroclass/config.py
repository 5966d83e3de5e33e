"""Settings: paths, and a frozen dataclass for each configurable component."""

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_cache_dir

from neuroclass.errors import SettingsError

DATA_VARIABLE = "NEUROCLASS_DATA"
CACHE_VARIABLE = "NEUROCLASS_CACHE"
RECORDINGS_VARIABLE = "NEUROCLASS_RECORDINGS"
PROJECT_DIR = Path(__file__).resolve().parent.parent
"""The folder that the package lies in: a checkout, or where packages are installed."""
_INSTALLED = Path(__file__).resolve().parent / "shipped"
SHIPPED_DIR = _INSTALLED if _INSTALLED.is_dir() else PROJECT_DIR
"""Folder of what is no Python package: models, demo data and the dashboard's pages."""
MODELS_DIR = SHIPPED_DIR / "models"


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
class Setting:
    """What is declared of one setting of training.

    Attributes
    ----------
    low, high : float
        Range, both included; of each layer's units where there are several.
    meaning, unit : str
        One line for people; the unit, empty for a fraction or a plain number.
    """

    low: float
    high: float
    meaning: str
    unit: str = ""


_SETTING = "setting"


def _setting(default: Any, low: float, high: float, meaning: str, unit: str = "") -> Any:
    return field(default=default, metadata={_SETTING: Setting(low, high, meaning, unit)})


def declared(settings: Any) -> dict[str, Setting]:
    """The settings of a dataclass (or an instance of it) itself, by name; not those of its parts."""
    kind = settings if isinstance(settings, type) else type(settings)
    found: dict[str, Setting] = {}
    for base in reversed(kind.__mro__):
        own = getattr(base, "__dataclass_fields__", {})
        found |= {name: one.metadata[_SETTING] for name, one in own.items() if _SETTING in one.metadata}
    return found


def check_setting(name: str, value: object, default: object, setting: Setting) -> None:
    """Refuse a value of another kind than the default, or out of range.

    Raises
    ------
    SettingsError
        Saying what was found and what is expected.
    """
    layers = isinstance(default, tuple)
    numbers = value if isinstance(value, tuple) and layers else (value,)
    whole = layers or isinstance(default, int)
    kinds = (int,) if whole else (int, float)
    good = all(isinstance(one, kinds) and not isinstance(one, bool) for one in numbers) and len(numbers) > 0
    if (
        good
        and isinstance(value, tuple) == layers
        and all(setting.low <= float(one) <= setting.high for one in numbers)
    ):
        return
    kind = "whole numbers, one a layer, each" if layers else "a whole number" if whole else "a number"
    unit = f" {setting.unit}" if setting.unit else ""
    raise SettingsError(
        f"{name} is {value!r}; expected {kind} from {setting.low:g} to {setting.high:g}{unit} "
        f"({setting.meaning[0].lower()}{setting.meaning[1:]})."
    )


class _Checked:
    """Settings that refuse values out of the range declared beside them."""

    def __post_init__(self) -> None:
        defaults = {one.name: one.default for one in fields(self)}  # type: ignore[arg-type]
        for name, setting in declared(self).items():
            check_setting(name, getattr(self, name), defaults[name], setting)


@dataclass(frozen=True)
class AugmentSettings(_Checked):
    """Augmentation: how far training cells are shifted towards other laboratories. Each field says what it means."""

    masked_share: float = _setting(0.3, 0, 1, "Fraction of training cells with features hidden", "fraction")
    shifted_share: float = _setting(0.3, 0, 1, "Fraction of training cells with shifted features", "fraction")
    stimulus_hidden: float = _setting(
        0.4, 0, 0.95, "Probability that a stimulus of a masked cell is hidden", "fraction"
    )
    feature_hidden: float = _setting(
        0.3, 0, 0.95, "Probability that a further feature of a masked cell is hidden", "fraction"
    )
    offset_mv: float = _setting(15.0, 0, 50, "Largest offset of all voltages", "mV")
    bridge_mv: float = _setting(5.0, 0, 50, "Largest offset of spike voltages", "mV")
    height_mv: float = _setting(10.0, 0, 50, "Largest loss of spike height", "mV")
    log_temperature: float = _setting(0.7, 0, 2, "Largest logarithm of the factor on times and slopes", "ln")
    log_resistance: float = _setting(0.4, 0, 2, "Largest logarithm of the factor on resistances", "ln")
    log_step: float = _setting(0.3, 0, 2, "Largest logarithm of the factor on rheobase", "ln")


@dataclass(frozen=True)
class OptimiserSettings(_Checked):
    """How networks are trained (AdamW, warm-up, cosine decay, averaged weights). Each field says what it means."""

    steps: int = _setting(600, 1, 20_000, "Training steps", "steps")
    batch_cells: int = _setting(256, 1, 10_000, "Cells each network sees in a step", "cells")
    learning_rate: float = _setting(4e-3, 1e-6, 1, "Highest learning rate")
    weight_decay: float = _setting(1e-2, 0, 10, "Decoupled weight decay")
    averaging: float = _setting(0.98, 0, 0.9999, "Decay of the running average of the weights, per step")
    steps_an_epoch: int = _setting(20, 1, 1_000, "Steps between two reports of progress, one epoch", "steps")

    @property
    def n_epochs(self) -> int:
        """Epochs of a whole training; the last may be shorter."""
        return -(-self.steps // self.steps_an_epoch)


@dataclass(frozen=True)
class DannSettings(_Checked):
    """DANN: architecture and training. Each field says what it means."""

    n_members: int = _setting(10, 1, 50, "Networks in the ensemble", "networks")
    hidden: tuple[int, ...] = _setting((64, 32, 4), 1, 512, "Units of the feature extractor's layers", "units")
    reversal: float = _setting(0.1, 0, 10, "λ of the gradient reversal at the end; 0 switches the adversary off")
    dropout: float = _setting(0.1, 0, 0.9, "Fraction of hidden units dropped in training", "fraction")
    mixup: float = _setting(0.3, 0, 10, "Parameter of the beta distribution of mix-up; 0 for none")
    smoothing: float = _setting(0.02, 0, 0.5, "Label smoothing: probability taken from the label", "fraction")
    inner_folds: int = _setting(10, 2, 50, "Donor groups; each network leaves one out, for calibration", "groups")
    augment: AugmentSettings = AugmentSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    seed: int = _setting(0, 0, 2**31 - 1, "Seed of weights, batches and folds")


@dataclass(frozen=True)
class LspinSettings(_Checked):
    """LSPIN: architecture and training. Each field says what it means."""

    n_members: int = _setting(10, 1, 50, "Networks in the ensemble", "networks")
    gating: tuple[int, ...] = _setting((50, 50), 1, 512, "Units of the gating network's hidden layers", "units")
    prediction: tuple[int, ...] = _setting((64, 32), 1, 512, "Units of the prediction network's hidden layers", "units")
    gate_penalty: float = _setting(0.013, 0, 10, "λ₁ on the expected number of open gates of a cell (‖z‖₀)")
    similarity: float = _setting(0.0, 0, 10, "λ₂ on differing gates of similar cells")
    penalty_ramp: float = _setting(0.3, 1e-6, 1, "Fraction of training over which λ₁ grows to its value", "fraction")
    agreement: float = _setting(
        0.02, 0, 10, "Weight of the variance of gates between networks, which draws them together"
    )
    consensus: float = _setting(0.25, 0, 1, "Mean gate above which the trained ensemble lets a feature through")
    dropout: float = _setting(0.1, 0, 0.9, "Fraction of hidden units dropped in training", "fraction")
    mixup: float = _setting(0.3, 0, 10, "Parameter of the beta distribution of mix-up; 0 for none")
    smoothing: float = _setting(0.15, 0, 0.5, "Label smoothing: probability taken from the label", "fraction")
    inner_folds: int = _setting(10, 2, 50, "Donor groups; each network leaves one out, for calibration", "groups")
    augment: AugmentSettings = AugmentSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    seed: int = _setting(0, 0, 2**31 - 1, "Seed of weights, batches and folds")


@dataclass(frozen=True)
class ValidationSettings(_Checked):
    """Donors that do not train but judge each epoch. Each field says what it means."""

    share: float = _setting(
        0.15, 0, 0.5, "Fraction of the labelled cells, whole donors, held out; 0 for none", "fraction"
    )
    patience: int = _setting(0, 0, 1_000, "Epochs without a better macro F1 before training stops; 0 never", "epochs")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patience and not self.share:
            raise SettingsError(
                f"patience is {self.patience} epochs without validation donors to judge them; hold out a share of the "
                "donors above 0, or leave patience at 0."
            )


@dataclass(frozen=True)
class SearchSettings(_Checked):
    """Search for a network's settings, scored on cells that it never saw. Each field says what it means."""

    trials: int = _setting(20, 2, 1_000, "Settings that each search tries, the recipe's first", "trials")
    outer_folds: int = _setting(
        3, 2, 20, "Donor groups; each scores the setting that a search without its cells has chosen", "groups"
    )
    inner_folds: int = _setting(3, 2, 20, "Donor groups of a search's own cells, by which it compares", "groups")
    members: int = _setting(
        3, 1, 50, "Networks in the ensemble while searching; the chosen setting is scored with the whole one",
        "networks",
    )  # fmt: skip
    seed: int = _setting(0, 0, 2**31 - 1, "Seed of folds, trials and networks")


@dataclass(frozen=True)
class TreeSettings:
    """Boosted trees, of three levels.

    Attributes
    ----------
    rounds : int
        Rounds of boosting, each with a tree per class.
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


DANDI_URL_VARIABLE = "NEUROCLASS_DANDI_URL"
DANDI_URL = "https://api.dandiarchive.org/api"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class DandiSettings:
    """Address of the DANDI archive's API.

    Attributes
    ----------
    api_url : str
        The API, over https; http only on this machine.
    """

    api_url: str = DANDI_URL

    def __post_init__(self) -> None:
        """Reject an address that is not encrypted."""
        try:
            parts = urlsplit(self.api_url)
            host = parts.hostname
        except ValueError:
            host = None
        if not host or parts.scheme not in ("https", "http") or (parts.scheme == "http" and host not in LOOPBACK):
            raise SettingsError(
                f"{self.api_url!r} is no address of an archive's API; expected one such as {DANDI_URL}."
            )


def dandi_settings(url: str | None = None) -> DandiSettings:
    """Settings with the given address, else that of ``NEUROCLASS_DANDI_URL``, else the public archive's."""
    value = (url or os.environ.get(DANDI_URL_VARIABLE, "")).strip().rstrip("/")
    return DandiSettings(value or DANDI_URL)
