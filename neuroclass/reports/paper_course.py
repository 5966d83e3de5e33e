"""How far the reproduction is, and how long it still takes: stages of different cost on one scale."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

STAGE = "the paper"
SHARE, LEFT = "share", "left_s"


@dataclass
class Course:
    """Turns the progress of one stage into that of the whole.

    Attributes
    ----------
    costs : mapping of str to (int, float)
        Units of each stage, and the processor time of one, s.
    progress : ProgressCallback
        Called with the stage's own numbers; `values` hold the share done (0 to 1) and the time left (s).
    """

    costs: Mapping[str, tuple[int, float]]
    progress: ProgressCallback = ignore_progress
    _done: dict[str, int] = field(default_factory=dict)
    _start: tuple[float, float] | None = None

    @property
    def total(self) -> float:
        """Processor time of everything, s."""
        return sum(n * cost for n, cost in self.costs.values())

    def __call__(self, one: Progress) -> None:
        """Note a stage's progress."""
        self._done[one.stage] = one.done
        spent = sum(self._done.get(name, 0) * cost for name, (_, cost) in self.costs.items())
        now = time.monotonic()
        if self._start is None:
            self._start = (now, spent)
        values = {SHARE: min(1.0, spent / self.total)}
        since = spent - self._start[1]
        if since > 0:
            values[LEFT] = (now - self._start[0]) / since * max(0.0, self.total - spent)
        self.progress(Progress(one.stage, one.done, one.total, values))
