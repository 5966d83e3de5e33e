"""The models that judge cells: DANN and LSPIN for any features, and the model of human subclasses.

A model that was chosen from the library takes the place of the shipped one of its task; the other task stays with the
shipped models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.classification.doubt import rows_of
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.config import MODELS_DIR
from neuroclass.errors import LibraryError
from neuroclass.evaluation.expected_accuracy import ExpectedAccuracy, stimuli_of
from neuroclass.features import features_of
from neuroclass.io.artifacts import load_artifact, load_human_subclass, load_model, stamp_of, weights_of
from neuroclass.io.feature_sets import checksum
from neuroclass.library.entry import SHIPPED, TASKS, ModelEntry
from neuroclass.predictors.cell_predictor import AnyPredictor, CellPredictor, GatedCellPredictor
from neuroclass.predictors.human_cells import HumanAwarePredictor, HumanCellPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.reports.store import ReportStore, report_of
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
    chosen : ModelEntry, optional
        Its entry in the library, if it was chosen there.
    """

    predictor: AnyPredictor
    network: Predictor
    subsets: ExpectedAccuracy = field(default_factory=ExpectedAccuracy)
    chosen: ModelEntry | None = None

    @property
    def name(self) -> str:
        """``dann``, ``lspin`` or ``human-subclass``; of a chosen model, what people call it."""
        return self.predictor.name

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
    """The trained models: DANN and LSPIN, and where there is one, the model of human subclasses.

    Attributes
    ----------
    dann, lspin : Model
        Of the broad class and of mouse subclasses: the shipped ones, or those chosen in their place.
    human : Model, optional
        Of human subclasses.
    """

    dann: Model
    lspin: Model
    human: Model | None = None

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of all that was loaded, by name: the networks, the feature sets' training cells and their cards."""
        found = {self._key(one): weights_of(one.network) for one in (self.dann, self.lspin, self.human) if one}
        if self.by_set is not None:
            library = self.by_set.models
            found |= {TRAINING: library.foundation.training, FEATURE_SETS: library.identity}
        return found

    @staticmethod
    def _key(one: Model) -> str:
        """A shipped model's name, or a chosen one's task: the same network judges otherwise when it judges alone."""
        return one.predictor.name if one.chosen is None else f"chosen {one.predictor.task}"

    @property
    def chosen(self) -> tuple[Model, ...]:
        """The models that were chosen from the library."""
        return tuple(one for one in (self.dann, self.lspin) if one.chosen is not None)

    @property
    def by_set(self) -> CellPredictor | None:
        """A predictor that knows how like the database's a recording is; None where both tasks' models do not."""
        found = (one.predictor for one in (self.dann, self.lspin))
        return next((one for one in found if isinstance(one, CellPredictor)), None)

    @property
    def named_on_command_line(self) -> tuple[str, ...]:
        """What ``--model`` names so that the same models judge."""
        return tuple(one.chosen.id for one in self.chosen if one.chosen)

    def fingerprint_parts(self) -> Any:
        """What answers depend on; the name of a chosen model is in them."""
        return [self.weights, [(one.predictor.task, one.chosen.id, one.name) for one in self.chosen if one.chosen]]

    @property
    def library(self) -> "FeatureSetLibrary | None":
        """Where the models of a set of features come from; None where single networks judge."""
        from neuroclass.training.library import FeatureSetLibrary

        found = None if self.by_set is None else self.by_set.models
        return found if isinstance(found, FeatureSetLibrary) else None

    @property
    def version(self) -> str:
        """The first digits of `weights`, for people, with the id of a chosen model."""
        ids = {self._key(one): f"{one.predictor.task} {one.chosen.id}" for one in self.chosen if one.chosen}
        parts = [(ids.get(key, key), digits) for key, digits in self.weights.items() if key != TRAINING]
        return " ".join(f"{key} {digits[:8]}" for key, digits in parts)

    def judges(self, cells: Sequence[MeasuredCell]) -> list[dict[str, str]]:
        """For each cell, the SHA-256 of the models that judge it: networks, and its feature set with its cells."""
        networks = {key: self.weights[key] for key in map(self._key, (self.dann, self.lspin))}
        human = {HUMAN_SUBCLASS.name: self.weights[HUMAN_SUBCLASS.name]} if self.human is not None else {}
        library = None if self.by_set is None else self.by_set.models
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

    def judged_by(self, species: str, judges: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """Name, id, system and SHA-256 of the model of each task that judges a cell, from its `judges`."""
        return {
            task: _named(one, judges) for task, one in zip(TASKS, (self.dann, self.of_subclass(species)), strict=True)
        }

    def named(self, name: str) -> Model:
        """The model of that name, as predictions carry it."""
        return next((one for one in (self.dann, self.human) if one is not None and one.name == name), self.lspin)

    def of_subclass(self, species: str) -> Model:
        """The model of a species' subclasses."""
        return self.human if self.human is not None and species == Species.HUMAN else self.lspin


def _named(one: Model, judges: Mapping[str, str]) -> dict[str, str]:
    system = one.predictor.name
    if one.chosen is not None:
        return {"name": one.name, "id": one.chosen.id, "system": one.chosen.system, "sha256": weights_of(one.network)}
    by_set = isinstance(one.predictor, CellPredictor) and system != HUMAN_SUBCLASS.name
    digest = judges.get(FEATURE_SET if by_set else system) or weights_of(one.network)
    return {"name": system, "id": SHIPPED, "system": system, "sha256": digest}


def with_chosen(models: Models, entries: Sequence[ModelEntry]) -> Models:
    """Put models of the library in the place of those of their tasks.

    Parameters
    ----------
    models : Models
        From `load_models`.
    entries : sequence of ModelEntry
        At most one a task; the shipped models' entry changes nothing.

    Returns
    -------
    Models

    Raises
    ------
    LibraryError
        If two are of the same task or name, or one cannot be used.
    ModelFileError
        If a model's files are missing or damaged.
    """
    chosen = [entry for entry in entries if not entry.shipped]
    for entry in chosen:
        if entry.trouble:
            raise LibraryError(f"The model {entry.name!r} cannot be used: {entry.trouble}. Choose another one.")
    if len({entry.task for entry in chosen}) < len(chosen) or len({entry.name for entry in chosen}) < len(chosen):
        names = " and ".join(repr(entry.name) for entry in chosen)
        raise LibraryError(f"{names} are of the same task or name; choose one model a task, under different names.")
    for entry in chosen:
        one = _loaded_entry(entry.folder, stamp_of(entry.folder))
        model = Model(replace(one.network, name=entry.name), one.network, one.subsets, entry)
        models = replace(models, **{"dann" if entry.task == DANN.task else "lspin": model})
    return models


@lru_cache(maxsize=8)
def _loaded_entry(folder: Path, stamp: str) -> Model:  # noqa: ARG001 (the key of the cache)
    import torch

    torch.set_num_threads(1)
    network = load_artifact(folder)
    report = ReportStore(network.name, folder)
    return Model(network, network, ExpectedAccuracy(report.feature_subsets()))


def load_models(folder: Path | None = None, chosen: Sequence[ModelEntry] = ()) -> Models:
    """Load DANN and LSPIN, the shipped ones by default; again where files on disk have changed.

    A folder with models of sets of features judges each cell by those of exactly its features; one without, such as
    that of a single training run, by the network alone. The networks are small: torch is set to one thread, as more
    only wait for each other where a machine is busy. Models of the library that are `chosen` take the place of those
    of their tasks; see `with_chosen`.

    Raises
    ------
    ModelFileError
        If a model's files are missing, damaged or made for other features.
    LibraryError
        If two chosen models are of one task.
    """
    models = _loaded(folder, stamp_of(folder or MODELS_DIR))
    return with_chosen(models, chosen) if chosen else models


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
