"""Fit DANN and LSPIN to exactly the features at hand, in seconds.

Four networks, each an ensemble whose members leave one donor group out: LSPIN on mouse cells and DANN on both
species, in each of two voices (`neuroclass.predictors.voices`). The inputs of a network are multiplied by
(Σ + .1 I)^−½ while it trains; afterwards that matrix is folded into its first layers. In the away voice every cell is
shifted as another laboratory may shift it, half of the cells are drawn from the class normals, and classes are equally
likely. What the members say of the donors they have not seen, as they are and as three simulated laboratories each
measure them, gives the temperatures, the limits of the prediction sets and the accuracy to expect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.optim.lr_scheduler import OneCycleLR

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.nets.dann import Dann
from neuroclass.nets.gradient_reversal import reversal_schedule
from neuroclass.nets.lspin import Lspin
from neuroclass.nets.members import MemberLinear
from neuroclass.nets.stochastic_gates import expected_open, gate_values
from neuroclass.predictors.foundation import SPECIES
from neuroclass.predictors.lab_shifts import standardised_shifts
from neuroclass.predictors.preprocess import CLIP
from neuroclass.predictors.voices import AWAY, BROAD, HOME, REMEASURED, SUBCLASS
from neuroclass.training.training_table import N_FOLDS, TrainingTable
from neuroclass.types.arrays import Floats, Integers

_WHITENING_RIDGE = 0.1
_CELLS_A_STEP = 256
_RATE = 0.01
_DRAWN = 0.5
_CONSENSUS = 0.25
_FEW_FEATURES = 12
_AGREEMENT = 0.02
_AGREEING_CELLS = 64
_REVERSAL = 0.1
_GATE_PENALTIES = ((12, 0.005), (41, 0.012))


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Attributes
    ----------
    members_a_fold : int
        Networks that leave the same donor group out.
    steps : int
        Of the optimiser.
    smoothing : float
        Label smoothing.
    architecture : dict
        Of the network, without its inputs and outputs.
    """

    members_a_fold: int
    steps: int
    smoothing: float
    architecture: dict[str, Any]


RECIPES: dict[tuple[str, str], Recipe] = {
    (SUBCLASS, HOME): Recipe(2, 400, 0.05, {"gating": [32], "prediction": [64, 32], "activation": "relu"}),
    (SUBCLASS, AWAY): Recipe(1, 300, 0.1, {"gating": [32], "prediction": [64], "activation": "tanh"}),
    (BROAD, HOME): Recipe(2, 300, 0.05, {"hidden": [64, 32]}),
    (BROAD, AWAY): Recipe(1, 300, 0.1, {"hidden": [64, 32]}),
}


def gate_penalty(task: str, voice: str, n_features: int) -> float:
    """λ₁ of LSPIN: larger where there are more features to choose from, so that about ten gates stay open."""
    if task == BROAD:
        return 0.0
    return 0.01 if voice == AWAY else next(penalty for most, penalty in _GATE_PENALTIES if n_features <= most)


class CellSource:
    """Draws batches for one voice, each member's from the donors it may see.

    Parameters
    ----------
    table : TrainingTable
        All cells.
    columns : ndarray of int
        Features of the set.
    task, voice : str
        For which network.
    members_a_fold : int
        See `Recipe`.
    rng : Generator
        Source of chance.
    """

    def __init__(
        self, table: TrainingTable, columns: Integers, task: str, voice: str, members_a_fold: int,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self._z = table.z[:, columns]
        self._truth, self._away, self._rng = table.truth[task], voice == AWAY, rng
        self._domain = (table.species != SPECIES[0]).astype(np.int64)
        self._columns = columns
        usable = self._truth >= 0
        self.folds = np.arange(N_FOLDS * members_a_fold) % N_FOLDS
        self._rows = [np.flatnonzero(usable & (table.folds != fold)) for fold in self.folds]
        self._shifts = standardised_shifts(table.foundation.preprocessor)[:, columns]
        self._remeasured = REMEASURED[columns]
        self._components = _components(table, task, columns, self.folds) if self._away else []

    def draw(self, n_cells: int) -> tuple[Tensor, Tensor, Tensor]:
        """Features (n_members, n_cells, n_features), classes and domains (n_members, n_cells)."""
        if not self._away:
            rows = np.stack([self._rng.choice(seen, n_cells) for seen in self._rows])
            return _as_batch(self._z[rows], self._truth[rows], self._domain[rows])
        drawn = [self._elsewhere(member, n_cells) for member in range(len(self.folds))]
        x, truth, domain = (np.stack(part) for part in zip(*drawn, strict=True))
        return _as_batch(self.shifted(x), truth, domain)

    def shifted(self, x: Floats) -> Floats:
        """The cells as other laboratories would measure them, each as a laboratory of its own."""
        other = (self._rng.random(x.shape) < self._remeasured) * self._rng.standard_normal(x.shape)
        return np.clip(self.offset(x) + other, -CLIP, CLIP)

    def offset(self, x: Floats) -> Floats:
        """The cells, each moved by the offset of a laboratory of its own."""
        return np.asarray(x + self._rng.standard_normal((*x.shape[:-1], len(self._shifts))) @ self._shifts)

    def _elsewhere(self, member: int, n_cells: int) -> tuple[Floats, Integers, Integers]:
        parts = self._components[member]
        which = self._rng.choice(len(parts), n_cells, p=[part.share for part in parts])
        x = np.empty((n_cells, self._z.shape[1]))
        for number, part in enumerate(parts):
            places = np.flatnonzero(which == number)
            drawn = self._rng.random(len(places)) < _DRAWN
            x[places[~drawn]] = self._z[self._rng.choice(part.rows, int((~drawn).sum()))]
            noise = self._rng.standard_normal((int(drawn.sum()), x.shape[1]))
            x[places[drawn]] = part.mean + noise @ part.root.T
        return x, np.array([part.truth for part in parts])[which], np.array([part.domain for part in parts])[which]


@dataclass(frozen=True)
class _Component:
    """Cells of one class of one species, and their normal."""

    rows: Integers
    mean: Floats
    root: Floats
    truth: int
    domain: int
    share: float


def _components(table: TrainingTable, task: str, columns: Integers, folds: Integers) -> list[list[_Component]]:
    """For each member, the components of the task with equally likely classes (of each species)."""
    result = []
    for fold in folds:
        parts = []
        for domain, species in enumerate(SPECIES if task == BROAD else SPECIES[:1]):
            shapes = table.fold_shapes[fold][species].only(columns)
            component = table.components(species)
            for k in range(len(shapes.means)):
                rows = np.flatnonzero((component == k) & (table.folds != fold))
                truth = int(table.truth[task][rows[0]])
                root = np.linalg.cholesky(shapes.covariances[k])
                parts.append((rows, shapes.means[k], root, truth, domain))
        groups = [(truth, domain) for *_, truth, domain in parts]
        shares = [1 / len(set(groups)) / groups.count(group) for group in groups]
        result.append([_Component(*part, share) for part, share in zip(parts, shares, strict=True)])
    return result


def _as_batch(x: Floats, truth: Integers, domain: Integers) -> tuple[Tensor, Tensor, Tensor]:
    return torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(truth), torch.as_tensor(domain)


class _Whitened(nn.Module):
    """A network on inputs multiplied by (Σ + .1 I)^−½; the gates act on the features themselves."""

    root: Tensor

    def __init__(self, net: Lspin | Dann, root: Floats) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("root", torch.as_tensor(root, dtype=torch.float32))

    def fold(self) -> Lspin | Dann:
        """The same network on the features themselves, rounded to half precision as it is stored."""
        stacks = (self.net.gating, self.net.prediction) if isinstance(self.net, Lspin) else (self.net.extractor,)
        with torch.no_grad():
            for stack in stacks:
                layer = next(stack.children())
                assert isinstance(layer, MemberLinear)
                layer.weight.copy_(self.root @ layer.weight)
            for value in self.net.state_dict().values():
                value.copy_(value.half().float())
        return self.net.eval()


def whitening(z: Floats) -> Floats:
    """(Σ + .1 I)^−½ of cells, shape (n_features, n_features)."""
    covariance = np.atleast_2d(np.cov(z.T)) + _WHITENING_RIDGE * np.eye(z.shape[1])
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * values**-0.5 @ vectors.T)


def _lspin_loss(model: _Whitened, penalty: float, smoothing: float) -> Callable[..., Tensor]:
    net = model.net
    assert isinstance(net, Lspin)

    def loss(x: Tensor, truth: Tensor, _: Tensor, done: float) -> Tensor:
        alpha = net.gating(x @ model.root)
        gates = gate_values(alpha, torch.randn_like(alpha))
        label = _cross_entropy(net.prediction((x * gates) @ model.root), truth, smoothing)
        n_open = expected_open(alpha).sum(-1).mean()
        same_cells = x[:1, :_AGREEING_CELLS].expand(len(x), -1, -1)
        shared = gate_values(net.gating(same_cells @ model.root))
        spread = ((shared - shared.mean(0)) ** 2).sum(-1).mean()
        return label + penalty * min(1.0, 2 * done) * n_open + _AGREEMENT * spread

    return loss


def _dann_loss(model: _Whitened, smoothing: float) -> Callable[..., Tensor]:
    def loss(x: Tensor, truth: Tensor, domain: Tensor, done: float) -> Tensor:
        output = model.net(x @ model.root, reversal_schedule(done, _REVERSAL))
        cell = truth + 2 * domain
        counts = one_hot(cell, 4).sum((0, 1)).clamp_min(1).to(x.dtype)
        weights = (1 / counts)[cell]
        entropy = nn.functional.cross_entropy(output.domain.flatten(0, 1), domain.flatten(), reduction="none")
        adversary = (weights.flatten() * entropy).sum() / weights.sum()
        return _cross_entropy(output.label, truth, smoothing) + adversary

    return loss


def _cross_entropy(logits: Tensor, truth: Tensor, smoothing: float) -> Tensor:
    return nn.functional.cross_entropy(logits.flatten(0, 1), truth.flatten(), label_smoothing=smoothing)


def train_network(
    table: TrainingTable, columns: Integers, task: str, voice: str, seed: int
) -> tuple[Lspin | Dann, dict[str, Any], CellSource]:
    """Train one ensemble; its network, the arguments that rebuild it, and the source of its cells."""
    recipe = RECIPES[task, voice]
    rng = np.random.default_rng([seed, len(columns), *columns.tolist()])
    source = CellSource(table, columns, task, voice, recipe.members_a_fold, rng)
    architecture: dict[str, Any] = {"n_members": len(source.folds), "n_classes": len(TASK_CLASSES[task])}
    architecture |= recipe.architecture
    usable = table.truth[task] >= 0
    with torch.random.fork_rng():
        torch.manual_seed(int(rng.integers(2**31)))
        net: Lspin | Dann
        if task == SUBCLASS:
            architecture |= {"n_features": len(columns), "consensus": _CONSENSUS * (len(columns) > _FEW_FEATURES)}
            net = Lspin(**architecture)
        else:
            architecture |= {"n_inputs": len(columns), "n_domains": len(SPECIES)}
            net = Dann(**architecture)
        model = _Whitened(net, whitening(table.z[usable][:, columns]))
        penalty = gate_penalty(task, voice, len(columns))
        loss = (
            _lspin_loss(model, penalty, recipe.smoothing) if task == SUBCLASS else _dann_loss(model, recipe.smoothing)
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=_RATE)
        schedule = OneCycleLR(optimiser, _RATE, total_steps=recipe.steps, pct_start=0.2)
        model.train()
        for step in range(recipe.steps):
            value = loss(*source.draw(_CELLS_A_STEP), step / recipe.steps)
            optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return model.fold(), architecture, source
