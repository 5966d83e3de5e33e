"""How long a training takes is told from short ones: what each step costs, and what the rest does."""

from types import SimpleNamespace

import pytest

from neuroclass.config import LspinSettings, OptimiserSettings
from neuroclass.training import timing
from tests.planted import planted_cohort


def test_time_grows_with_the_steps_from_what_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0, fits=0)

    def train(_: object, settings: LspinSettings) -> None:
        clock.fits += 1
        clock.now += (50.0 if clock.fits == 1 else 0.0) + 2.0 + 0.25 * settings.optimiser.steps

    monkeypatch.setitem(timing.TRAINERS, "lspin", train)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    settings = LspinSettings(optimiser=OptimiserSettings(steps=400))
    assert timing.training_seconds("lspin", planted_cohort(20), settings) == pytest.approx(2 + 0.25 * 400)
