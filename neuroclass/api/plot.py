"""Figures for notebooks, as plotly objects."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts import evaluation, evidence, traces
from neuroclass.charts import gates as gate_charts
from neuroclass.classification.result import Prediction
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import SettingsError
from neuroclass.report.tables import reasons_table


class _Answered(Protocol):
    """What has both predictions; a `Verdict` is one."""

    @property
    def broad(self) -> Prediction:
        """Excitatory or inhibitory."""

    @property
    def subclass(self) -> Prediction:
        """The subclass."""


def sweeps(recording: Recording, numbers: Sequence[int] | None = None) -> go.Figure:
    """Draw sweeps, responses above stimuli.

    Parameters
    ----------
    recording : Recording
        From `neuroclass.read_recording`.
    numbers : sequence of int, optional
        Sweep numbers; all by default.

    Returns
    -------
    Figure

    Raises
    ------
    SettingsError
        If no sweep has one of these numbers.

    Examples
    --------
    >>> import neuroclass as nc
    >>> figure = nc.plot.sweeps(nc.read_recording(nc.example_recording()), [0, 6])
    """
    known = {sweep.number: sweep for sweep in recording.sweeps}
    chosen = list(known) if numbers is None else list(numbers)
    if missing := [number for number in chosen if number not in known]:
        raise SettingsError(f"There is no sweep {missing}; the recording holds {sorted(known)}.")
    drawn = [_trace(known[number]) for number in chosen]
    return traces.sweeps(drawn, simulated=recording.simulated)


def _trace(sweep: Any) -> traces.Trace:
    reach = np.nanmax(np.abs(sweep.i_pa)) if sweep.current_known else 0.0
    return traces.Trace(f"sweep {sweep.number}", sweep.v_mv, sweep.i_pa, sweep.rate_hz, float(reach))


def reasons(verdict: _Answered, task: str = "subclass", most: int = 12) -> go.Figure:
    """Draw the features that speak most for or against the predicted class, with their gates.

    Parameters
    ----------
    verdict : Verdict
        From `neuroclass.classify`.
    task : str
        ``subclass`` or ``broad``.
    most : int
        Features shown.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import neuroclass as nc
    >>> figure = nc.plot.reasons(nc.classify(nc.example_recording())[0])
    """
    prediction = verdict.broad if task == "broad" else verdict.subclass
    likeliest = max(prediction.probabilities, key=lambda name: prediction.probabilities[name])
    return evidence.reasons(reasons_table(prediction).head(most), likeliest)


def probabilities(verdict: _Answered, task: str = "subclass") -> go.Figure:
    """Draw the calibrated probabilities of one prediction; those outside the 90% set are pale.

    Parameters
    ----------
    verdict : Verdict
        From `neuroclass.classify`.
    task : str
        ``subclass`` or ``broad``.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import neuroclass as nc
    >>> figure = nc.plot.probabilities(nc.classify(nc.example_recording(), reasons=False)[0], "broad")
    """
    prediction = verdict.broad if task == "broad" else verdict.subclass
    shares = prediction.probabilities
    return evaluation.probabilities(list(shares), list(shares.values()), prediction.prediction_set)


def gates(model: Any, x: pd.DataFrame, y: npt.ArrayLike | None = None) -> go.Figure:
    """Draw a fitted classifier's gates for some cells, clustered, black shut and white open.

    Parameters
    ----------
    model : LSPINClassifier
        Fitted.
    x : DataFrame, shape (n_cells, n_features)
        Cells.
    y : array-like, shape (n_cells,), optional
        Their classes; the predicted ones by default.

    Returns
    -------
    Figure

    Raises
    ------
    SettingsError
        If there are fewer than two cells or features.

    Examples
    --------
    >>> import neuroclass as nc
    >>> cells = nc.load_cohort().labelled("subclass").to_frame()
    >>> x = cells[["tau", "width", "f_i_curve_slope", "ri"]]
    >>> model = nc.LSPINClassifier(n_members=3, steps=60).fit(x, cells["subclass"], groups=cells["donor"])
    >>> figure = nc.plot.gates(model, x.head(20))
    """
    from neuroclass.explain.clustering import cluster

    if min(np.shape(x)) < 2:
        raise SettingsError(f"Clustering needs at least two cells and two features; found {np.shape(x)}.")
    table = pd.DataFrame(model.gates(x), index=list(map(str, x.index)), columns=list(x.columns))
    truth = pd.Series(model.predict(x) if y is None else np.asarray(y), index=table.index).astype(str)
    return gate_charts.matrix(table, truth, cluster(table.to_numpy()), cluster(table.to_numpy().T))
