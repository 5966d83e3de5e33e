"""One simulated cell on its way from file to verdict, for the pictures of the Methods page."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from neuroclass.charts.traces import Trace
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.classification.wording import stated
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.sweep_summary import SweepSummary
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES
from neuroclass.types.arrays import Floats

if TYPE_CHECKING:
    from neuroclass.classification.measurement import MeasuredCell
    from neuroclass.classification.models import Models

CELL = "simulated-mouse-sst-010"
"""One on which the two kinds of models differ, and both count."""
_SPECIES = "mouse"


@dataclass(frozen=True, eq=False)
class OnItsWay:
    """What each step gave.

    Attributes
    ----------
    n_sweeps : int
        Sweeps of the recording.
    sweeps : tuple of Trace
        Those with a long square.
    telling : tuple of (SweepSummary, Epoch)
        Its `RecordingAnalysis.telling_square`.
    standardised : mapping of name to float
        The features in standard deviations from the training cells' mean.
    apart : mapping of title to Prediction
        The subclass as either kind of model has it, by title with its weight.
    verdict : CellVerdict
        The answer.
    """

    n_sweeps: int
    sweeps: tuple[Trace, ...]
    telling: tuple[SweepSummary, Epoch]
    standardised: Mapping[str, float]
    apart: Mapping[str, Prediction]
    verdict: CellVerdict


def shown() -> OnItsWay | None:
    """Measure and classify the example; None where the models are not there or give no answer."""
    from neuroclass.classification.models import load_models

    with suppress(ModelFileError):
        return _on_its_way(load_models().version)
    return None


@st.cache_resource(max_entries=2, show_spinner="Classifying a simulated cell")
def _on_its_way(model_version: str) -> OnItsWay | None:  # noqa: ARG001 (part of the key of the cache)
    from neuroclass.classification.classify import classify_cells
    from neuroclass.classification.measurement import measured_recording
    from neuroclass.classification.metadata import CellMetadata
    from neuroclass.classification.models import load_models

    recording, models = simulate_demo_cell(CELL), load_models()
    cell = measured_recording(recording, CellMetadata(_SPECIES))
    (verdict,) = classify_cells([cell], models, False)
    telling = None if cell.analysis is None else cell.analysis.telling_square
    if not isinstance(verdict, CellVerdict) or cell.analysis is None or telling is None or models.by_set is None:
        return None
    z = models.by_set.preprocessor.standardise(cell.row()[None])
    return OnItsWay(
        len(recording.sweeps),
        tuple(trace_of(*pair) for pair in cell.analysis.long_squares),
        telling,
        {name: float(value) for name, value in zip(FEATURE_NAMES, z[0], strict=True) if np.isfinite(value)},
        _apart(cell, z, models),
        verdict,
    )


def trace_of(one: SweepSummary, epoch: Epoch) -> Trace:
    """A sweep to draw, by its stimulus' amplitude."""
    sweep = one.sweep
    name = f"sweep {sweep.number}, {epoch.amplitude_pa:+.0f} pA"
    return Trace(name, sweep.v_mv, sweep.i_pa, sweep.rate_hz, epoch.amplitude_pa)


def _apart(cell: "MeasuredCell", z: Floats, models: "Models") -> dict[str, Prediction]:
    """Either kind of model's probabilities of the subclasses, under its name and weight."""
    from neuroclass.predictors.voices import AWAY, HOME

    by_set = models.by_set
    assert by_set is not None
    home = float(by_set.probability_home(cell.row()[None], [_SPECIES])[0])
    found = by_set.models.model_for(np.isfinite(z[0])).apart(z, _SPECIES)
    classes = models.lspin.predictor.classes
    return {
        f"{title}, weight {stated(weight)}": Prediction(
            "lspin", dict(zip(classes, map(float, found[voice][1][0]), strict=True)), tuple(classes)
        )
        for title, voice, weight in (("In-database", HOME, home), ("Out-of-database", AWAY, 1 - home))
    }
