"""Answers in one line each, as the history keeps and searches them, and such a line taken apart for its table."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from neuroclass.classification.result import Answer, CellVerdict
from neuroclass.classification.wording import CAUTIONS, caution_line, doubt_figures, headline, typical
from neuroclass.ephys.sweep import SIMULATED_WARNING
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.errors import RejectedInput

UNKNOWN, NOT_GIVEN = "species not given", "not given"
SIMULATED, UNUSUAL = SIMULATED_WARNING.split(":")[0], "Unusual"
MOST = 200
"""Cells that are told one by one."""
_CAUTION = re.compile(rf" ?({'|'.join(map(re.escape, (*CAUTIONS, SIMULATED, UNUSUAL)))}): .*?\.(?= |$)")
_ONE = re.compile(
    rf"^.*?\((?P<species>mouse|human|{UNKNOWN})\)(?P<without> without [^:]+)?: (?P<answer>.*?)"
    r"(?: \((?P<probability>[^()]*%)\))?\.$"
)
_COLON = re.compile(rf"\((?:mouse|human|{UNKNOWN})\)[^:()]*: ")


@dataclass(frozen=True)
class Told:
    """What a summary says of one cell, or of several together.

    Attributes
    ----------
    species : str
        ``mouse``, ``human`` or ``not given``; empty of several cells.
    answer : str
        The headline, with sweeps that were left out; of several cells everything.
    probability : str
        Of the likeliest class; empty where there is none.
    caution : str
        What makes the recording doubtful, that it is unusual or simulated.
    """

    species: str
    answer: str
    probability: str
    caution: str


def summary_of(answers: Sequence[Answer]) -> str:
    """Cells and their labels in one line, for searching the history."""
    parts = []
    for one in answers[:MOST]:
        if isinstance(one, RejectedInput):
            parts.append(f"{one.cell} refused ({one.error.title.lower()}).".strip())
        else:
            species = one.species if one.species != "unknown" else UNKNOWN
            without = f" without {sweeps_text(set(one.without_sweeps))}" if one.without_sweeps else ""
            parts.append(f"{one.cell} ({species}){without}: {_in_brief(one)}")
    return " ".join(parts) + (f" And {len(answers) - MOST} more." if len(answers) > MOST else "")


def _in_brief(verdict: CellVerdict) -> str:
    """The headline, its likeliest class with its probability, and what makes the recording doubtful."""
    figures = {name: text for name, text, _ in doubt_figures(verdict)}
    probability = f" ({figures['Probability']})" if "Probability" in figures else ""
    simulated = SIMULATED_WARNING if SIMULATED_WARNING in verdict.warnings else ""
    cautions = (caution_line(verdict), _unusual(verdict), simulated)
    return " ".join(filter(None, (f"{headline(verdict)}{probability}.", *cautions)))


def _unusual(verdict: CellVerdict) -> str:
    """That few held-out cells are as unusual, where a label is given all the same."""
    share = verdict.broad.typicality
    if share is None or verdict.broad.abstain or typical(verdict):
        return ""
    return f"{UNUSUAL}: {share:.1%} of held-out cells are as unusual."


def marks(caution: str) -> list[str]:
    """What each caution of a `Told` is called."""
    return [found[1] for found in _CAUTION.finditer(caution)]


def told(summary: str) -> Told:
    """Take a summary apart.

    Parameters
    ----------
    summary : str
        From `summary_of`, or as earlier versions wrote it.

    Returns
    -------
    Told
    """
    caution = " ".join(found.group().strip() for found in _CAUTION.finditer(summary))
    rest = _CAUTION.sub("", summary).strip()
    found = _ONE.match(rest) if len(_COLON.findall(rest)) == 1 else None
    if found is None:
        n_cells = len(_COLON.findall(rest))
        return Told("", f"{n_cells} cells: {rest}" if n_cells > 1 else rest.removesuffix("."), "", caution)
    species = found["species"].replace(UNKNOWN, NOT_GIVEN)
    return Told(species, f"{found['answer']}{found['without'] or ''}", found["probability"] or "", caution)
