"""``python -m neuroclass cohort``: what is loaded, and how many cells of which kind."""

import argparse
import json
from typing import Any

from neuroclass.cell_types import BROAD_ORDER, SUBCLASS_ORDER, Species, label_of
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.commands.arguments import add_data, add_json


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser("cohort", help="say which cells are loaded", description=__doc__)
    add_data(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def summary(cohort: Cohort) -> dict[str, Any]:
    """Count a cohort's cells.

    Parameters
    ----------
    cohort : Cohort
        The cells.

    Returns
    -------
    dict
        ``source``, ``simulated``, ``notes``, ``n_cells``, and for each species ``n_cells``, ``n_donors``,
        ``n_complete``, ``broad`` and ``subclass``.
    """
    counts: dict[str, Any] = {
        "source": cohort.source,
        "simulated": cohort.simulated,
        "notes": list(cohort.notes),
        "n_cells": len(cohort),
    }
    for species in Species:
        cells = cohort.of_species(species)
        counts[species.value] = {
            "n_cells": len(cells),
            "n_donors": int(cells.frame["donor"].nunique()),
            "n_complete": len(cells.complete()),
            "broad": _counts(cells, "broad", BROAD_ORDER),
            "subclass": _counts(cells, "subclass", SUBCLASS_ORDER),
        }
    return counts


def _counts(cohort: Cohort, column: str, names: tuple[str, ...]) -> dict[str, int]:
    found = cohort.frame[column].value_counts()
    return {name: int(found.get(name, 0)) for name in names}


def describe(counts: dict[str, Any]) -> str:
    """Format a `summary` as text."""
    lines = [f"Source: {counts['source']}" + (" (simulated)" if counts["simulated"] else "")]
    lines += [f"Note: {note}" for note in counts["notes"]]
    for species in Species:
        part = counts[species.value]
        lines.append(
            f"{species.value}: {part['n_cells']:,} cells of {part['n_donors']:,} donors, "
            f"{part['n_complete']:,} with all 41 features"
        )
        for column in ("broad", "subclass"):
            listed = [f"{label_of(name)} {n:,}" for name, n in part[column].items() if n]
            if listed:
                lines.append(f"  {column}: {', '.join(listed)}")
    return "\n".join(lines)


def run(args: argparse.Namespace) -> int:
    """Print the summary."""
    counts = summary(load_cohort(args.data))
    print(json.dumps(counts, indent=2, ensure_ascii=False) if args.json else describe(counts))
    return 0
