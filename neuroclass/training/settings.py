"""Settings of a system by name: one flat list of names for page, command line and run folders."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeAlias

from neuroclass.config import DannSettings, LspinSettings, Setting, check_setting, declared
from neuroclass.errors import SettingsError
from neuroclass.types.models import DANN, LSPIN, MODELS

Values: TypeAlias = Mapping[str, Any]
OURS, PAPER = "ours", "paper"
PLAIN: Values = {
    "n_members": 1,
    "dropout": 0.0,
    "mixup": 0.0,
    "smoothing": 0.0,
    "masked_share": 0.0,
    "shifted_share": 0.0,
    "averaging": 0.0,
}
"""One network without augmentation or regularisation beyond its own penalty."""
PRESETS: Mapping[str, Mapping[str, Values]] = {
    LSPIN.name: {
        OURS: {},
        PAPER: {
            **PLAIN,
            "gating": (50, 50, 50),
            "prediction": (40, 20),
            "gate_penalty": round(0.01047 / 41, 6),
            "agreement": 0.0,
            "consensus": 0.0,
            "weight_decay": 0.0,
            "steps": 1000,
            "batch_cells": 1105,
        },
    },
    DANN.name: {
        OURS: {},
        PAPER: {
            **PLAIN,
            "hidden": (128, 64, 32),
            "reversal": 0.88,
            "weight_decay": 0.01236,
            "learning_rate": 0.006,
            "steps": 3000,
            "batch_cells": 64,
        },
    },
}
PRESET_TITLES: Mapping[str, str] = {OURS: "NeuroClass", PAPER: "Ophir et al. 2023"}
PRESET_MEANING: Mapping[str, str] = {
    OURS: "The settings of the built-in model.",
    PAPER: "The paper's layers, penalties and batch, one network, no augmentation; AdamW with warm-up, seeds and "
    "donor-grouped calibration stay ours. `evaluate lspin-paper` runs the paper's own loop.",
}


TITLES: Mapping[str, str] = {
    "n_members": "Networks in the ensemble",
    "gating": "Hidden units, gating network",
    "prediction": "Hidden units, prediction network",
    "hidden": "Hidden units",
    "gate_penalty": "Gate penalty λ₁",
    "similarity": "Gate similarity penalty λ₂",
    "penalty_ramp": "Ramp of the gate penalty",
    "agreement": "Gate agreement penalty",
    "consensus": "Consensus threshold of gates",
    "reversal": "Gradient-reversal strength λ",
    "dropout": "Dropout",
    "mixup": "Mixup α",
    "smoothing": "Label smoothing",
    "inner_folds": "Calibration folds",
    "seed": "Random seed",
    "masked_share": "Cells with hidden features",
    "shifted_share": "Cells with shifted features",
    "stimulus_hidden": "Probability to hide a stimulus",
    "feature_hidden": "Probability to hide a feature",
    "offset_mv": "Voltage offset",
    "bridge_mv": "Bridge-balance offset",
    "height_mv": "Loss of spike height",
    "log_temperature": "Temperature factor (log)",
    "log_resistance": "Resistance factor (log)",
    "log_step": "Rheobase factor (log)",
    "steps": "Training steps",
    "batch_cells": "Batch size",
    "learning_rate": "Learning rate",
    "weight_decay": "Weight decay",
    "averaging": "Decay of weight averaging",
    "steps_an_epoch": "Steps per epoch",
}
"""What people read for the name of a setting."""


@dataclass(frozen=True)
class NamedSetting:
    """One setting of a system.

    Attributes
    ----------
    name, part : str
        Its name; the part it belongs to: empty, ``augment`` or ``optimiser``.
    default : int, float or tuple of int
        The shipped recipe's.
    setting : Setting
        Range, meaning and unit.
    """

    name: str
    part: str
    default: Any
    setting: Setting


def recipe(system: str) -> DannSettings | LspinSettings:
    """The shipped settings of a system.

    Raises
    ------
    SettingsError
        If it has none of its own.
    """
    if system not in MODELS:
        raise SettingsError(f"{system!r} has no settings to choose; expected one of {', '.join(MODELS)}.")
    return MODELS[system].settings()


def named_settings(system: str) -> dict[str, NamedSetting]:
    """All settings of a system by name, its own first, then those of augmentation and optimiser."""
    settings = recipe(system)
    parts: dict[str, Any] = {"": settings}
    parts |= {one.name: value for one in fields(settings) if is_dataclass(value := getattr(settings, one.name))}
    return {
        name: NamedSetting(name, part, getattr(values, name), setting)
        for part, values in parts.items()
        for name, setting in declared(values).items()
    }


def checked(system: str, values: Values) -> dict[str, Any]:
    """Values as they are used, layers as tuples.

    Raises
    ------
    SettingsError
        If a name is not one of the system's, or a value is out of range.
    """
    known = named_settings(system)
    result = {}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"{system} has no setting {name!r}; expected one of {', '.join(known)}.")
        default = known[name].default
        value = tuple(value) if isinstance(value, list) else value
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        check_setting(name, value, default, known[name].setting)
        result[name] = value
    return result


def with_values(system: str, values: Values) -> DannSettings | LspinSettings:
    """The recipe with some values changed.

    Raises
    ------
    SettingsError
        See `checked`.
    """
    settings, known, changed = recipe(system), named_settings(system), checked(system, values)
    own = {name: value for name, value in changed.items() if not known[name].part}
    for part in sorted({known[name].part for name in changed} - {""}):
        inside = {name: value for name, value in changed.items() if known[name].part == part}
        own[part] = replace(getattr(settings, part), **inside)
    return replace(settings, **own)


def all_values(system: str, settings: DannSettings | LspinSettings) -> dict[str, Any]:
    """Every setting by name."""
    return {
        name: getattr(getattr(settings, one.part) if one.part else settings, name)
        for name, one in named_settings(system).items()
    }


def differing(system: str, values: Values) -> dict[str, Any]:
    """Those values that are not the recipe's."""
    known = named_settings(system)
    return {name: value for name, value in checked(system, values).items() if value != known[name].default}


def parse_setting(system: str, text: str) -> tuple[str, Any]:
    """Parse ``name=value``; units of layers are separated by commas.

    Raises
    ------
    SettingsError
        If it is no such pair, the name is unknown or the value is no number.
    """
    name, equals, written = text.partition("=")
    name = name.strip()
    known = named_settings(system)
    if not equals or name not in known:
        raise SettingsError(f"--set {text}: expected NAME=VALUE with one of {', '.join(known)}.")
    default = known[name].default
    try:
        if isinstance(default, tuple):
            return name, tuple(int(one) for one in written.split(","))
        return name, int(written) if isinstance(default, int) else float(written)
    except ValueError as error:
        kind = "whole numbers separated by commas" if isinstance(default, tuple) else "a number"
        kind = "a whole number" if isinstance(default, int) else kind
        shown = written_setting(name, default)
        raise SettingsError(f"--set {text}: expected {kind} after the equals sign, such as {shown}.") from error


def written_setting(name: str, value: Any) -> str:
    """``name=value`` as `parse_setting` reads it."""
    return f"{name}={','.join(map(str, value))}" if isinstance(value, tuple | list) else f"{name}={value!r}"
