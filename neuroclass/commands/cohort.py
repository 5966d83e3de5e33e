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
    """Counts of a cohort.

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
    answer: dict[str, Any] = {
        "source": cohort.source,
        "simulated": cohort.simulated,
        "notes": list(cohort.notes),
        "n_cells": len(cohort),
    }
    for species in Species:
        cells = cohort.of_species(species)
        answer[species.value] = {
            "n_cells": len(cells),
            "n_donors": int(cells.frame["donor"].nunique()),
            "n_complete": len(cells.complete()),
            "broad": _counts(cells, "broad", BROAD_ORDER),
            "subclass": _counts(cells, "subclass", SUBCLASS_ORDER),
        }
    return answer


def _counts(cohort: Cohort, column: str, names: tuple[str, ...]) -> dict[str, int]:
    found = cohort.frame[column].value_counts()
    return {name: int(found.get(name, 0)) for name in names}


def describe(answer: dict[str, Any]) -> str:
    """Text of a `summary`, for people."""
    lines = [f"Source: {answer['source']}" + (" (simulated)" if answer["simulated"] else "")]
    lines += [f"Note: {note}" for note in answer["notes"]]
    for species in Species:
        part = answer[species.value]
        lines.append(
            f"{species.value}: {part['n_cells']:,} cells of {part['n_donors']:,} donors, "
            f"{part['n_complete']:,} with all 41 features"
        )
        for column in ("broad", "subclass"):
            counts = [f"{label_of(name)} {n:,}" for name, n in part[column].items() if n]
            if counts:
                lines.append(f"  {column}: {', '.join(counts)}")
    return "\n".join(lines)


def run(args: argparse.Namespace) -> int:
    """Print the summary."""
    answer = summary(load_cohort(args.data))
    print(json.dumps(answer, indent=2, ensure_ascii=False) if args.json else describe(answer))
    return 0
