"""Arguments that several commands share."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from neuroclass.cell_types import Species
from neuroclass.errors import SettingsError
from neuroclass.features import PERSON_FEATURES


def add_data(parser: argparse.ArgumentParser) -> None:
    """``--data DIR``: the folder of published tables."""
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of published tables (default: NEUROCLASS_DATA, else the demo)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``: print JSON and nothing else."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_species(parser: argparse.ArgumentParser) -> None:
    """``--species``: of cells whose file does not tell."""
    parser.add_argument("--species", choices=[s.value for s in Species], help="species of cells whose file says none")


def add_entered(parser: argparse.ArgumentParser) -> None:
    """``--enter NAME=VALUE``: features that only the person at the rig knows."""
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
        If a pair is not NAME=VALUE, or names a feature that sweeps give.
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


def files_in(paths: Sequence[Path]) -> list[Path]:
    """The files among `paths`, and those inside the folders among them, hidden ones left out."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        else:
            files.append(path)
    return files
