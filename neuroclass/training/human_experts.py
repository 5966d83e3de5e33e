"""Fit the kernel experts of the human subclass model.

An expert, kernel or trees, sees a linear map of the standardised features of its stimuli: the features themselves,
differences of potentials (which an offset of all potentials leaves as they are), and the directions that discriminate
the mouse subclasses. Neither sees a constant offset, so what the two species differ by on average plays no part.
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import HumanSubclassSettings
from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus
from neuroclass.nets.kernel_experts import KernelExperts, random_features
from neuroclass.predictors.human_subclass import COMBINATIONS, STIMULI, recorded
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers, Mask

_SPIKE_PAIRS = (
    ("peak_v", "threshold_v"),
    ("fast_trough_v", "threshold_v"),
    ("trough_v", "threshold_v"),
    ("trough_v", "fast_trough_v"),
)
_PLACE = {name: place for place, name in enumerate(FEATURE_NAMES)}
_ABSENT = -10.0
_LEAST_MOUSE = 50


def _pairs() -> list[tuple[str, str]]:
    """Pairs of potentials whose differences the experts see."""
    pairs = [("vm_for_sag", "vrest")]
    for stimulus in STIMULI:
        pairs += [(f"{a}_{stimulus.value}", f"{b}_{stimulus.value}") for a, b in _SPIKE_PAIRS]
        pairs.append((f"threshold_v_{stimulus.value}", "vrest"))
    for quantity in ("peak_v", "threshold_v"):
        for stimulus in STIMULI[1:]:
            pairs.append((f"{quantity}_{stimulus.value}", f"{quantity}_{Stimulus.LONG_SQUARE.value}"))
    return pairs


def differences(columns: Mask, scale: Floats) -> Floats:
    """Differences of potentials among some features, as weights of standardised features, shape (n, n_columns)."""
    rows = []
    for a, b in _pairs():
        if columns[_PLACE[a]] and columns[_PLACE[b]]:
            row = np.zeros(len(columns))
            row[_PLACE[a]], row[_PLACE[b]] = scale[_PLACE[a]], -scale[_PLACE[b]]
            rows.append(row[columns])
    return np.array(rows).reshape(-1, int(columns.sum()))


def mouse_directions(mouse: Cohort, columns: Mask, scale: Floats) -> Floats:
    """Coefficients of the mouse subclasses' linear discriminants, as weights of human standardised features.

    Parameters
    ----------
    mouse : Cohort
        Mouse cells with a ``subclass``.
    columns : ndarray of bool, shape (41,)
        The features to use.
    scale : ndarray, shape (41,)
        Of the human cells' preprocessor.

    Returns
    -------
    ndarray, shape (n_classes, n_columns)
        No row where there are too few mouse cells.
    """
    if len(mouse) < _LEAST_MOUSE:
        return np.zeros((0, int(columns.sum())))
    own = Preprocessor.fit(mouse.matrix())
    z = own(mouse.matrix())[0][:, columns]
    truth = class_numbers(mouse, "subclass", SUBCLASS_ORDER)
    fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(z, truth)
    return np.asarray(fitted.coef_ * (scale / own.scale)[columns])


def expert_inputs(columns: Mask, preprocessor: Preprocessor, mouse: Cohort) -> Floats:
    """Linear map A of an expert's features, each row of unit variance, shape (n_inputs, n_columns)."""
    rows = np.concatenate(
        [differences(columns, preprocessor.scale), mouse_directions(mouse, columns, preprocessor.scale)]
    )
    within = preprocessor.covariance[np.ix_(columns, columns)]
    sd = np.sqrt(np.einsum("ij,jk,ik->i", rows, within, rows))
    return np.concatenate([np.eye(int(columns.sum())), rows / np.maximum(sd, 1e-9)[:, None]])


def orthogonal_waves(n_inputs: int, n_waves: int, width: float, rng: np.random.Generator) -> Floats:
    """Waves of a normal distribution with standard deviation 1 / `width`, orthogonal in blocks; (n_inputs, n_waves)."""
    blocks = []
    for _ in range(-(-n_waves // n_inputs)):
        turned = np.linalg.qr(rng.normal(size=(n_inputs, n_inputs)))[0]
        blocks.append(turned * np.sqrt(rng.chisquare(n_inputs, size=n_inputs)))
    return np.concatenate(blocks, axis=1)[:, :n_waves] / width


def class_weights(truth: Integers, balance: float) -> Floats:
    """Weights of cells ∝ (number of cells of their class)^−balance, mean 1, shape (n_cells,)."""
    weights = np.bincount(truth).astype(np.float64)[truth] ** -balance
    return np.asarray(weights / weights.mean())


@dataclass(frozen=True)
class ExpertCells:
    """What an expert sees.

    Attributes
    ----------
    columns : ndarray of bool, shape (n_features,)
        Its features among those that the model uses.
    inputs : ndarray, shape (n_inputs, n_columns)
        From `expert_inputs`.
    cells : ndarray of bool, shape (n_cells,)
        The training cells with all of its stimuli.
    """

    columns: Mask
    inputs: Floats
    cells: Mask


def expert_cells(present: Mask, preprocessor: Preprocessor, mouse: Cohort) -> list[ExpertCells]:
    """What each expert of `COMBINATIONS` sees, from the features measured of each training cell, (n_cells, 41)."""
    used = np.isfinite(preprocessor.mean)
    has = recorded(present, used) & present[:, used].any(1, keepdims=True)
    found = []
    for stimuli in COMBINATIONS:
        columns = used & np.array([spec.stimulus in stimuli for spec in FEATURES])
        cells = has[:, [STIMULI.index(stimulus) for stimulus in stimuli]].all(1)
        found.append(ExpertCells(columns[used], expert_inputs(columns, preprocessor, mouse), cells))
    return found


def fit_experts(
    z: Floats,
    truth: Integers,
    held_by: Mask,
    every: list[ExpertCells],
    settings: HumanSubclassSettings,
    n_classes: int,
) -> KernelExperts:
    """Fit all experts.

    Parameters
    ----------
    z : ndarray, shape (n_cells, n_features)
        Standardised, completed features that the model uses.
    truth : ndarray of int, shape (n_cells,)
        Position of each cell's class.
    held_by : ndarray of bool, shape (n_members, n_cells)
        Which member may not see which cell.
    every : list of ExpertCells
        Inputs and cells of each expert.
    settings : HumanSubclassSettings
        Waves, kernel, penalty.
    n_classes : int
        Number of classes.

    Returns
    -------
    KernelExperts
        Of the used features, one expert for each of `COMBINATIONS`. A class without a cell with the expert's stimuli
        has probability e⁻¹⁰ or less.
    """
    rng = np.random.default_rng(settings.seed)
    experts = KernelExperts(len(every), len(held_by), z.shape[1], settings.n_waves, n_classes)
    weights = class_weights(truth, settings.balance)
    for number, expert in enumerate(every):
        width = settings.bandwidth * np.sqrt(len(expert.inputs))
        for member, held in enumerate(held_by):
            waves = np.zeros((z.shape[1], settings.n_waves))
            drawn = orthogonal_waves(len(expert.inputs), settings.n_waves, width, rng)
            waves[expert.columns] = expert.inputs.T @ drawn
            experts.waves[number, member] = torch.as_tensor(waves, dtype=torch.float32)
            rows = np.flatnonzero(expert.cells & ~held)
            phi = _features(z[rows], waves)
            fitted = LogisticRegression(C=settings.penalty, max_iter=1000, tol=1e-4)
            fitted.fit(phi, truth[rows], sample_weight=weights[rows] / weights[rows].mean())
            _store(experts, number, member, fitted)
    return experts


def _features(z: Floats, waves: Floats) -> Floats:
    return np.asarray(random_features(torch.as_tensor(z), torch.as_tensor(waves)[None])[0].numpy())


def _store(experts: KernelExperts, number: int, member: int, fitted: LogisticRegression) -> None:
    found = np.asarray(fitted.classes_, dtype=np.int64)
    weight, bias = fitted.coef_, fitted.intercept_
    if len(found) == 2:  # scikit-learn then gives one row, the second class against the first
        weight, bias = np.concatenate([0 * weight, weight]), np.concatenate([0 * bias, bias])
    experts.bias[number, member] = _ABSENT
    experts.weight[number, member][:, found] = torch.as_tensor(weight.T, dtype=torch.float32)
    experts.bias[number, member][:, found] = torch.as_tensor(bias, dtype=torch.float32)
