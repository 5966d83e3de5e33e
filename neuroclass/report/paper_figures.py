"""The paper's figures, drawn from a reproduction."""

from functools import lru_cache

import pandas as pd
import plotly.graph_objects as go

from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.charts import cohort as cohort_charts
from neuroclass.charts import evaluation as evaluation_charts
from neuroclass.charts import gates as gate_charts
from neuroclass.charts import paper as paper_charts
from neuroclass.charts.shap_charts import importance
from neuroclass.charts.theme import ordered
from neuroclass.charts.traces import Trace, sweeps
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.evaluation import lspin_selection
from neuroclass.evaluation.dann_selection import OWN
from neuroclass.explain.clustering import cluster
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.paper_store import Reproduction
from neuroclass.reports.paper_tables import OURS
from neuroclass.types.models import DANN, LSPIN

NOISE_CELL = "simulated-mouse-pvalb-045"
NOISE_RATE_HZ = 5000.0
SHOWN_CELLS = 277
SHOWN_FEATURES = 15
SEEDS, AGAIN = "published settings, other seeds", "chosen settings, trained again"


@lru_cache(maxsize=1)
def _noise_sweep() -> Trace:
    """A simulated cell's last noise sweep, thinned to 5 kHz by the largest value of each bin, so that spikes stay."""
    sweep = next(one for one in reversed(simulate_demo_cell(NOISE_CELL).sweeps) if "Noise" in one.stimulus_name)
    width = max(1, round(sweep.rate_hz / NOISE_RATE_HZ))
    n = len(sweep.v_mv) // width * width
    v, i = sweep.v_mv[:n].reshape(-1, width).max(axis=1), sweep.i_pa[:n:width]
    return Trace("noise", v, i, sweep.rate_hz / width)


def noise() -> go.Figure:
    """A noise stimulus and the response to it, of a simulated cell."""
    return sweeps([_noise_sweep()], simulated=True)


def composition(found: Reproduction, species: Species) -> go.Figure:
    """Cells of a species by class and driver line."""
    counts = found.tables["composition"]
    rows = paper_charts.rows_of(counts[counts["species"] == species.value])
    return cohort_charts.composition(rows, found.simulated)


def confusion(found: Reproduction, task: str, way: str, species: str = "") -> go.Figure:
    """Confusion matrix of one way of training and testing."""
    table = found.tables["lspin-predictions" if task == LSPIN.task else "dann-predictions"]
    rows = table[(table["way"] == way) & ((table["species"] == species) if species else True)]
    classes = list(TASK_CLASSES[task])
    counts = pd.crosstab(rows["truth"], rows["predicted"]).reindex(index=classes, columns=classes, fill_value=0)
    return evaluation_charts.confusion(counts, found.simulated)


def gate_matrix(found: Reproduction, way: str) -> go.Figure:
    """Clustered gates of one way of training and testing; at most as many cells as the paper's test set has."""
    table = found.tables["gates"]
    rows = table[table["way"] == way]
    if len(rows) > SHOWN_CELLS:
        rows = rows.sample(SHOWN_CELLS, random_state=0)
    place = {name: k for k, name in enumerate(ordered(rows["truth"]))}
    rows = rows.sort_values("truth", key=lambda t: t.map(place), kind="stable", ignore_index=True)
    values = rows.set_index("id")[list(FEATURE_NAMES)]
    matrix = values.to_numpy(dtype=float)
    return gate_charts.matrix(values, rows["truth"], cluster(matrix, rows["truth"]), cluster(matrix.T))


def gates_open(found: Reproduction, way: str = OURS) -> go.Figure:
    """Mean gate by class."""
    table = found.tables["gates"]
    rows = table[table["way"] == way]
    means = rows.groupby("truth")[list(FEATURE_NAMES)].mean()
    return gate_charts.mean_by_class(means.loc[ordered(rows["truth"])])


def _strips(runs: pd.DataFrame) -> dict[str, list[float]]:
    """Accuracies of the runs that were not selected, by name."""
    named = ((AGAIN, "again"), (SEEDS, "seeds"))
    return {name: runs.loc[runs["what"] == what, "accuracy"].tolist() for name, what in named}


def lspin_search(found: Reproduction) -> go.Figure:
    """The selection of LSPIN's settings on the test cells, and what is left of it."""
    numbers = found.numbers["selection"]["lspin"]
    course = lspin_selection.course(found.tables["lspin-trials"]).rename(columns={"best": "value"})
    levels = {"published": numbers["published"], "donor-grouped": numbers["honest"]["mean"]}
    runs = found.tables["lspin-runs"]
    return paper_charts.search_course(
        course,
        _strips(runs),
        levels,
        y=f"Accuracy on {numbers['n_test']} test cells",
        simulated=found.simulated,
    )


def dann_search(found: Reproduction) -> go.Figure:
    """The choice of DANN's settings on both test sets, on human cells."""
    numbers, trials = found.numbers["selection"]["dann"], found.tables["dann-trials"]
    human = Species.HUMAN.value
    value, objective = trials[f"{human} {OWN}"], trials["objective"]
    best = [int(objective.iloc[: k + 1].idxmax()) for k in range(len(trials))]
    course = pd.DataFrame({"trial": trials["trial"], "value": value, "chosen": value.loc[best].to_numpy()})
    runs = found.tables["dann-runs"]
    runs = runs[(runs["species"] == human) & (runs["scaled"] == OWN)]
    levels = {"published": numbers["published"][human], "donor-grouped": numbers["honest"][human]["mean"]}
    n_test = found.numbers["cells"]["dann"][f"test {human}"]
    return paper_charts.search_course(
        course,
        _strips(runs),
        levels,
        y=f"Accuracy on {n_test} human test cells",
        simulated=found.simulated,
    )


def shap(found: Reproduction) -> go.Figure:
    """Mean |SHAP| of the features, by the paper's DANN and by ours."""
    table = found.tables["shap"]
    means = table.groupby("network")[list(FEATURE_NAMES)].agg(lambda one: one.abs().mean()).T
    means = means.rename(columns={"paper": "the paper's recipe", "ours": "ours, held-out cells"})
    order = means.mean(axis=1).sort_values(ascending=False).index[:SHOWN_FEATURES]
    return importance(means.loc[order], unit=f"probability of {DANN.classes[0]}", simulated=found.simulated)
