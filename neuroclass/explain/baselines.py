"""SHAP values of the baselines, each by the fastest exact explainer.

The random forest is explained by shap's interventional ``TreeExplainer``, linear models by its ``LinearExplainer``,
XGBoost by its own TreeSHAP, all others by the sampler of `neuroclass.explain.shap_values`. All are relative to
prototypes of the training cells, except XGBoost's, which are relative to the training cells in its trees' leaves
(shap's explainer cannot read the trees of the XGBoost in use).

References
----------
.. [1] Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import ExplanationError
from neuroclass.explain.shap_values import TOLERANCE, ShapValues, shap_values
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.baselines import FittedEstimator, fit_estimator
from neuroclass.training.crossfit import prototypes
from neuroclass.types.arrays import Floats

PROBABILITY, LOG_ODDS = "probability", "log-odds"
FOREST, BOOSTED, LINEAR, WALKS = "TreeExplainer", "TreeSHAP of XGBoost", "LinearExplainer", "walks"
EXPLAINERS: dict[str, tuple[str, str]] = {
    "rf": (FOREST, PROBABILITY),
    "xgboost": (BOOSTED, LOG_ODDS),
    "lasso": (LINEAR, LOG_ODDS),
    "lda": (LINEAR, LOG_ODDS),
    "svc": (WALKS, PROBABILITY),
    "gbdt": (WALKS, PROBABILITY),
    "ann": (WALKS, PROBABILITY),
    "ann-ensemble": (WALKS, PROBABILITY),
}


@dataclass(frozen=True)
class ExplainedEstimator:
    """A fitted baseline with prototypes of its training cells, as `shap_values` needs it."""

    name: str
    fitted: FittedEstimator
    background: Floats

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the probabilities."""
        return self.fitted.classes

    @property
    def preprocessor(self) -> Preprocessor:
        """Fitted on the training cells."""
        return self.fitted.preprocessor

    def standardised_probabilities(self, z: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """Probabilities, shape (n_cells, n_classes), of standardised features, NaN where missing."""
        found = self.fitted.estimator.predict_proba(self.preprocessor.complete(z)[0])
        result = np.zeros((len(z), len(self.classes)))
        result[:, np.asarray(self.fitted.estimator.classes_, dtype=np.int64)] = found
        return result


def fit_and_explain(name: str, train: Cohort, test: Cohort, task: str, seed: int = 0) -> pd.DataFrame:
    """Train a baseline and explain held-out cells.

    Parameters
    ----------
    name : str
        One of `EXPLAINERS`.
    train, test : Cohort
        Training cells and cells to explain.
    task : str
        ``broad`` or ``subclass``.
    seed : int
        Seed of the estimator.

    Returns
    -------
    DataFrame
        One row per cell and class: system, explainer, unit, id, species, class, base_value, error and the 41 features.

    Raises
    ------
    ExplanationError
        If base value plus SHAP values miss the output by more than `TOLERANCE`.
    """
    fitted = fit_estimator(name, train, task, seed)
    labelled = train.labelled(task)
    z_train, _ = fitted.preprocessor(labelled.matrix())
    model = ExplainedEstimator(name, fitted, prototypes(z_train, labelled.column("species"), seed))
    kind, unit = EXPLAINERS[name]
    if kind == FOREST:
        explained = _of_forest(model, test.matrix())
    elif kind == BOOSTED:
        explained = _of_boosted(model, test.matrix())
    elif kind == LINEAR:
        explained = _of_linear(model, test.matrix())
    else:
        explained = shap_values(model, test.matrix(), test.column("species").tolist(), pairs=1)
    if not explained.error.max() <= TOLERANCE:
        raise ExplanationError(
            f"SHAP values of {name} miss its output by {explained.error.max():.1e} ({unit}); at most {TOLERANCE:.0e} "
            "is expected. Leave this baseline out and report this."
        )
    frames = []
    for column, label in enumerate(model.classes):
        meta = test.frame[["id", "species"]].assign(
            system=name, explainer=kind, unit=unit, base_value=explained.base[:, column], error=explained.error
        )
        values = pd.DataFrame(explained.values[:, :, column].astype(np.float32).round(5), columns=list(FEATURE_NAMES))
        frames.append(pd.concat([meta.assign(**{"class": label}), values], axis=1))
    return pd.concat(frames, ignore_index=True)


def _checked(values: Floats, base: Floats, output: Floats) -> ShapValues:
    """Values (n_cells, 41, n_classes) with their base and their gap to the output."""
    whole = np.broadcast_to(base, output.shape).astype(np.float64)
    return ShapValues(values, whole, np.abs(whole + values.sum(1) - output).max(1))


def _both(values: Floats) -> Floats:
    """Values of both classes, given those of the second."""
    return np.stack([-values, values], axis=-1)


def _of_forest(model: ExplainedEstimator, x: Floats) -> ShapValues:
    import shap

    # shap compares in single precision, scikit-learn in double: keep values off the thresholds between cells.
    z, background = model.preprocessor(x)[0].round(5), model.background.round(5)
    explainer = shap.TreeExplainer(model.fitted.estimator, background, feature_perturbation="interventional")
    values = np.asarray(explainer.shap_values(z, check_additivity=False), dtype=np.float64)
    base = np.asarray(explainer.expected_value, dtype=np.float64)
    return _checked(values, base, model.fitted.estimator.predict_proba(z))


def _of_boosted(model: ExplainedEstimator, x: Floats) -> ShapValues:
    from xgboost import DMatrix

    z, _ = model.preprocessor(x)
    booster = model.fitted.estimator.get_booster()
    found = np.asarray(booster.predict(DMatrix(z), pred_contribs=True), dtype=np.float64)
    output = np.asarray(booster.predict(DMatrix(z), output_margin=True), dtype=np.float64)
    if found.ndim == 2:
        found, output = np.stack([-found, found], axis=1), np.stack([-output, output], axis=1)
    return _checked(found[:, :, :-1].transpose(0, 2, 1), found[0, :, -1], output)


def _of_linear(model: ExplainedEstimator, x: Floats) -> ShapValues:
    import shap

    estimator = model.fitted.estimator
    z, _ = model.preprocessor(x)
    parts = getattr(estimator, "estimators_", None) or [estimator]
    weights = np.concatenate([np.atleast_2d(part.coef_) for part in parts])
    offsets = np.concatenate([np.atleast_1d(part.intercept_) for part in parts])
    masker = shap.maskers.Independent(model.background, max_samples=len(model.background))
    columns, base = [], []
    for weight, offset in zip(weights, offsets, strict=True):
        explainer = shap.LinearExplainer((weight, offset), masker)
        columns.append(np.asarray(explainer.shap_values(z)))
        base.append(float(explainer.expected_value))
    values, output = np.stack(columns, axis=-1), z @ weights.T + offsets
    if len(weights) == 1:
        second = values[:, :, 0]
        return _checked(_both(second), np.array([-base[0], base[0]]), np.concatenate([-output, output], axis=1))
    return _checked(values, np.array(base), output)
