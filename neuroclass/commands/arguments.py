"""Arguments shared by several commands."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from neuroclass.cell_types import Species
from neuroclass.classification.inputs import parse_groups
from neuroclass.classification.left_out import parse_numbers
from neuroclass.classification.metadata import CellMetadata, parse_protocols
from neuroclass.ephys.conditions import PREPARATIONS, Conditions
from neuroclass.errors import SettingsError
from neuroclass.features import PERSON_FEATURES
from neuroclass.io.channels import ChannelMapping
from neuroclass.library.entry import SHIPPED, ModelEntry
from neuroclass.library.library import ModelLibrary
from neuroclass.predictors.priors import Prior

REFUSED = 3
REFUSED_HELP = "Exit code 0: all done; 3: some file or cell was refused; 2: wrong usage."


def add_data(parser: argparse.ArgumentParser) -> None:
    """``--data DIR``: the folder of published tables."""
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of published tables (default: NEUROCLASS_DATA, else the demo)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``: print JSON and nothing else."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_work(parser: argparse.ArgumentParser, default: int) -> None:
    """``--workers N`` and ``--scheduler ADDRESS``: where work runs."""
    parser.add_argument(
        "--workers", "--jobs", dest="jobs", type=int, default=default, metavar="N",
        help=f"processes on this machine (default: {default if default < 3 else 'all cores'})",
    )  # fmt: skip
    parser.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="Dask scheduler that does the work instead, such as tcp://host:8786; results are the same. "
        "local: a Dask cluster of --workers processes on this machine",
    )  # fmt: skip


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """``--retry-failed``: files that failed before."""
    parser.add_argument(
        "--retry-failed", action="store_true", help="with --out DIR: try again the files that failed before"
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """``--model NAME``: a model of the library."""
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME",
        help="model of the library that judges in place of the shipped one of its task: name, id, or first digits of "
        f"its weights' SHA-256 (see: models); once a task; {SHIPPED} for the shipped ones (default: the lab's default)",
    )


def chosen_of(args: argparse.Namespace) -> tuple[ModelEntry, ...]:
    """The models that ``--model`` names, else the lab's default; none where ``--models`` names a folder.

    Raises
    ------
    LibraryError
        If there is no such model.
    SettingsError
        If both are given.
    """
    if args.models is not None:
        if args.model:
            raise SettingsError("--models names a folder of models and --model one of the library; give one of them.")
        return ()
    library = ModelLibrary()
    wanted = args.model or [library.default]
    return tuple(entry for entry in map(library.usable, wanted) if not entry.shipped)


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Files, groups of files, and everything that the user knows about the cells."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="a file, a folder of files, or a zip of them; for classify also dandi:000020/sub-1, files of a dandiset",
    )
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="CELL=FILE,FILE",
        help="files that are one cell, such as a ramp and steps; its features are measured over all their sweeps",
    )
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="SWEEP=STIMULUS",
        help="correct a sweep's stimulus, such as 3=ramp, or 3.1=none for its second epoch; holds for all files given",
    )
    parser.add_argument(
        "--without-sweeps",
        action="append",
        default=[],
        metavar="LIST",
        help="leave sweeps out, numbered as in the file, such as 3,7 or 9-12 (of --group: as joined); holds for "
        "all files given",
    )
    parser.add_argument(
        "--sheet", default="", metavar="NAME", help="sheet of a spreadsheet (default: the first with a feature column)"
    )
    add_species(parser)
    add_entered(parser)
    add_mapping(parser)
    add_conditions(parser)
    parser.set_defaults(wrong_usage=parser.error)


def groups_of(args: argparse.Namespace) -> dict[str, list[Path]]:
    """Files of one cell by the cell's name; ends the command if there is no input at all."""
    groups = parse_groups(args.group)
    if not args.paths and not groups:
        args.wrong_usage("give PATH or --group CELL=FILE,FILE")
    return groups


def metadata_of(args: argparse.Namespace, prior: Prior = Prior()) -> CellMetadata:
    """What the arguments of `add_inputs` say about the cells."""
    return CellMetadata(
        args.species,
        entered_values(args.enter),
        mapping_of(args),
        parse_protocols(args.protocol),
        conditions_of(args),
        prior,
        args.sheet,
        parse_numbers(args.without_sweeps),
    )


def add_species(parser: argparse.ArgumentParser) -> None:
    """``--species``: species of cells whose file does not give it."""
    parser.add_argument("--species", choices=[s.value for s in Species], help="species of cells whose file says none")


def add_entered(parser: argparse.ArgumentParser) -> None:
    """``--enter NAME=VALUE``: features entered by hand."""
    parser.add_argument(
        "--enter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"a feature that sweeps do not give, stored unit: {', '.join(PERSON_FEATURES)}",
    )


def entered_values(pairs: Sequence[str]) -> Mapping[str, float]:
    """Parse the values of ``--enter``.

    Raises
    ------
    SettingsError
        If a pair is not NAME=VALUE, or names a feature measured on sweeps.
    """
    values = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name.strip() not in PERSON_FEATURES:
            raise SettingsError(f"--enter {pair}: expected one of {', '.join(PERSON_FEATURES)} before the equals sign.")
        try:
            values[name.strip()] = float(text)
        except ValueError as error:
            raise SettingsError(f"--enter {pair}: expected a number after the equals sign.") from error
        if not 0 < values[name.strip()] < 1e5:
            raise SettingsError(f"--enter {pair}: a resistance must be above 0 and finite.")
    return values


def add_mapping(parser: argparse.ArgumentParser) -> None:
    """``--response`` etc.: channels, units, gains and offsets of recordings whose header cannot be trusted."""
    parser.add_argument(
        "--response", metavar="CH", help="name or number of the channel with the potential; in NWB, its electrode"
    )
    parser.add_argument(
        "--stimulus",
        metavar="CH",
        help="name or number of the channel or command with the current; in NWB, its electrode",
    )
    parser.add_argument("--response-unit", metavar="UNIT", help="unit of the stored potentials, such as mV")
    parser.add_argument("--stimulus-unit", metavar="UNIT", help="unit of the stored currents, such as pA")
    parser.add_argument("--series", metavar="LIST", help="series of a HEKA bundle, by label or number: IV,1.3")
    for what, unit, example in (("response", "mV", "-67"), ("stimulus", "pA", "-20")):
        parser.add_argument(
            f"--{what}-gain",
            type=float,
            metavar="GAIN",
            help="gain that the stored values still contain, such as 20; they are divided by it",
        )
        parser.add_argument(
            f"--{what}-offset",
            type=float,
            metavar=unit.upper(),
            help=f"{unit} to add after the gain, such as {example}",
        )


def mapping_of(args: argparse.Namespace) -> ChannelMapping:
    """Channel mapping from the arguments of `add_mapping`."""
    return ChannelMapping(**{field.name: getattr(args, field.name) for field in fields(ChannelMapping)})


def add_conditions(parser: argparse.ArgumentParser) -> None:
    """``--temperature`` etc.: recording conditions."""
    parser.add_argument("--temperature", type=float, metavar="C", help="temperature of the bath, °C")
    parser.add_argument(
        "--correct-temperature",
        action="store_true",
        help="bring features to the database's 34 °C by assumed Q10 factors (by default the models allow for it)",
    )
    parser.add_argument(
        "--junction-potential",
        type=float,
        metavar="MV",
        help="the lab's liquid junction potential, mV, positive for gluconate in the pipette (the database's is 14)",
    )
    parser.add_argument(
        "--junction-corrected",
        choices=("yes", "no"),
        help="whether it was subtracted from the stored potentials (the database's are not corrected)",
    )
    parser.add_argument(
        "--preparation", choices=tuple(PREPARATIONS), default="", help="acute slice or slice culture; no model uses it"
    )
    parser.add_argument("--age", default="", help="age of the animal or donor, for the record")
    parser.add_argument("--region", default="", help="brain region, for the record")


def conditions_of(args: argparse.Namespace) -> Conditions:
    """Recording conditions from the arguments of `add_conditions`."""
    corrected = None if args.junction_corrected is None else args.junction_corrected == "yes"
    return Conditions(
        args.temperature,
        args.junction_potential,
        corrected,
        args.age.strip(),
        args.region.strip(),
        args.correct_temperature,
        args.preparation,
    )


def sweep_lines(sweeps: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per sweep: what was recognised in it, and why."""
    return [f"sweep {sweep['number']}: {sweep['recognised']}" for sweep in sweeps]
