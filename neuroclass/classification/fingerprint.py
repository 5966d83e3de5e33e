"""One fingerprint of everything that an answer depends on, for caches, history, report and export."""

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass import __version__


def fingerprint(**parts: Any) -> str:
    """SHA-256 of named parts and of the software's version.

    Parameters
    ----------
    **parts
        What an answer depends on: inputs, metadata, features, species, models, and whatever else is asked. Files count
        by name and content, models by their loaded weights, cohorts by their cells: by what their method
        ``fingerprint_parts`` returns. Other dataclasses count by their fields.

    Returns
    -------
    str
        64 hexadecimal digits; the same in every process.

    Raises
    ------
    TypeError
        If a part is of a type whose content is not known.
    """
    whole = {"version": __version__, "parts": _plain(parts)}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """What JSON can hold, different for different values."""
    kind = type(value)
    if kind is float:  # most values are
        return {"float": value.hex()}
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if hasattr(type(value), "fingerprint_parts"):
        return [type(value).__name__, _plain(value.fingerprint_parts())]
    if isinstance(value, Enum):
        return [type(value).__name__, _plain(value.value)]
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float | np.floating):
        return {"float": float(value).hex()}
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.ndarray):
        return [str(value.dtype), list(value.shape), hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()]
    if isinstance(value, Path | bytes):
        return [type(value).__name__, str(value)]
    return _collection(value)


def _collection(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, {one.name: _plain(getattr(value, one.name)) for one in fields(value)}]
    if isinstance(value, Mapping):
        if all(type(key) is str for key in value):
            return {"pairs": [[key, _plain(value[key])] for key in sorted(value)]}
        return {"pairs": sorted(([_plain(key), _plain(one)] for key, one in value.items()), key=json.dumps)}
    if isinstance(value, Set):
        return {"set": sorted(map(_plain, value), key=json.dumps)}
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} has no fingerprint; name the parts of it that the answer depends on.")
