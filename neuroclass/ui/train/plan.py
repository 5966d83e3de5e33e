"""What a training run will do, said before it starts: on which cells, what one gets, and how long it takes."""

import os

from neuroclass.adaptation.labelled_table import LabelledTable
from neuroclass.cell_types import label_of
from neuroclass.charts.theme import ordered
from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import N_FOLDS, trainings_of
from neuroclass.reports.store import Document
from neuroclass.training.job import number
from neuroclass.training.runs import Cells
from neuroclass.types.models import DANN, LSPIN, MODELS
from neuroclass.types.progress import duration
from neuroclass.ui import cache
from neuroclass.ui.text import escaped
from neuroclass.ui.train.registry import registry

ONCE, REPORT, NONE = "once", "report", "none"
"""One repeat of donor-grouped cross-validation, the full report, and nothing, among the protocols of the form."""
_USUAL_S = {LSPIN.name: 45.0, DANN.name: 30.0}
"""One training on the published cells on a calm machine, s; until one was timed here."""
_USUAL_CELLS = {LSPIN.name: 1424, DANN.name: 1723}
_OWN_TRAININGS = 14
"""Trainings that measure what own cells add, about."""
_LOOKED_AT = 50


def protocol_of(asked: str) -> str:
    """The name of the protocol that was chosen in the form; empty for none."""
    return {ONCE: Protocol.DONOR_CV.value, NONE: ""}.get(asked, asked)


def processes() -> int:
    """Processes of an evaluation: one core is left for the pages."""
    return max(1, (os.cpu_count() or 1) - 1)


def training_s(system: str) -> float:
    """About how long a training takes, s: as the last one here, else as usual for so many cells."""
    times = (
        number(job.metrics.get("training_s"))
        for job in registry().recent(_LOOKED_AT)
        if job.model == system and not job.config.get("settings") and job.metrics.get("training_s")
    )
    found = next(times, None)
    if found is not None:
        return found
    n_cells = int(cache.cohort().frame[MODELS[system].task].notna().sum())
    return _USUAL_S[system] * max(0.2, n_cells / _USUAL_CELLS[system])


def evaluation_s(system: str, asked: str) -> float:
    """About how long the evaluation takes that was chosen in the form, s."""
    from neuroclass.reports.estimate import report_seconds

    once = training_s(system)
    if asked == NONE:
        return 0.0
    if asked == REPORT:
        return report_seconds(system, False, once, processes())
    n = N_FOLDS if asked == ONCE else trainings_of(Protocol(asked))
    return n * once / processes()


def time(system: str, asked: str, own: bool) -> str:
    """How long the whole run takes, in a sentence."""
    once, after = training_s(system), evaluation_s(system, asked)
    after += _OWN_TRAININGS * once if own else 0.0
    parts = f": training {duration(once)}, evaluation {duration(after)}" if after else ""
    return (
        f"About {duration(as_written(once) + as_written(after))}{parts}. It goes on when you leave, and can be paused."
    )


def as_written(seconds: float) -> float:
    """A time as its words say it, s, so that a sum agrees with its parts."""
    minutes = duration(seconds).removesuffix(" min")
    return 60.0 * float(minutes) if minutes.isdigit() else float(round(seconds))


def summary(system: str, cells: Cells, own: LabelledTable | None, asked: str, share: float) -> str:
    """What the run does and what one gets, as markdown.

    Parameters
    ----------
    system : str
        ``dann`` or ``lspin``.
    cells : Cells
        Which cells train.
    own : LabelledTable or None
        The user's table where it is used.
    asked : str
        The evaluation that was chosen.
    share : float
        Share of the cells whose donors judge and do not train.

    Returns
    -------
    str
    """
    task = MODELS[system].task
    parts = []
    if cells is not Cells.OWN:
        parts.append(_counted(cache.cohort(), task))
    if cells is not Cells.LOADED and own is not None:
        parts.append(f"{_counted(own.cells, task)} of {escaped(own.name, 80)}")
    source = " and ".join(parts) or "the cells of your table"
    judges = (
        f" {share:.0%} of the cells (all cells of some donors) are held back; the learning curves are drawn on them."
        if share
        else ""
    )
    gives = "a model to classify with and its learning curves"
    measured = {
        NONE: "; no accuracy on held-out donors",
        REPORT: ", and all that the result pages show",
    }.get(
        asked,
        f", and its accuracy on unseen donors, from {N_FOLDS} further trainings, each without a fifth of the donors",
    )
    return (
        f"**This run:** {system.upper()} learns from {source}.{judges}  \n"
        f"**You get:** {gives}{measured}. The built-in models stay as they are.{_to_beat(system)}"
    )


def _to_beat(system: str) -> str:
    """The built-in model's accuracy on cells of unseen donors; empty where it is not stored."""
    metrics = (cache.report(system).card().get("metrics") or {}) if cache.report(system).has(Document.METRICS) else {}
    found = (metrics.get("metrics") or {}).get("accuracy") or {}
    if "mean" not in found:
        return ""
    return (
        f"  \n**To beat:** the built-in {system.upper()} network is right in {found['mean']:.1%} of held-out cells "
        "(unseen donors, the published cells)."
    )


def _counted(cells: Cohort, task: str) -> str:
    """How many labelled cells of how many donors, by class."""
    frame = cells.labelled(task).frame
    counts = frame[task].value_counts()
    listed = ", ".join(f"{escaped(label_of(str(name)))} {counts[name]:,}" for name in ordered(frame[task]))
    simulated = "simulated " if cells.simulated else ""
    species = frame["species"].value_counts()
    kind = f"{species.index[0]} " if len(species) == 1 else ""
    both = ", ".join(f"{name} {n:,}" for name, n in species.items()) + "; " if len(species) > 1 else ""
    return f"{len(frame):,} {simulated}{kind}cells of {frame['donor'].nunique():,} donors ({both}{listed})"
