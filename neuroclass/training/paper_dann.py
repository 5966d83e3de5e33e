"""DANN by the paper's recipe: RMSprop on batches in table order, stopped early on validation cells.

References
----------
.. [1] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, 2023, and its public code's hyper-parameters.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.nets.paper_dann import PaperDann
from neuroclass.predictors.preprocess import PaperScaler
from neuroclass.training.batches import as_tensor
from neuroclass.types.arrays import Floats, Integers
from neuroclass.types.models import DANN

KERAS_RHO, KERAS_EPSILON = 0.9, 1e-7


@dataclass(frozen=True)
class PaperDannSettings:
    """Published hyper-parameters.

    Attributes
    ----------
    hidden : tuple of int
        Units of the extractor's layers.
    weight_penalty : float
        L2 of their weights and biases.
    reversal : float
        λ of the gradient reversal.
    learning_rate : float
        Of RMSprop, falling as 1 / (1 + step · rate / epochs).
    batch_cells, epochs, patience : int
        Cells a batch; most epochs; epochs without a lower validation loss before it stops.
    """

    hidden: tuple[int, ...] = (128, 64, 32)
    weight_penalty: float = 0.01236
    reversal: float = 0.88
    learning_rate: float = 0.006
    batch_cells: int = 64
    epochs: int = 2000
    patience: int = 30


@dataclass(frozen=True)
class PaperDannModel:
    """The trained network, with what SHAP values need.

    Attributes
    ----------
    net : PaperDann
        In evaluation mode.
    preprocessor : PaperScaler
        Fitted on the training cells.
    background : ndarray, shape (n_prototypes, 41)
        Standardised training cells.
    """

    net: PaperDann
    preprocessor: PaperScaler
    background: Floats
    name: str = "dann-paper"
    classes: tuple[str, ...] = TASK_CLASSES[DANN.task]

    @torch.inference_mode()
    def standardised_probabilities(self, z: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """Probabilities, shape (n_cells, 2), of standardised features; a missing one counts as the mean."""
        output = self.net(as_tensor(np.nan_to_num(z))[None])
        return np.asarray(output.label[0].softmax(-1).numpy(), dtype=np.float64)


def fit_paper_dann(
    x: Floats,
    truth: Integers,
    domains: Integers,
    held: tuple[Floats, Integers],
    settings: PaperDannSettings,
    seed: int,
) -> PaperDann:
    """Train the paper's network.

    Parameters
    ----------
    x : ndarray, shape (n_cells, n_features)
        Standardised features, in the order of the table.
    truth, domains : ndarray of int, shape (n_cells,)
        Class and species.
    held : tuple of ndarray
        Features and classes of the validation cells; training stops on their label loss.
    settings : PaperDannSettings
        The recipe.
    seed : int
        Of the initial weights.

    Returns
    -------
    PaperDann
        With the weights of the best epoch, in evaluation mode.
    """
    cells, labels, species = as_tensor(x), torch.as_tensor(truth), torch.as_tensor(domains)
    held_x, held_labels = as_tensor(held[0])[None], torch.as_tensor(held[1])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = PaperDann(x.shape[1], settings.hidden)
    optimiser = torch.optim.RMSprop(net.parameters(), lr=settings.learning_rate, alpha=KERAS_RHO, eps=KERAS_EPSILON)
    decay, step = settings.learning_rate / settings.epochs, 0
    best, best_loss, waited = copy.deepcopy(net.state_dict()), np.inf, 0
    for _ in range(settings.epochs):
        net.train()
        for start in range(0, len(cells), settings.batch_cells):
            rows = slice(start, start + settings.batch_cells)
            optimiser.param_groups[0]["lr"] = settings.learning_rate / (1 + decay * step)
            output = net(cells[rows][None], settings.reversal)
            loss = cross_entropy(output.label[0], labels[rows]) + cross_entropy(output.domain[0], species[rows])
            optimiser.zero_grad()
            (loss + settings.weight_penalty * net.penalty()).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            step += 1
        held_loss = _label_loss(net.eval(), held_x, held_labels)
        waited += 1
        if held_loss < best_loss:
            best, best_loss, waited = copy.deepcopy(net.state_dict()), held_loss, 0
        if waited >= settings.patience:
            break
    net.load_state_dict(best)
    return net.eval()


@torch.inference_mode()
def _label_loss(net: PaperDann, x: torch.Tensor, labels: torch.Tensor) -> float:
    return float(cross_entropy(net(x).label[0], labels))
