"""What the server counts, in Prometheus' format; no label says who, or what their files are called."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, time

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from neuroclass import __version__
from neuroclass.classification.result import Answer
from neuroclass.errors import NeuroClassError, RejectedInput
from neuroclass.extraction.archive_jobs import ArchiveJobs
from neuroclass.training.job import UNDER_WAY, State
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.model_jobs import ModelJobs

RECENT = 100
_SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
VERDICTS = Counter(
    "neuroclass_verdicts", "Cells that were classified, by task and outcome.", ("task", "outcome"), registry=REGISTRY
)
REFUSALS = Counter(
    "neuroclass_refusals", "Inputs and cells that were refused, by kind of error.", ("kind",), registry=REGISTRY
)
SECONDS = Histogram(
    "neuroclass_input_seconds",
    "Time from an input on the disk to the verdicts on its cells, s, waiting included.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
ERRORS = Counter("neuroclass_page_errors", "Errors that a page did not foresee, by type.", ("type",), registry=REGISTRY)


@dataclass(frozen=True)
class PageError:
    """An error that a page did not foresee.

    Attributes
    ----------
    time : float
        When, s since 1970.
    kind : str
        Its type.
    place : str
        Module and line that raised it; not its message, which may hold what users brought.
    """

    time: float
    kind: str
    place: str


_recent: deque[PageError] = deque(maxlen=RECENT)


def recent_errors() -> list[PageError]:
    """The errors since the server started, latest first."""
    return list(reversed(_recent))


def note_error(error: Exception) -> None:
    """Count an error that a page did not foresee."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    ERRORS.labels(type(error).__name__).inc()
    _recent.append(PageError(time(), type(error).__name__, place))


@contextmanager
def timed() -> Iterator[None]:
    """Measure the time of one input, and count it where it is refused as a whole."""
    started = perf_counter()
    try:
        yield
    except NeuroClassError as error:
        REFUSALS.labels(error.kind).inc()
        raise
    SECONDS.observe(perf_counter() - started)


def count(answers: Sequence[Answer]) -> None:
    """Count verdicts and refusals."""
    for one in answers:
        if isinstance(one, RejectedInput):
            REFUSALS.labels(one.error.kind).inc()
            continue
        for task, prediction in (("broad", one.broad), ("subclass", one.subclass)):
            VERDICTS.labels(task, "cannot say" if prediction.label is None else "label").inc()


class _Now(Collector):
    """What is looked up when it is asked for: the queues, and the version."""

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("neuroclass_jobs", "Jobs under way, by queue and state.", labels=("queue", "state"))
        for name, registry in (("training", JobRegistry()), ("models", ModelJobs()), ("archive", ArchiveJobs())):
            states = [job.state for job in registry.recent(RECENT)]
            for state in UNDER_WAY:
                jobs.add_metric((name, State(state).value), states.count(state))
        yield jobs
        version = GaugeMetricFamily("neuroclass_version", "The version that runs; always 1.", labels=("version",))
        version.add_metric((__version__,), 1)
        yield version


REGISTRY.register(_Now())


def text() -> bytes:
    """All of it, as Prometheus reads it."""
    return generate_latest(REGISTRY)
