"""Arrays and facts in one file that is replaced as a whole: a safetensors file whose header holds JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from neuroclass.errors import ModelFileError
from neuroclass.io.atomic import write_atomically

Arrays = dict[str, npt.NDArray[np.generic]]
_FACTS = "facts"


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[np.generic]], facts: Mapping[str, Any]) -> None:
    """Write arrays and, as JSON, whatever else belongs to them.

    Parameters
    ----------
    path : Path
        The file; an earlier one is kept until the new one is whole.
    arrays : mapping of str to ndarray
        Of any shapes; contiguous.
    facts : mapping
        Numbers, texts, lists and mappings of these.
    """
    write_atomically(path, save(dict(arrays), {_FACTS: json.dumps(facts)}))


def read_arrays(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read what `write_arrays` wrote.

    Raises
    ------
    ModelFileError
        If the file is absent, damaged or another kind of file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads((file.metadata() or {})[_FACTS])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise ModelFileError(
            f"{path} cannot be read ({error}); expected a safetensors file that NeuroClass wrote. Delete it, and what "
            "it held is computed anew."
        ) from error
    if not isinstance(facts, dict):
        raise ModelFileError(f"{path} says nothing about its arrays; delete it, and what it held is computed anew.")
    return arrays, facts
