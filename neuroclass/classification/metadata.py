"""What a user said about the cells, as words of the command line and as JSON, and read back."""

from collections.abc import Mapping, Sequence
from typing import Any

from neuroclass.classification.measurement import CellMetadata
from neuroclass.ephys.conditions import Conditions
from neuroclass.errors import NeuroClassError, SettingsError
from neuroclass.features import Stimulus
from neuroclass.io.channels import ChannelMapping
from neuroclass.predictors.priors import Prior

NO_STIMULUS = "none"
_CHANNELS = ("response", "stimulus", "response_unit", "stimulus_unit")


def to_cli_arguments(metadata: CellMetadata) -> list[str]:
    """Arguments of ``classify`` that say the same; numbers to the last digit."""
    words: list[str] = []
    if metadata.species:
        words += ["--species", metadata.species]
    for name, value in metadata.entered.items():
        words += ["--enter", f"{name}={value!r}"]
    for option in _CHANNELS:
        channel = getattr(metadata.mapping, option, None)
        if channel:
            words += [f"--{option.replace('_', '-')}", str(channel)]
    for text in protocol_texts(metadata.assignments):
        words += ["--protocol", text]
    words += _words_of_conditions(metadata.conditions)
    if metadata.prior:
        words += ["--prior", ",".join(f"{name}={weight!r}" for name, weight in metadata.prior.weights.items())]
    return words


def _words_of_conditions(conditions: Conditions) -> list[str]:
    words: list[str] = []
    if conditions.temperature_c is not None:
        words += ["--temperature", repr(float(conditions.temperature_c))]
    if conditions.junction_mv is not None:
        words += [f"--junction-potential={float(conditions.junction_mv)!r}"]
    if conditions.junction_corrected is not None:
        words += ["--junction-corrected", "yes" if conditions.junction_corrected else "no"]
    if conditions.age:
        words += [f"--age={conditions.age}"]
    if conditions.region:
        words += [f"--region={conditions.region}"]
    return words


def to_json(metadata: CellMetadata) -> dict[str, Any]:
    """A context as plain dicts and lists; what was not said is left out."""
    conditions = {key: value for key, value in vars(metadata.conditions).items() if value not in (None, "")}
    mapping = {key: value for key in _CHANNELS if (value := getattr(metadata.mapping, key, None))}
    whole = {
        "species": metadata.species,
        "entered": dict(metadata.entered),
        "mapping": mapping,
        "protocols": protocol_texts(metadata.assignments),
        "conditions": conditions,
        "prior": dict(metadata.prior.weights),
    }
    return {key: value for key, value in whole.items() if value}


def from_json(told: Mapping[str, Any]) -> CellMetadata:
    """Read back what `to_json` gave.

    Raises
    ------
    SettingsError
        If it is something else.
    """
    try:
        return CellMetadata(
            told.get("species"),
            {str(name): float(value) for name, value in told.get("entered", {}).items()},
            ChannelMapping(**told["mapping"]) if told.get("mapping") else None,
            parse_protocols(told.get("protocols", ())),
            conditions=Conditions(**told.get("conditions", {})),
            prior=Prior(told.get("prior", {})),
        )
    except (AttributeError, KeyError, TypeError, ValueError, NeuroClassError) as error:
        raise SettingsError(f"What was kept of the cell's context cannot be read ({error}); enter it again.") from error


def parse_protocols(texts: Sequence[str]) -> dict[tuple[int, int], Stimulus | None]:
    """Read corrections such as ``3=ramp`` or, for a sweep's second epoch, ``3.1=long_square``.

    Parameters
    ----------
    texts : sequence of str
        ``SWEEP=STIMULUS`` or ``SWEEP.EPOCH=STIMULUS``, epochs counted from 0; ``none`` for no stimulus.

    Returns
    -------
    dict of (int, int) to Stimulus or None
        By sweep number and epoch index.

    Raises
    ------
    SettingsError
        If a text is something else.
    """
    known: dict[str, Stimulus | None] = {s.value: s for s in Stimulus if s is not Stimulus.NONE} | {NO_STIMULUS: None}
    found = {}
    for text in texts:
        place, _, name = text.partition("=")
        sweep, _, epoch = place.partition(".")
        try:
            found[int(sweep), int(epoch or 0)] = known[name.strip().lower()]
        except (ValueError, KeyError) as error:
            raise SettingsError(
                f"--protocol {text}: expected SWEEP=STIMULUS or SWEEP.EPOCH=STIMULUS with one of {', '.join(known)}."
            ) from error
    return found


def protocol_texts(assignments: Mapping[tuple[int, int], Stimulus | None]) -> list[str]:
    """What `parse_protocols` reads, in order."""
    return [
        f"{sweep}{f'.{epoch}' if epoch else ''}={NO_STIMULUS if stimulus is None else stimulus.value}"
        for (sweep, epoch), stimulus in sorted(assignments.items())
    ]
