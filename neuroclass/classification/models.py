"""The models that judge cells: DANN and LSPIN for any features, and the model of human subclasses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.classification.doubt import rows_of
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.config import MODELS_DIR
from neuroclass.evaluation.expected_accuracy import ExpectedAccuracy, stimuli_of
from neuroclass.features import features_of
from neuroclass.io.artifacts import load_human_subclass, load_model, stamp_of, weights_of
from neuroclass.io.feature_sets import checksum
from neuroclass.predictors.cell_predictor import AnyPredictor, CellPredictor, GatedCellPredictor
from neuroclass.predictors.human_cells import HumanAwarePredictor, HumanCellPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.reports.store import report_of
from neuroclass.types.models import DANN, FEATURE_SETS, HUMAN_SUBCLASS, LSPIN

if TYPE_CHECKING:
    from neuroclass.training.library import FeatureSetLibrary

TRAINING = "training"
FEATURE_SET = "feature-set"


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes
    ----------
    predictor : CellPredictor or Predictor
        What judges cells: the models of exactly their features, or one network for all of them.
    network : Predictor
        The network trained on all features.
    subsets : ExpectedAccuracy
        The network's held-out accuracy for any set of features; used where it judges alone.
    """

    predictor: AnyPredictor
    network: Predictor
    subsets: ExpectedAccuracy = field(default_factory=ExpectedAccuracy)

    def expected(self, cells: Sequence[MeasuredCell]) -> list[dict[str, Any]]:
        """Accuracy to expect with each cell's features."""
        if isinstance(self.predictor, CellPredictor):
            found = self.predictor.expected_each(rows_of(cells), [cell.species for cell in cells])
            return [_with_stimuli(one, frozenset(cell.features)) for one, cell in zip(found, cells, strict=True)]
        known = cache(self.subsets)
        return [dict(known(frozenset(cell.features), cell.species)) for cell in cells]

    def next_sweeps(
        self, cells: Sequence[MeasuredCell], expected: Sequence[Mapping[str, Any]]
    ) -> list[Mapping[str, Any] | None]:
        """The stimulus that would raise each cell's expected accuracy most; None where none does."""
        if not isinstance(self.predictor, CellPredictor):
            known = cache(self.subsets.next_sweep)
            return [known(frozenset(cell.features), cell.species) for cell in cells]
        result: list[Mapping[str, Any] | None] = [None] * len(cells)
        rows = [row for row, found in enumerate(expected) if found.get("probability_home") is not None]
        if rows:
            x, species = rows_of([cells[row] for row in rows]), [cells[row].species for row in rows]
            best = self.predictor.next_stimuli(x, species, [expected[row]["probability_home"] for row in rows])
            for row, found in zip(rows, best, strict=True):
                result[row] = found
        return result


def _with_stimuli(expected: dict[str, Any], features: frozenset[str]) -> dict[str, Any]:
    """Expected accuracy with the names of the stimuli, where the features are all those of some stimuli."""
    stimuli = _whole_stimuli(features)
    return expected | ({"stimuli": list(stimuli)} if expected and stimuli is not None else {})


@lru_cache(maxsize=4096)
def _whole_stimuli(features: frozenset[str]) -> tuple[str, ...] | None:
    stimuli = stimuli_of(features)
    whole = features == {name for stimulus in stimuli for name in features_of(stimulus)}
    return tuple(sorted(stimulus.value for stimulus in stimuli)) if whole else None


@dataclass(frozen=True)
class Models:
    """The trained models: DANN and LSPIN, and where there is one, the model of human subclasses."""

    dann: Model
    lspin: Model
    human: Model | None = None

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of all that was loaded, by name: the networks, the feature sets' training cells and their cards."""
        networks = {DANN.name: self.dann, LSPIN.name: self.lspin, HUMAN_SUBCLASS.name: self.human}
        found = {name: weights_of(one.network) for name, one in networks.items() if one is not None}
        if isinstance(self.dann.predictor, CellPredictor):
            library = self.dann.predictor.models
            found |= {TRAINING: library.foundation.training, FEATURE_SETS: library.identity}
        return found

    def fingerprint_parts(self) -> Mapping[str, str]:
        """What answers depend on."""
        return self.weights

    @property
    def library(self) -> "FeatureSetLibrary | None":
        """Where the models of a set of features come from; None where single networks judge."""
        from neuroclass.training.library import FeatureSetLibrary

        found = self.dann.predictor.models if isinstance(self.dann.predictor, CellPredictor) else None
        return found if isinstance(found, FeatureSetLibrary) else None

    @property
    def version(self) -> str:
        """The first digits of `weights`, for people."""
        return " ".join(f"{name} {digits[:8]}" for name, digits in self.weights.items() if name != TRAINING)

    def judges(self, cells: Sequence[MeasuredCell]) -> list[dict[str, str]]:
        """For each cell, the SHA-256 of the models that judge it: networks, and its feature set with its cells."""
        networks = {name: self.weights[name] for name in (DANN.name, LSPIN.name)}
        human = {HUMAN_SUBCLASS.name: self.weights[HUMAN_SUBCLASS.name]} if self.human is not None else {}
        library = self.dann.predictor.models if isinstance(self.dann.predictor, CellPredictor) else None
        sets: dict[bytes, dict[str, str]] = {}
        found = []
        for cell in cells:
            present = np.isfinite(cell.row())
            pattern = present.tobytes()
            if library is not None and pattern not in sets and present.any():
                model = library.model_for(present)
                sets[pattern] = {TRAINING: model.foundation.training, FEATURE_SET: checksum(model)}
            own = human if cell.species == Species.HUMAN else {}
            found.append({**networks, **own, **sets.get(pattern, {})})
        return found

    def named(self, name: str) -> Model:
        """The model of that name."""
        if self.human is not None and name == HUMAN_SUBCLASS.name:
            return self.human
        return self.dann if name == DANN.name else self.lspin

    def of_subclass(self, species: str) -> Model:
        """The model of a species' subclasses."""
        return self.human if self.human is not None and species == Species.HUMAN else self.lspin


def load_models(folder: Path | None = None) -> Models:
    """Load DANN and LSPIN, the shipped ones by default; again where files on disk have changed.

    A folder with models of sets of features judges each cell by those of exactly its features; one without, such as
    that of a single training run, by the network alone. The networks are small: torch is set to one thread, as more
    only wait for each other where a machine is busy.

    Raises
    ------
    ModelFileError
        If a model's files are missing, damaged or made for other features.
    """
    return _loaded(folder, stamp_of(folder or MODELS_DIR))


@lru_cache(maxsize=2)
def _loaded(folder: Path | None, stamp: str) -> Models:  # noqa: ARG001 (the key of the cache)
    import torch

    from neuroclass.training.library import feature_set_library

    torch.set_num_threads(1)
    networks = {spec.name: load_model(spec.name, folder) for spec in (DANN, LSPIN)}
    if not ((folder or MODELS_DIR) / FEATURE_SETS).is_dir():
        subsets = {name: ExpectedAccuracy(report_of(name, folder).feature_subsets()) for name in networks}
        return Models(*(Model(network, network, subsets[name]) for name, network in networks.items()))
    library = feature_set_library(folder)
    dann: CellPredictor = CellPredictor(DANN, library, networks[DANN.name].card)
    human = None
    if ((folder or MODELS_DIR) / HUMAN_SUBCLASS.name).is_dir():
        network = load_human_subclass(folder)
        dann = HumanAwarePredictor(DANN, library, networks[DANN.name].card, network)
        judge = HumanCellPredictor(HUMAN_SUBCLASS, library, network.card, network)
        human = Model(judge, network)
    lspin = GatedCellPredictor(LSPIN, library, networks[LSPIN.name].card)
    return Models(
        Model(dann, networks[DANN.name]),
        Model(lspin, networks[LSPIN.name]),
        human,
    )
