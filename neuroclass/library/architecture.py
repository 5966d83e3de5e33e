"""Whether a card's architecture is that of the arrays beside it, before any memory is taken for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from neuroclass.errors import ModelFileError
from neuroclass.io.artifacts import DO_NOT_FIT, PREDICTORS, WEIGHTS_FILE

LONGEST = 4000
"""Characters of an architecture as JSON."""
_NET = "net."


def check_architecture(folder: Path, card: Mapping[str, Any]) -> None:
    """Compare the shapes of a network, built without memory, with those of the stored arrays.

    Parameters
    ----------
    folder : Path
        Holds the weights.
    card : mapping
        The model's card; that of an estimator has no architecture.

    Raises
    ------
    ModelFileError
        If they differ.
    """
    kind = PREDICTORS.get(str(card.get("model")))
    if kind is None:
        return
    try:
        architecture = dict(card["architecture"])
        if len(json.dumps(architecture)) > LONGEST:
            raise ValueError("its architecture is longer than any")
        with torch.device("meta"):
            built = {name: tuple(value.shape) for name, value in kind.build(architecture).state_dict().items()}
        with safe_open(folder / WEIGHTS_FILE, framework="numpy") as file:
            stored = {
                name.removeprefix(_NET): tuple(file.get_slice(name).get_shape())
                for name in file.keys()  # noqa: SIM118 (not a mapping)
                if name.startswith(_NET)
            }
    except (SafetensorError, *DO_NOT_FIT, KeyError) as error:
        raise ModelFileError(
            f"The card's architecture cannot be built ({str(error)[:200]}). Export it again."
        ) from error
    if built != stored:
        odd = sorted(name for name in built.keys() | stored.keys() if built.get(name) != stored.get(name))
        raise ModelFileError(
            f"The card's architecture asks for {odd[0]} of the shape {built.get(odd[0])}; the file holds "
            f"{stored.get(odd[0])}. Export the model again where it was trained."
        )
