"""Results of an evaluation's parts, kept as they come, so that a long evaluation continues where it was cut off.

Inside `keep_results` each call of `in_parallel` first looks for its result in the folder. A part is told by its
function, its stage and its arguments, not by when it ran. Results are tables, arrays, plain values, and the dataclasses
that say so (`keepable`), written as parquet, safetensors and JSON.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from neuroclass.errors import ModelFileError
from neuroclass.io.atomic import write_atomically
from neuroclass.io.checkpoints import read_arrays, write_arrays

_FOLDER: ContextVar[Path | None] = ContextVar("kept_results", default=None)
_KEEPABLE: dict[str, type] = {}
_KIND, _VALUE, _ARRAYS = "kind", "value.json", "arrays.safetensors"
Kind = TypeVar("Kind", bound=type)


def keepable(kind: Kind) -> Kind:
    """Mark a dataclass as one whose instances can be kept."""
    _KEEPABLE[kind.__name__] = kind
    return kind


@contextmanager
def keep_results(folder: Path | None) -> Iterator[None]:
    """Keep the results of what runs inside in a folder; None keeps nothing."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


class Kept:
    """The kept results of one call of `in_parallel`."""

    def __init__(self, stage: str) -> None:
        self.folder, self.stage = _FOLDER.get(), stage

    def place(self, function: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Path | None:
        """Where a part's result lies or will lie; None where nothing is kept."""
        if self.folder is None:
            return None
        state = hashlib.sha256(f"{self.stage}/{function.__qualname__}".encode())
        for one in (*args, *options.items()):
            _digest(one, state)
        return self.folder / state.hexdigest()[:24]


def _digest(value: Any, state: Any) -> None:
    """Feed everything that a result depends on."""
    if isinstance(value, np.ndarray):
        state.update(str(value.dtype).encode() + np.ascontiguousarray(value).tobytes())
    elif hasattr(value, "fingerprint_parts"):
        state.update(json.dumps(value.fingerprint_parts()).encode())
    elif isinstance(value, pd.DataFrame):
        state.update(pd.util.hash_pandas_object(value).to_numpy().tobytes())
    elif is_dataclass(value):
        for one in fields(value):
            _digest(getattr(value, one.name), state)
    elif isinstance(value, Mapping):
        _digest(sorted(value.items()), state)
    elif isinstance(value, list | tuple):
        for one in value:
            _digest(one, state)
    elif getattr(value, "__closure__", None):
        _digest([value.__qualname__, *(cell.cell_contents for cell in value.__closure__)], state)
    else:
        name = getattr(value, "__qualname__", None)
        state.update(f"{type(value).__name__}:{name or repr(value)};".encode())


def write_result(folder: Path, result: Any) -> None:
    """Keep a result, as a whole."""
    draft = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    arrays: dict[str, Any] = {}
    value = _encoded(result, draft, arrays)
    if arrays:
        write_arrays(draft / _ARRAYS, arrays, {})
    write_atomically(draft / _VALUE, json.dumps(value).encode())
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)


def _encoded(value: Any, folder: Path, arrays: dict[str, Any]) -> Any:
    if isinstance(value, pd.DataFrame):
        name = f"{len(list(folder.glob('*.parquet')))}.parquet"
        value.to_parquet(folder / name)
        return {_KIND: "table", "file": name}
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.ascontiguousarray(value)
        return {_KIND: "array", "name": name}
    if is_dataclass(value) and type(value).__name__ in _KEEPABLE:
        parts = {one.name: _encoded(getattr(value, one.name), folder, arrays) for one in fields(value)}
        return {_KIND: "record", "type": type(value).__name__, "parts": parts}
    if isinstance(value, Mapping):
        return {_KIND: "mapping", "items": [[key, _encoded(one, folder, arrays)] for key, one in value.items()]}
    if isinstance(value, list | tuple):
        return {_KIND: type(value).__name__, "items": [_encoded(one, folder, arrays) for one in value]}
    return value.item() if isinstance(value, np.generic) else value


def read_result(folder: Path) -> Any:
    """A kept result.

    Raises
    ------
    ModelFileError
        If there is none or it is damaged.
    """
    try:
        value = json.loads((folder / _VALUE).read_text(encoding="utf-8"))
        arrays = read_arrays(folder / _ARRAYS)[0] if (folder / _ARRAYS).is_file() else {}
        return _decoded(value, folder, arrays)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelFileError(f"{folder} holds no result ({error}); delete it, and it is computed anew.") from error


def _decoded(value: Any, folder: Path, arrays: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    kind = value[_KIND]
    if kind == "table":
        return pd.read_parquet(folder / Path(str(value["file"])).name)
    if kind == "array":
        return arrays[value["name"]]
    if kind == "record":
        parts = {name: _decoded(one, folder, arrays) for name, one in value["parts"].items()}
        return _KEEPABLE[value["type"]](**parts)
    if kind == "mapping":
        return {key: _decoded(one, folder, arrays) for key, one in value["items"]}
    items = [_decoded(one, folder, arrays) for one in value["items"]]
    return tuple(items) if kind == "tuple" else items
