"""A typed wrapper of numba's decorator, so that every kernel is compiled and cached the same way.

Numba's cache is keyed to a function's own module and misses changes in the functions it calls. The cache
here is therefore kept in a folder named after a digest of all sources of this package.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba
from numba.core import config as numba_config

from neuroclass.config import cache_folder

F = TypeVar("F", bound=Callable[..., object])


def _sources_digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


_CACHE = cache_folder() / "kernels" / _sources_digest()
_CACHED = _writable(_CACHE)  # elsewhere every process compiles again


def compiled(function: F) -> F:
    """Compile a function to machine code on first use and cache the result on disk.

    Releases the global interpreter lock while it runs; floating point follows numpy's rules.
    """
    return _compile(function)


def compiled_part(function: F) -> F:
    """Compile a function called only by compiled functions: without an entry from Python it compiles faster."""
    return _compile(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compile(function: F, **options: bool) -> F:
    previous = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = str(_CACHE)
    try:
        return cast(F, numba.njit(cache=_CACHED, nogil=True, error_model="numpy", **options)(function))
    finally:
        numba_config.CACHE_DIR = previous
