"""What is noted of each epoch: how training cells and donors that do not train are classified, gates, embedding."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.linalg import orthogonal_procrustes
from sklearn.metrics import f1_score
from torch import Tensor, nn

from neuroclass.errors import ModelFileError
from neuroclass.io.checkpoints import read_arrays, write_arrays
from neuroclass.training.batches import as_tensor
from neuroclass.training.snapshots import snapshot_epochs, snapshot_file
from neuroclass.training.watch import Observe, Watch
from neuroclass.types.arrays import Floats, Integers, Mask

N_SNAPSHOTS = 15
"""So many gates and embeddings are kept of one training, evenly over its epochs."""
N_CELLS = 120
"""Of so many cells, evenly over the classes."""
_TINY = 1e-9


class Outputs(NamedTuple):
    """What a net says of cells in evaluation mode.

    Attributes
    ----------
    logits : Tensor, shape (n_members, n_cells, n_classes)
        Of the classes.
    points : Tensor, shape (n_cells, n_dimensions)
        From which the embedding is made.
    gates : Tensor, shape (n_cells, 41), or None
        0 shut to 1 open.
    domains : Tensor, shape (n_members, n_cells, n_domains), or None
        Logits of the domains.
    """

    logits: Tensor
    points: Tensor
    gates: Tensor | None = None
    domains: Tensor | None = None


Run = Callable[[nn.Module, Tensor, Tensor], Outputs]
"""(net, completed features, 1 where measured), both of shape (n_cells, 41)."""


@dataclass(frozen=True)
class ObservedCells:
    """Cells whose classification is followed.

    Attributes
    ----------
    ids : ndarray of str, shape (n_cells,)
        Names.
    z, present : ndarray, shape (n_cells, 41)
        Standardised, completed features; which were measured.
    truth : ndarray of int, shape (n_cells,)
        Position of the class; −1 where unknown.
    domains : ndarray of int, shape (n_cells,)
        Position of the domain; −1 where no training cell is of it.
    """

    ids: npt.NDArray[np.object_]
    z: Floats
    present: Mask
    truth: Integers
    domains: Integers

    def take(self, rows: npt.NDArray[np.generic]) -> "ObservedCells":
        """Some of the cells."""
        return ObservedCells(self.ids[rows], self.z[rows], self.present[rows], self.truth[rows], self.domains[rows])


def observer(
    run: Run, classes: tuple[str, ...], training: ObservedCells, validation: ObservedCells | None, watch: Watch,
    n_epochs: int,
) -> Observe:  # fmt: skip
    """What `run_training` calls after each epoch.

    Parameters
    ----------
    run : callable
        Runs the net.
    classes : tuple of str
        In the order of the logits.
    training, validation : ObservedCells
        Cells that train, and cells of other donors.
    watch : Watch
        Its `snapshots`.
    n_epochs : int
        Of the whole training.

    Returns
    -------
    callable
        Its quantities: accuracy and macro F1 of training and validation cells, cross-entropy of the latter (nats,
        mean over the members), open gates per cell, and the accuracy of the domain head beside the share of the largest
        domain; the last two on validation cells where there are any.
    """
    shown = training if validation is None else validation
    few = shown.take(evenly(shown.truth))
    every = max(1, n_epochs // N_SNAPSHOTS)

    @torch.inference_mode()
    def observe(net: nn.Module, epoch: int, last: bool) -> dict[str, float]:
        values, outputs = _quality("training", run, net, training)
        if validation is not None:
            more, outputs = _quality("validation", run, net, validation)
            values |= more
        if outputs.gates is not None:
            values["open_gates"] = float((outputs.gates > 0).sum(1).float().mean())
        if outputs.domains is not None:
            guess = outputs.domains.softmax(-1).mean(0).argmax(1).numpy()
            known = shown.domains >= 0
            values["domain_accuracy"] = float((guess == shown.domains)[known].mean())
            values["domain_chance"] = float(np.bincount(shown.domains[known]).max() / known.sum())
        if watch.snapshots is not None and (last or epoch % every == 0 or epoch == 1):
            write_snapshot(watch.snapshots, epoch, few, _ran(run, net, few), classes)
        return values

    return observe


def _ran(run: Run, net: nn.Module, cells: ObservedCells) -> Outputs:
    return run(net, as_tensor(cells.z), as_tensor(cells.present))


def _quality(name: str, run: Run, net: nn.Module, cells: ObservedCells) -> tuple[dict[str, float], Outputs]:
    outputs = _ran(run, net, cells)
    known = cells.truth >= 0
    truth = cells.truth[known]
    logits = outputs.logits[:, torch.as_tensor(known)]
    guess = logits.softmax(-1).mean(0).argmax(1).numpy()
    values = {
        f"{name}_accuracy": float((guess == truth).mean()),
        f"{name}_macro_f1": float(f1_score(truth, guess, labels=np.unique(truth), average="macro", zero_division=0)),
    }
    if name == "validation":
        chosen = logits.log_softmax(-1)[:, torch.arange(len(truth)), torch.as_tensor(truth)]
        values["validation_label"] = float(-chosen.mean())
    return values, outputs


def evenly(truth: Integers, n_cells: int = N_CELLS) -> Integers:
    """Rows of at most so many cells, the same number of each class where it has as many, classes in order."""
    names = [k for k in np.unique(truth) if k >= 0]
    each = max(1, n_cells // max(1, len(names)))
    rows = [np.flatnonzero(truth == k) for k in names]
    drawn = [one[np.unique(np.linspace(0, len(one) - 1, min(each, len(one))).astype(int))] for one in rows]
    return np.concatenate(drawn) if drawn else np.arange(0)


def plane(points: Floats, like: Floats | None = None) -> Floats:
    """First two principal components, shape (n_cells, 2), turned to lie as an earlier plane of the same cells does."""
    centred = points - points.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    flat = np.zeros((len(points), 2))
    flat[:, : min(2, len(s))] = (u * s)[:, :2]
    flat /= max(float(flat.std()), _TINY)
    if like is None or like.shape != flat.shape:
        return flat
    return np.asarray(flat @ orthogonal_procrustes(flat, like)[0])


def write_snapshot(folder: Path, epoch: int, cells: ObservedCells, outputs: Outputs, classes: tuple[str, ...]) -> None:
    """Keep gates and embedding of a few cells, by name."""
    like = None
    earlier = [one for one in snapshot_epochs(folder) if one < epoch]
    if earlier:
        try:
            like = np.asarray(read_arrays(snapshot_file(folder, earlier[-1]))[0]["points"], dtype=np.float64)
        except (ModelFileError, KeyError):
            like = None
    arrays = {"points": plane(outputs.points.double().numpy(), like).astype(np.float32)}
    if outputs.gates is not None:
        arrays["gates"] = outputs.gates.numpy().astype(np.float16)
    guess = outputs.logits.softmax(-1).mean(0).argmax(1).numpy()
    facts = {
        "epoch": epoch,
        "cells": [str(one) for one in cells.ids],
        "truth": [classes[k] for k in cells.truth],
        "predicted": [classes[k] for k in guess],
    }
    write_arrays(snapshot_file(folder, epoch), arrays, facts)
