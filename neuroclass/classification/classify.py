"""Classify inputs: the operations that pages and command line share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass.cell_types import HUMAN_SUBCLASS_ORDER, HumanSubclass, Species
from neuroclass.classification import doubt
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import Answer, CellVerdict, Prediction, Reason
from neuroclass.config import MODELS_DIR
from neuroclass.errors import RejectedInput
from neuroclass.evaluation.expected_accuracy import ExpectedAccuracy, stimuli_of
from neuroclass.features import FEATURE_NAMES, features_of
from neuroclass.io.artifacts import load_human_subclass, load_model, stamp_of, weights_of
from neuroclass.io.feature_sets import checksum
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.cell_predictor import AnyPredictor, CellPredictor, GatedCellPredictor, JointPredictor
from neuroclass.predictors.human_cells import HumanAwarePredictor, HumanCellPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.predictors.priors import Prior, kept_share, reweight
from neuroclass.reference.ranges import percentile
from neuroclass.reports.store import report_of
from neuroclass.types.arrays import Floats
from neuroclass.types.models import DANN, FEATURE_SETS, HUMAN_SUBCLASS, LSPIN

N_REASONS = 10
LEAST_KEPT = 0.05
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
        Its held-out accuracy for any set of features.
    """

    predictor: AnyPredictor
    network: Predictor
    subsets: ExpectedAccuracy

    def expected(self, cell: MeasuredCell) -> dict[str, Any]:
        """Accuracy to expect with the cell's features."""
        if isinstance(self.predictor, CellPredictor):
            found = self.predictor.expected(cell.row(), cell.species)
            stimuli = stimuli_of(cell.features)
            whole = set(cell.features) == {name for stimulus in stimuli for name in features_of(stimulus)}
            return found | ({"stimuli": sorted(stimulus.value for stimulus in stimuli)} if found and whole else {})
        return self.subsets(cell.features, cell.species)

    def next_sweep(self, cell: MeasuredCell, expected: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The stimulus that would raise the expected accuracy most; None where none does."""
        if isinstance(self.predictor, CellPredictor):
            home = expected.get("probability_home")
            return None if home is None else self.predictor.next_stimulus(cell.row(), cell.species, home)
        return self.subsets.next_sweep(cell.features, cell.species)


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
    that of a single training run, by the network alone.

    Raises
    ------
    ModelFileError
        If a model's files are missing, damaged or made for other features.
    """
    return _loaded(folder, stamp_of(folder or MODELS_DIR))


@lru_cache(maxsize=2)
def _loaded(folder: Path | None, stamp: str) -> Models:  # noqa: ARG001 (the key of the cache)
    from neuroclass.training.library import feature_set_library

    networks = {spec.name: load_model(spec.name, folder) for spec in (DANN, LSPIN)}
    subsets = {name: ExpectedAccuracy(report_of(name, folder).feature_subsets()) for name in networks}
    if not ((folder or MODELS_DIR) / FEATURE_SETS).is_dir():
        return Models(*(Model(network, network, subsets[name]) for name, network in networks.items()))
    library = feature_set_library(folder)
    dann: CellPredictor = CellPredictor(DANN, library, networks[DANN.name].card)
    human = None
    if ((folder or MODELS_DIR) / HUMAN_SUBCLASS.name).is_dir():
        network = load_human_subclass(folder)
        dann = HumanAwarePredictor(DANN, library, networks[DANN.name].card, network)
        judge = HumanCellPredictor(HUMAN_SUBCLASS, library, network.card, network)
        human = Model(judge, network, ExpectedAccuracy())
    lspin = GatedCellPredictor(LSPIN, library, networks[LSPIN.name].card)
    return Models(
        Model(dann, networks[DANN.name], subsets[DANN.name]),
        Model(lspin, networks[LSPIN.name], subsets[LSPIN.name]),
        human,
    )


def classify_input(
    cell_input: CellInput,
    metadata: CellMetadata | None = None,
    models_folder: Path | None = None,
    reasons: bool = True,
) -> list[Answer]:
    """Measure and classify the cells of a file, or the one cell in several files.

    Each input is classified on its own, so its numbers do not depend on what else is classified.

    Parameters
    ----------
    cell_input : CellInput
        The files.
    metadata : CellMetadata, optional
        What the user knows about the cells.
    models_folder : Path, optional
        Folder of trained models; the shipped ones by default.
    reasons : bool
        Whether to compute SHAP values, the slowest part.

    Returns
    -------
    list of CellVerdict or RejectedInput
        In the order of the cells in the file.
    """
    metadata = metadata or CellMetadata()
    measured = measure(cell_input, metadata)
    return classify_cells(measured, load_models(models_folder), reasons, metadata.prior)


def classify_cells(
    measured: Sequence[MeasuredCell | RejectedInput], models: Models, reasons: bool = True, prior: Prior | None = None
) -> list[Answer]:
    """Classify measured cells, all at once; rejected ones pass through."""
    cells = [cell for cell in measured if isinstance(cell, MeasuredCell)]
    if not cells:
        return [cell for cell in measured if isinstance(cell, RejectedInput)]
    prior = prior or Prior()
    broad, subclass = _both_tasks(models, cells, reasons, prior)
    verdicts = iter(
        CellVerdict(
            source=cell.source,
            cell=cell.cell,
            species=cell.species,
            broad=b,
            subclass=s,
            features=cell.features,
            missing=cell.missing,
            provenance=cell.provenance,
            sweeps=cell.sweeps,
            qc=cell.qc,
            warnings=(
                *cell.warnings,
                *doubt.unusual(cell, b.typicality),
                *doubt.apart(models.dann.predictor, cell),
                *_against(prior, models, b, s),
            ),
            likeness=doubt.likeness(models.dann.predictor, cell),
            prior=prior.weights,
            conditions=cell.conditions,
            models=judges,
        )
        for cell, b, s, judges in zip(cells, broad, subclass, models.judges(cells), strict=True)
    )
    return [next(verdicts) if isinstance(cell, MeasuredCell) else cell for cell in measured]


def _both_tasks(
    models: Models, cells: Sequence[MeasuredCell], reasons: bool, prior: Prior
) -> tuple[list[Prediction], list[Prediction]]:
    """Broad class and subclass of every cell, each species' cells by the model of its subclasses."""
    result: dict[int, tuple[Prediction, Prediction]] = {}
    for fine in filter(None, (models.lspin, models.human)):
        rows = [row for row, cell in enumerate(cells) if models.of_subclass(cell.species) is fine]
        if not rows:
            continue
        mine = [cells[row] for row in rows]
        shap = _shap(models.dann, fine, mine) if reasons else (None, None)
        pairs = zip(_judge(models.dann, mine, shap[0], prior), _judge(fine, mine, shap[1], prior), strict=True)
        result.update(zip(rows, pairs, strict=True))
    ordered = [result[row] for row in range(len(cells))]
    return [pair[0] for pair in ordered], [pair[1] for pair in ordered]


def _shap(dann: Model, fine: Model, cells: Sequence[MeasuredCell]) -> tuple[Floats, Floats]:
    """SHAP values of both tasks, each of shape (n_cells, 41, n_classes)."""
    from neuroclass.explain.shap_values import shap_values

    x, species = np.stack([cell.row() for cell in cells]), [cell.species for cell in cells]
    if isinstance(fine.predictor, CellPredictor):
        values = shap_values(JointPredictor(fine.predictor), x, species).values
        return values[:, :, : len(DANN.classes)], values[:, :, len(DANN.classes) :]
    return shap_values(dann.predictor, x, species).values, shap_values(fine.predictor, x, species).values


def _judge(trained: Model, cells: Sequence[MeasuredCell], shap: Floats | None, prior: Prior) -> list[Prediction]:
    """One model's prediction for each cell."""
    model = trained.predictor
    x = np.stack([cell.row() for cell in cells])
    species = [cell.species for cell in cells]
    plain = model.predict_proba(x, species)
    weights = prior.of(model.classes) if prior else None
    probabilities = plain if weights is None else reweight(plain, weights)
    sets = model.prediction_set(x, species, COVERAGE, weights)
    typicality = model.typicality_of(x, species)
    gates = model.gates(x, species) if hasattr(model, "gates") else None
    tasks = []
    for row, cell in enumerate(cells):
        winner = int(probabilities[row].argmax())
        expected = trained.expected(cell)
        tasks.append(
            Prediction(
                model=model.name,
                probabilities={c: float(p) for c, p in zip(model.classes, probabilities[row], strict=True)},
                prediction_set=sets[row],
                coverage=COVERAGE,
                typicality=float(typicality[row]),
                expected=expected,
                next_sweep=trained.next_sweep(cell, expected),
                reasons=() if shap is None else _reasons(cell, model.classes[winner], shap[row, :, winner], gates, row),
                abstain=doubt.why_not(model, cell, float(typicality[row]), sets[row]),
                plain={c: float(p) for c, p in zip(model.classes, plain[row], strict=True)} if prior else {},
            )
        )
    return tasks


def _against(prior: Prior, models: Models, *tasks: Prediction) -> tuple[str, ...]:
    """A warning if the features contradict the user's prior."""
    texts = []
    for task in tasks:
        trained = models.named(task.model)
        if not task.plain:
            continue
        classes = trained.predictor.classes
        weights = prior.of(classes)
        kept = float(kept_share(np.array([[task.plain[name] for name in classes]]), weights)[0])
        if kept < LEAST_KEPT:
            left = ", ".join(name for name, weight in zip(classes, weights, strict=True) if weight > 0)
            texts.append(
                f"The features speak against the prior: without it the classes that it leaves ({left}) together had a "
                f"probability of {kept:.2g}. Check the line or the label."
            )
    return tuple(texts)


def _reasons(cell: MeasuredCell, label: str, shap: Floats, gates: Floats | None, row: int) -> tuple[Reason, ...]:
    """The measured features that matter most, largest contribution first."""
    order = [k for k in np.argsort(-np.abs(shap)) if FEATURE_NAMES[k] in cell.features][:N_REASONS]
    of_human = cell.species == Species.HUMAN and label in HUMAN_SUBCLASS_ORDER
    compared = HumanSubclass(label).broad.value if of_human else label
    return tuple(
        Reason(
            feature=FEATURE_NAMES[k],
            value=cell.features[FEATURE_NAMES[k]],
            shap=float(shap[k]),
            percentile=percentile(FEATURE_NAMES[k], cell.features[FEATURE_NAMES[k]], cell.species, compared),
            gate=None if gates is None else float(gates[row, k]),
        )
        for k in order
    )
