"""The content of a report: a verdict with the data of its figures, gathered once for HTML and PDF."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from neuroclass.cell_types import COLOURS, label_of
from neuroclass.charts.comparison import Panel
from neuroclass.classification.analysis import RecordingAnalysis, analyse
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.classification.stress import StressResult
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.cohort.recordings import recording_of
from neuroclass.ephys.sweep import Recording
from neuroclass.explain.counterfactual import Counterfactual, counterfactual
from neuroclass.reference.cells import ReferenceCell, nearest_references
from neuroclass.reference.ranges import class_values
from neuroclass.report.places import Traced, panel_of, traced
from neuroclass.types.models import QUESTIONS

_SUBJECTS = {"broad": "Excitatory or inhibitory", "subclass": "Mouse subclass"}
TASKS: Mapping[str, str] = {"broad": "Excitatory or inhibitory (DANN)", "subclass": "Subclass"}
TITLES: Mapping[str, str] = QUESTIONS
"""What each model answers."""
SHOWN_PLACES = 3

PanelOf = Callable[[ReferenceCell, str, str], Panel | None]


def question_of(task: str, prediction: Prediction) -> str:
    """What a prediction answers, with the model that answers it."""
    return TITLES.get(prediction.model) or f"{_SUBJECTS[task]} ({prediction.model})"


def asked(task: str, prediction: Prediction) -> str:
    """What a prediction answers; with the model only where it is not a built-in one, which several pool."""
    return question_of(task, prediction).split(" (")[0] if prediction.model in TITLES else question_of(task, prediction)


@dataclass(frozen=True)
class Evidence:
    """The evidence for one prediction.

    Attributes
    ----------
    references : mapping of class to ReferenceCell
        The nearest of the two likeliest classes.
    places : mapping of feature name to tuple of Panel
        Where the leading reasons were measured, this cell first, then the reference cells.
    change : Counterfactual or None
        The smallest change found that makes the runner-up the likeliest class.
    """

    references: Mapping[str, ReferenceCell] = field(default_factory=dict)
    places: Mapping[str, tuple[Panel, ...]] = field(default_factory=dict)
    change: Counterfactual | None = None


@dataclass(frozen=True)
class ReportCell:
    """One cell of a report.

    Attributes
    ----------
    verdict : CellVerdict
        The answers.
    evidence : mapping of task to Evidence
        ``broad`` and ``subclass``.
    command : str
        The command line that gives the same numbers.
    stress : tuple of StressResult
        Results of the stress test, where it was run.
    simulated : bool
        Whether the cell is simulated.
    """

    verdict: CellVerdict
    evidence: Mapping[str, Evidence]
    command: str
    stress: tuple[StressResult, ...] = ()
    simulated: bool = False


def likeliest(task: Prediction) -> list[str]:
    """The two most likely classes, likeliest first."""
    return sorted(task.probabilities, key=lambda name: -task.probabilities[name])[:2]


def own_trace(verdict: CellVerdict | MeasuredCell, analysis: RecordingAnalysis, simulated: bool = False) -> Traced:
    """A cell's sweeps with the places of its features and the values before any correction."""
    places = {name: entry["sweeps"] for name, entry in verdict.provenance.items() if entry.get("sweeps")}
    values = {
        name: float(verdict.provenance.get(name, {}).get("as_measured", value))
        for name, value in verdict.features.items()
    }
    return Traced(
        "This cell", analysis.recording, analysis.features.epochs, places, values, simulated, analysis.features
    )


def panel_reader(pools: Sequence[Cohort]) -> PanelOf:
    """Make a reader of reference cells' sweeps that reads each cell once.

    Parameters
    ----------
    pools : sequence of Cohort
        The cohorts that the reference cells are of.
    """

    @lru_cache(maxsize=4)
    def read(cell_id: str, simulated: bool) -> Traced | None:
        if simulated:
            found: Recording | str = simulate_demo_cell(cell_id)
        else:
            pool = next(p for p in pools if not p.simulated)
            found = recording_of(pool, cell_id)
        return traced(cell_id, analyse(found), simulated) if isinstance(found, Recording) else None

    def panel(cell: ReferenceCell, feature: str, title: str) -> Panel | None:
        one = read(cell.cell_id, cell.simulated)
        found = None if one is None else panel_of(one, feature)
        return None if found is None else replace(found, title=title)

    return panel


def gather(
    verdict: CellVerdict,
    analysis: RecordingAnalysis | None,
    models: Models,
    pools: Sequence[Cohort],
    command: str,
    stress: Sequence[StressResult] = (),
    panel: PanelOf | None = None,
) -> ReportCell:
    """Collect a report's content for one cell.

    Parameters
    ----------
    verdict : CellVerdict
        The answers.
    analysis : RecordingAnalysis or None
        The cell's measured recording, where there is one.
    models : Models
        The models that answered.
    pools : sequence of Cohort
        Where reference cells are looked for; see `with_sweeps`.
    command : str
        The command line that gives the same numbers.
    stress : sequence of StressResult
        Results of the stress test, where it was run.
    panel : callable, optional
        Reads the place of a feature in a reference cell; by default from its recording or simulation.

    Returns
    -------
    ReportCell
    """
    simulated = analysis is not None and analysis.simulated
    own = None if analysis is None else own_trace(verdict, analysis, simulated)
    read = panel or panel_reader(pools)
    evidence = {name: _evidence(getattr(verdict, name), verdict, own, models, pools, read) for name in TASKS}
    return ReportCell(verdict, evidence, command, tuple(stress), simulated)


def _evidence(
    task: Prediction, verdict: CellVerdict, own: Traced | None, models: Models, pools: Sequence[Cohort], panel: PanelOf
) -> Evidence:
    if not task.reasons:
        return Evidence()
    predictor = models.named(task.model).predictor
    labels = likeliest(task)
    references = nearest_references(predictor, verdict.features, verdict.species, labels, pools)
    places: dict[str, tuple[Panel, ...]] = {}
    traceable = [reason.feature for reason in task.reasons if own is not None and reason.feature in own.places]
    for feature in traceable[:SHOWN_PLACES]:
        first = panel_of(own, feature) if own is not None else None
        others = [
            replace(found, colour=COLOURS.get(label, ""))
            for label, cell in references.items()
            if (found := panel(cell, feature, f"Nearest {label_of(label)}")) is not None
        ]
        places[feature] = tuple(one for one in (first, *others) if one is not None)
    allowed = class_values(verdict.species, labels[1])
    words = f"5% to 95% quantiles of the database's {labels[1]} cells"
    change = counterfactual(predictor, verdict.features, verdict.species, labels[1], allowed, words)
    return Evidence(references, places, change)
