"""Explain a fold's held-out cells with the network that did not see them."""

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.explain.deletion import deletion_table, gate_ablation
from neuroclass.explain.groups import quantities
from neuroclass.explain.shap_values import ShapValues, shap_values
from neuroclass.explain.stability import importances
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.human_subclass import HumanSubclassPredictor
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.predictor import Predictor

_FEATURES = list(FEATURE_NAMES)


def shap_table(explained: ShapValues, test: Cohort, classes: tuple[str, ...], players: list[str]) -> pd.DataFrame:
    """SHAP values, one row per cell and class: id, species, class, base_value, error and one column per player."""
    frames = []
    for column, name in enumerate(classes):
        values = pd.DataFrame(explained.values[:, :, column].astype(np.float32).round(5), columns=players)
        meta = test.frame[["id", "species"]].assign(
            **{"class": name}, base_value=explained.base[:, column], error=explained.error
        )
        frames.append(pd.concat([meta, values], axis=1))
    return pd.concat(frames, ignore_index=True)


def gate_table(
    model: LspinPredictor | HumanSubclassPredictor, test: Cohort, truth: str, predicted: "pd.Series[str]"
) -> pd.DataFrame:
    """Gates of held-out cells: id, truth, predicted and one column per feature, 0 shut to 1 open."""
    meta = test.frame[["id"]].assign(truth=test.frame[truth], predicted=predicted.to_numpy())
    gates = pd.DataFrame(model.gates(test.matrix()).astype(np.float32).round(4), columns=_FEATURES)
    return pd.concat([meta, gates], axis=1)


def ablation_table(model: LspinPredictor, test: Cohort) -> pd.DataFrame:
    """Effect on held-out cells of shutting each open gate alone.

    Returns
    -------
    DataFrame
        One row per cell and open gate: id, feature, gate (0 to 1), probability (of the predicted class, all gates
        unchanged), change (with this gate shut), becomes (the class then predicted).
    """
    x, gates = test.matrix(), model.gates(test.matrix())
    frames = []
    for row, cell in enumerate(test.column("id")):
        p = gate_ablation(model, x[row : row + 1], [str(test.column("species")[row])])
        winner, open_now = int(p[-1].argmax()), np.flatnonzero(gates[row] > 0)
        frames.append(
            pd.DataFrame(
                {
                    "id": cell,
                    "feature": [_FEATURES[k] for k in open_now],
                    "gate": gates[row, open_now].round(4),
                    "probability": round(float(p[-1, winner]), 5),
                    "change": (p[open_now, winner] - p[-1, winner]).round(5),
                    "becomes": [model.classes[k] for k in p[open_now].argmax(1)],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def explain_held_out(
    model: Predictor, test: Cohort, task: str, predicted: "pd.Series[str]", run: str
) -> dict[str, pd.DataFrame]:
    """Explanation tables of one fold.

    Parameters
    ----------
    model : Predictor
        Trained on the other folds.
    test : Cohort
        The fold's cells.
    task : str
        ``broad`` or ``subclass``.
    predicted : Series of str
        The predicted classes of these cells.
    run : str
        Name of the training run in ``stability``.

    Returns
    -------
    dict of str to DataFrame
        ``shap``, ``shap-groups`` and ``stability``; for LSPIN also ``gates``, ``gate-ablation`` and ``deletion``.
    """
    x, species = test.matrix(), test.column("species").tolist()
    explained = shap_values(model, x, species, pairs=1)
    groups = quantities()
    grouped = shap_values(model, x, species, pairs=1, groups=list(groups.values()))
    truth = test.column(task)
    tables = {
        "shap": shap_table(explained, test, model.classes, _FEATURES),
        "shap-groups": shap_table(grouped, test, model.classes, list(groups)),
        "stability": importances(model, test, truth, explained.values).assign(run=run),
    }
    if isinstance(model, LspinPredictor):
        tables["gates"] = gate_table(model, test, task, predicted)
        tables["gate-ablation"] = ablation_table(model, test)
        winner = np.array([model.classes.index(name) for name in predicted])
        towards = np.abs(explained.values[np.arange(len(x)), :, winner])
        curves = deletion_table(model, x, truth.astype(str), {"gates": model.gates(x), "SHAP": towards})
        tables["deletion"] = curves.assign(donor=test.column("donor")[curves["row"]])
    return tables
