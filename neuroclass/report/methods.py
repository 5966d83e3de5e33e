"""The Methods paragraph of a verdict: procedure, versions, models and settings."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from neuroclass import __version__
from neuroclass.cell_types import Species
from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict
from neuroclass.ephys.conditions import PREPARATIONS, REFERENCE_C, REFERENCE_JUNCTION_MV
from neuroclass.ephys.settings import SpikeSettings
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import weights_on
from neuroclass.io.feature_sets import checksum
from neuroclass.io.origin import SWEEPS
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.cell_predictor import CellPredictor
from neuroclass.types.models import title_of

SPIKES = SpikeSettings()
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "streamlit", "plotly")
CITATION = (
    "Allen Institute for Brain Science, Allen Cell Types Database (2015), celltypes.brain-map.org; Ophir, Shefi, "
    "Lindenbaum, Neuronal Cell Type Classification using Deep Learning, arXiv 2306.00528 (2023)."
)


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that the numbers depend on."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def model_identity(card: Mapping[str, Any]) -> dict[str, str]:
    """A model's name, the hash of its weights and the hash of the cells it was trained on."""
    return {
        "model": str(card["model"]).upper(),
        "weights (SHA-256)": weights_on(card),
        "training cells (SHA-256)": str(card.get("training_cells", {}).get("sha256", "unknown")),
    }


def methods_paragraph(verdict: CellVerdict, models: Models) -> str:
    """Write the Methods paragraph for one cell.

    Parameters
    ----------
    verdict : CellVerdict
        The cell's verdict.
    models : Models
        The models behind the verdict.

    Returns
    -------
    str
        Plain text.
    """
    measured = len(verdict.features)
    total = measured + len(verdict.missing)
    how = (
        f"from {len(verdict.sweeps)} current-clamp sweeps{_without(verdict)}, with spikes detected by the Allen "
        f"Institute's rules ({SPIKES.filter_khz:g} kHz Bessel filter, dV/dt of at least {SPIKES.dv_cutoff:g} mV/ms, "
        f"threshold at {SPIKES.threshold_share:.0%} of the mean upstroke, peak above {SPIKES.min_peak_mv:g} mV)"
        if verdict.sweeps
        else "as given in a feature table"
    )
    libraries = ", ".join(f"{name} {number}" for name, number in library_versions().items())
    parts = [
        f"The cell was classified with NeuroClass {__version__} from {measured} of the {total} electrophysiological "
        f"features of the Allen Cell Types Database, {how}.",
        _conditions(verdict),
        _judged(verdict, models),
        _prior(verdict),
        "Reasons are SHAP values in probability, relative to k-means prototypes of the training cells with the same "
        "features present.",
        f"Software: {libraries}.",
        f"Fingerprint of features, species, prior, models and software: {verdict.fingerprint[:16]}.",
        CITATION,
        _origin(verdict),
    ]
    return " ".join(part for part in parts if part)


def _without(verdict: CellVerdict) -> str:
    """The sweeps that were left out."""
    return f" ({sweeps_text(set(verdict.without_sweeps))} left out by hand)" if verdict.without_sweeps else ""


def _origin(verdict: CellVerdict) -> str:
    """The dandiset that the recording is from, and how it is cited."""
    origin = verdict.origin
    if not origin.get("dandiset"):
        return ""
    read = f"; of the file its {origin['fetched']} were read" if origin.get("fetched") == SWEEPS else ""
    return (
        f"The recording is {origin.get('path', '')} of dandiset {origin['dandiset']}, version {origin['version']}, in "
        f"the DANDI archive{read}: {origin.get('citation', '')}"
    )


def _conditions(verdict: CellVerdict) -> str:
    conditions = verdict.conditions
    if not conditions:
        return (
            f"Recording conditions were not given; features were taken as recorded at {REFERENCE_C:g} °C and not "
            f"corrected for a junction potential of {REFERENCE_JUNCTION_MV:g} mV, as in the reference."
        )
    parts = []
    if "temperature_c" in conditions:
        corrected = conditions["corrected_by_c"]
        done = "brought to 34 °C by assumed Q10 factors" if corrected else "left as measured"
        parts.append(f"The recording was made at {conditions['temperature_c']:g} °C and its features were {done}.")
    if conditions.get("added_to_potentials_mv"):
        parts.append(
            f"{conditions['added_to_potentials_mv']:+g} mV was added to all potentials, since the reference's are not "
            f"corrected for its junction potential of {REFERENCE_JUNCTION_MV:g} mV."
        )
    if conditions.get("preparation"):
        parts.append(f"{PREPARATIONS[conditions['preparation']]}, which no model uses.")
    for key in ("age", "region"):
        if conditions.get(key):
            parts.append(f"{key.capitalize()}: {conditions[key]}.")
    return " ".join(parts)


def _judged(verdict: CellVerdict, models: Models) -> str:
    """Which models judged the cell, and how they came to one answer."""
    if models.chosen:
        return " ".join(_by_chosen(models))
    if not isinstance(models.dann.predictor, CellPredictor):
        return " ".join(_by_networks(models))
    present = np.array([np.isfinite(verdict.features.get(name, np.nan)) for name in FEATURE_NAMES])
    if not present.any():
        return "Without features the probabilities are the proportions of the training cells."
    model = models.dann.predictor.models.model_for(present)
    n_imputed = len(model.columns) - int(present.sum())
    features = (
        f"{len(model.columns)} features, of which the {n_imputed} not measured were set to their expectation given the "
        "others under a Gaussian"
        if n_imputed
        else "exactly these features"
    )
    source = model.foundation.source
    home = verdict.likeness.get("probability")
    found = f", here {home:.2f}," if home is not None else ""
    parts = [
        f"DANN (excitatory or inhibitory type) and LSPIN (subclass) were fitted to {features}, on {source} (training "
        f"cells {model.foundation.training}, weights SHA-256 {checksum(model)[:16]}).",
        "An in-database model, for recordings like the database's, pools network, class-conditional Student t and "
        "kernel logistic regression with the database's class proportions; an out-of-database model, for those of any "
        "other laboratory, pools a network trained on cells shifted as laboratories may shift them and a Student t "
        "that allows for such shifts, with classes equally likely. The probability that a recording is like the "
        f"database's, from the densities of its features{found} weights the in-database model, and the rest the "
        "out-of-database model.",
        _one_answer(verdict, models),
        _promise(verdict),
        f"Probabilities, prediction sets (nominal coverage {COVERAGE:.0%}) and the measure of strangeness were "
        "calibrated on cells of donors that each model had left out.",
    ]
    return " ".join(part for part in parts if part)


def _one_answer(verdict: CellVerdict, models: Models) -> str:
    """How the models of both tasks came to one answer."""
    if verdict.species == Species.MOUSE:
        return (
            "In-database and out-of-database, the log odds of excitatory by DANN and of Glutamatergic by LSPIN were "
            "averaged, so that both models give one answer."
        )
    if verdict.species != Species.HUMAN:
        return "The species is unknown: the probability of excitatory is the mean of the answers for mouse and human."
    if models.human is None:
        return "The type of a human cell is DANN's; its subclass is an analogy to mouse."
    return (
        "For a human cell the log odds of excitatory by DANN and of Glutamatergic by the human subclass model were "
        "averaged with weights 1 to 4. " + _model("Human subclass", models.human.predictor.card, "a model of its own")
    )


def _promise(verdict: CellVerdict) -> str:
    every = {"DANN": verdict.broad.expected, "LSPIN": verdict.subclass.expected}
    known = [f"{found['accuracy']:.3f} ({name})" for name, found in every.items() if "elsewhere" in found]
    if not known:
        return ""
    return (
        "The accuracy on held-out cells with these features, as recorded by the database and as simulated "
        f"laboratories measure them, weighted likewise, is {' and '.join(known)}."
    )


def _by_networks(models: Models) -> list[str]:
    return [
        "Missing features were replaced by their expectation given those present under a Gaussian with the training "
        "cells' mean and shrunk covariance.",
        _model("Excitatory or inhibitory type", models.dann.predictor.card, "DANN"),
        _model("Subclass", models.lspin.predictor.card, "LSPIN"),
        f"Probabilities are calibrated on training donors that each network had left out; prediction sets have a "
        f"nominal coverage of {COVERAGE:.0%}.",
    ]


def _by_chosen(models: Models) -> list[str]:
    """Which models of the library judged, beside the shipped ones."""
    parts = []
    for one, what in ((models.dann, "Excitatory or inhibitory type"), (models.lspin, "Subclass")):
        if one.chosen is None:
            parts.append(f"{what}: {title_of(one.name)} as built into NeuroClass, fitted to the available features.")
            continue
        card = {**one.chosen.card, "weights_sha256": one.chosen.weights}
        parts.append(_model(what, card, f"{one.name}, a model chosen from the library ({one.chosen.system})"))
    return [
        *parts,
        "The chosen model classifies by itself; its answer is not reconciled with the other task's. Features that it "
        "was trained with and that were not measured were set to their expectation given the others under a Gaussian. "
        "Its probabilities, prediction sets and typicality were calibrated on training donors that were left out.",
    ]


def _model(what: str, card: Mapping[str, Any], name: str) -> str:
    cells = card.get("training_cells", {})
    metrics = card.get("metrics", {}).get("metrics", {})
    accuracy = metrics.get("accuracy", {}).get("mean")
    held_out = (
        f", held-out accuracy {accuracy:.3f} of cells in donor-grouped cross-validation"
        if isinstance(accuracy, float)
        else ""
    )
    trained = f"trained on {cells.get('n_cells', '?')} cells of {cells.get('n_donors', '?')} donors"
    return f"{what}: {name} ({trained}{held_out}; weights SHA-256 {str(card['weights_sha256'])[:16]})."


def _prior(verdict: CellVerdict) -> str:
    if not verdict.prior:
        return ""
    weights = ", ".join(f"{name} × {weight:g}" for name, weight in verdict.prior.items())
    return f"Posteriors were reweighted by what was known beforehand ({weights})."
