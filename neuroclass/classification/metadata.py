"""Metadata that a user gives for cells: species, corrections, conditions, prior; as arguments and as JSON."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neuroclass.classification.inputs import CellInput
from neuroclass.classification.left_out import numbers_argument, parse_numbers
from neuroclass.ephys.conditions import Conditions
from neuroclass.errors import NeuroClassError, SettingsError, option_words
from neuroclass.features import Stimulus
from neuroclass.io.channels import ChannelMapping
from neuroclass.predictors.priors import Prior

NO_STIMULUS = "none"


@dataclass(frozen=True)
class CellMetadata:
    """Metadata that the user gives for the files.

    Attributes
    ----------
    species : str or None
        Species of cells whose file names none.
    entered : mapping of name to float
        Values of features that only a person knows, stored units.
    mapping : ChannelMapping, optional
        Channels and units of recordings whose header is wrong.
    assignments : mapping of (int, int) to Stimulus or None
        Corrected stimuli, by sweep number and epoch index.
    conditions : Conditions
        How the cells were recorded; features are converted to the reference's conditions.
    prior : Prior
        What is known of the classes beforehand; it changes no measurement.
    sheet : str
        Sheet of a spreadsheet that is read; empty for the first with a feature column.
    without_sweeps : frozenset of int
        Numbers of the sweeps that are left out.
    """

    species: str | None = None
    entered: Mapping[str, float] = field(default_factory=dict)
    mapping: ChannelMapping | None = None
    assignments: Mapping[tuple[int, int], Stimulus | None] = field(default_factory=dict)
    conditions: Conditions = Conditions()
    prior: Prior = Prior()
    sheet: str = ""
    without_sweeps: frozenset[int] = frozenset()


def command_line(cell_input: CellInput, metadata: CellMetadata, models: Sequence[str] = ()) -> str:
    """The ``classify`` command that gives the same numbers, run in the folder of the unpacked files.

    `models` are the ids of the models of the library that judge.
    """
    names = [_name_in_archive(file.name) for file in cell_input.files]
    words = ["python", "-m", "neuroclass", "classify"]
    if cell_input.cell:
        for name in names:
            words += ["--group", f"{cell_input.cell}={name}"]
    else:
        words += [f"./{name}" if name.startswith("-") else name for name in names]
    chosen = [word for one in models for word in ("--model", one)]
    return shlex.join([*words, "--json", *to_cli_arguments(metadata), *chosen])


def _name_in_archive(name: str) -> str:
    """A file's name without the archive it came from."""
    archive, _, inside = name.partition(".zip/")
    return inside or archive


def to_cli_arguments(metadata: CellMetadata) -> list[str]:
    """Metadata as arguments of ``classify``, with numbers in full precision."""
    words: list[str] = []
    if metadata.sheet:
        words += [f"--sheet={metadata.sheet}"]
    if metadata.species:
        words += ["--species", metadata.species]
    for name, value in metadata.entered.items():
        words += ["--enter", f"{name}={value!r}"]
    words += option_words(metadata.mapping.options()) if metadata.mapping else []
    for text in protocol_texts(metadata.assignments):
        words += ["--protocol", text]
    if metadata.without_sweeps:
        words += ["--without-sweeps", numbers_argument(metadata.without_sweeps)]
    words += _condition_arguments(metadata.conditions)
    if metadata.prior:
        words += ["--prior", ",".join(f"{name}={weight!r}" for name, weight in metadata.prior.weights.items())]
    return words


def _condition_arguments(conditions: Conditions) -> list[str]:
    words: list[str] = []
    if conditions.temperature_c is not None:
        words += ["--temperature", repr(float(conditions.temperature_c))]
    if conditions.correct_temperature:
        words += ["--correct-temperature"]
    if conditions.junction_mv is not None:
        words += [f"--junction-potential={float(conditions.junction_mv)!r}"]
    if conditions.junction_corrected is not None:
        words += ["--junction-corrected", "yes" if conditions.junction_corrected else "no"]
    if conditions.preparation:
        words += ["--preparation", conditions.preparation]
    if conditions.age:
        words += [f"--age={conditions.age}"]
    if conditions.region:
        words += [f"--region={conditions.region}"]
    return words


def to_json(metadata: CellMetadata) -> dict[str, Any]:
    """Metadata as plain dicts and lists; missing entries are left out."""
    nothing = vars(Conditions())
    conditions = {key: value for key, value in vars(metadata.conditions).items() if value != nothing[key]}
    whole = {
        "species": metadata.species,
        "entered": dict(metadata.entered),
        "mapping": metadata.mapping.options() if metadata.mapping else {},
        "protocols": protocol_texts(metadata.assignments),
        "conditions": conditions,
        "prior": dict(metadata.prior.weights),
        "sheet": metadata.sheet,
        "without_sweeps": sorted(metadata.without_sweeps),
    }
    return {key: value for key, value in whole.items() if value}


def from_json(payload: Mapping[str, Any]) -> CellMetadata:
    """Read what `to_json` wrote.

    Raises
    ------
    SettingsError
        If it is something else.
    """
    try:
        return CellMetadata(
            payload.get("species"),
            {str(name): float(value) for name, value in payload.get("entered", {}).items()},
            ChannelMapping(**payload["mapping"]) if payload.get("mapping") else None,
            parse_protocols(payload.get("protocols", ())),
            conditions=Conditions(**payload.get("conditions", {})),
            prior=Prior(payload.get("prior", {})),
            sheet=str(payload.get("sheet", "")),
            without_sweeps=parse_numbers([str(int(number)) for number in payload.get("without_sweeps", ())]),
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
    """Format corrections for `parse_protocols`, in order."""
    return [
        f"{sweep}{f'.{epoch}' if epoch else ''}={NO_STIMULUS if stimulus is None else stimulus.value}"
        for (sweep, epoch), stimulus in sorted(assignments.items())
    ]
