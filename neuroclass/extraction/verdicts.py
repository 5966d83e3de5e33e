"""Verdicts on the cells of thousands of files, as rows of a table."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.classification.classify import classify_input
from neuroclass.classification.metadata import CellMetadata, to_json
from neuroclass.classification.models import load_models
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.errors import NeuroClassError, RejectedInput
from neuroclass.extraction.dataset import Row
from neuroclass.extraction.items import ExtractionItem, failure, inputs_of
from neuroclass.extraction.table import rejection_report, table_row
from neuroclass.features import FEATURE_NAMES
from neuroclass.library.entry import ModelEntry
from neuroclass.types.models import HUMAN_SUBCLASS

_CLASSES = {
    "broad": TASK_CLASSES["broad"],
    "subclass": tuple(dict.fromkeys((*TASK_CLASSES["subclass"], *TASK_CLASSES[HUMAN_SUBCLASS.task]))),
}
COLUMNS: dict[str, type] = {
    **dict.fromkeys(("source", "cell", "species"), str),
    **{
        f"{task}{what}": kind
        for task, classes in _CLASSES.items()
        for what, kind in {
            **dict.fromkeys(("", "_set", "_cannot_say"), str),
            **dict.fromkeys(("_typicality", *(f"_p_{name}" for name in classes)), float),
        }.items()
    },
    **dict.fromkeys(FEATURE_NAMES, float),
    **dict.fromkeys(("missing", "qc", "warnings", "reasons", "models", "fingerprint"), str),
}
"""Columns of the table; sets have their classes with | between them, the last ones but the fingerprint are JSON."""


@dataclass(frozen=True)
class VerdictJob:
    """How every item is classified.

    Attributes
    ----------
    metadata : CellMetadata
        What the user knows about all the cells.
    models : Path, optional
        Folder of trained models; the shipped ones by default.
    chosen : tuple of ModelEntry
        Models of the library.
    reasons : bool
        Whether SHAP values are computed.
    """

    metadata: CellMetadata = CellMetadata()
    models: Path | None = None
    chosen: tuple[ModelEntry, ...] = ()
    reasons: bool = False

    def facts(self) -> dict[str, Any]:
        """What verdicts depend on besides the files."""
        models = load_models(self.models, self.chosen)
        judges = {"weights": dict(models.weights), "chosen": list(models.named_on_command_line)}
        return {"what": "verdicts", "metadata": to_json(self.metadata), "models": judges, "reasons": self.reasons}


def verdict_rows(item: ExtractionItem, job: VerdictJob) -> list[Row]:
    """Classify an item's cells: a row for each, or one with the error; never raises.

    Parameters
    ----------
    item : ExtractionItem
        One file or archive, or the files of one cell.
    job : VerdictJob
        How.

    Returns
    -------
    list of dict
        With `COLUMNS`, or with ``error`` and ``message`` of what was refused.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
            return list(_rows(item, job, Path(folder)))
    except NeuroClassError as error:
        return [table_row(item.name, failure(item, error.kind, str(error)))]
    except Exception as error:
        return [table_row(item.name, failure(item, type(error).__name__, str(error)))]


def _rows(item: ExtractionItem, job: VerdictJob, folder: Path) -> Iterator[Row]:
    for one in inputs_of(item, folder):
        if isinstance(one, RejectedInput):
            yield table_row(item.name, rejection_report(one))
            continue
        for answer in classify_input(one, job.metadata, job.models, job.reasons, job.chosen):
            yield table_row(item.name, rejection_report(answer)) if isinstance(answer, RejectedInput) else _row(answer)


def _row(verdict: CellVerdict) -> Row:
    reasons = verdict.to_json()["reasons"] if verdict.broad.reasons or verdict.subclass.reasons else None
    return {
        "source": verdict.source,
        "cell": verdict.cell,
        "species": verdict.species,
        **_task("broad", verdict.broad),
        **_task("subclass", verdict.subclass),
        **verdict.features,
        "missing": json.dumps(dict(verdict.missing)),
        "qc": json.dumps([dict(flag) for flag in verdict.qc]),
        "warnings": json.dumps(list(verdict.warnings)),
        "reasons": json.dumps(reasons) if reasons else None,
        "models": json.dumps(dict(verdict.models)),
        "fingerprint": verdict.fingerprint,
    }


def _task(task: str, prediction: Prediction) -> Row:
    return {
        task: prediction.label,
        f"{task}_set": "|".join(prediction.prediction_set),
        f"{task}_cannot_say": prediction.abstain or None,
        f"{task}_typicality": prediction.typicality,
        **{f"{task}_p_{name}": value for name, value in prediction.probabilities.items()},
    }
