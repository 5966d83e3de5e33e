"""Classify recordings of a dandiset one after another: each is fetched, classified and written to a journal.

A run that was killed goes on where it was: what was classified is in the journal, what was fetched is here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroclass.classification.classify import classify_cells
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.measurement import measure
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Models
from neuroclass.errors import (
    ChecksumError,
    EmbargoedError,
    NeuroClassError,
    NotInArchiveError,
    RecordingError,
    RejectedInput,
    UnreadableAssetError,
)
from neuroclass.extraction.items import ExtractionJob
from neuroclass.extraction.journal import Journal
from neuroclass.io.dandi import Asset, Dandiset
from neuroclass.io.dandi_fetch import Fetched, fetch_asset
from neuroclass.io.download import never
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

OF_ONE_FILE = (ChecksumError, EmbargoedError, NotInArchiveError, RecordingError, UnreadableAssetError)
"""Errors of a single file, after which the others still are fetched."""
RECORDINGS = "recordings"


@dataclass(frozen=True)
class _Item:
    asset: Asset
    models: str

    @property
    def name(self) -> str:
        return self.asset.path

    def fingerprint(self) -> str:
        return f"{self.asset.id} {self.models}"


def classify_assets(
    dandiset: Dandiset,
    assets: Sequence[Asset],
    models: Models,
    journal: Path,
    metadata: CellMetadata = CellMetadata(),
    folder: Path | None = None,
    reasons: bool = False,
    progress: ProgressCallback = ignore_progress,
    fetching: ProgressCallback = ignore_progress,
    cancelled: Callable[[], bool] = never,
) -> Iterator[dict[str, Any]]:
    """Fetch and classify recordings, those that the journal holds excepted.

    Parameters
    ----------
    dandiset : Dandiset
        The recordings' dandiset.
    assets : sequence of Asset
        The recordings.
    models : Models
        The trained models.
    journal : Path
        Where each recording's answers are written once they are known, a line each.
    metadata : CellMetadata
        What is known of all the cells.
    folder : Path, optional
        Where recordings go; by default the user's cache.
    reasons : bool
        Whether to compute SHAP values.
    progress : ProgressCallback
        Called with the number of recordings done and, in ``refused``, of those refused.
    fetching : ProgressCallback
        Called with the bytes of a recording that came.
    cancelled : callable
        Asked after each chunk whether to stop.

    Yields
    ------
    dict
        A recording's ``path``, ``file``, ``fetched``, ``transferred``, ``kept`` (whether the journal held it), and its
        ``answers`` as `classify --json` prints them, in the recordings' order.

    Raises
    ------
    FetchError
        The archive cannot be reached any more; what was done is kept.
    """
    known = ",".join(sorted(str(one) for one in _weights(models)))
    notes = Journal(journal, ExtractionJob(metadata))
    done, refused = notes.read(), 0
    with notes:
        for count, asset in enumerate(assets):
            progress(Progress(RECORDINGS, count, len(assets), {"refused": refused}))
            item = _Item(asset, known)
            kept = done.get(notes.key(item))
            if kept:
                report: dict[str, Any] = {**kept[0], "kept": True, "transferred": 0}
            else:
                report = {
                    **_one(dandiset, asset, models, metadata, folder, reasons, fetching, cancelled),
                    "kept": False,
                }
                notes.write(item, [report])
            refused += any("error" in answer for answer in report["answers"])
            yield report
    progress(Progress(RECORDINGS, len(assets), len(assets), {"refused": refused}))


def _weights(models: Models) -> list[str]:
    trained = (models.dann, models.lspin, models.human)
    return [str(one.predictor.card.get("weights_sha256", one.name)) for one in trained if one is not None]


def _one(
    dandiset: Dandiset,
    asset: Asset,
    models: Models,
    metadata: CellMetadata,
    folder: Path | None,
    reasons: bool,
    fetching: ProgressCallback,
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    try:
        fetched = fetch_asset(dandiset, asset, folder, progress=fetching, cancelled=cancelled)
    except OF_ONE_FILE as error:
        return {"path": asset.path, "file": "", "answers": [refusal(asset, error)], "transferred": 0}
    cells = measure(CellInput.single(fetched.path.name, fetched.path), metadata)
    answers = classify_cells(cells, models, reasons, metadata.prior)
    return {**_about(fetched), "answers": [answer.to_json() for answer in answers]}


def _about(fetched: Fetched) -> Mapping[str, Any]:
    about = fetched.to_json()
    return {"path": about["asset"], "file": about["path"], "fetched": fetched.how, "transferred": fetched.transferred}


def refusal(asset: Asset, error: NeuroClassError) -> dict[str, Any]:
    """A recording that was not fetched, and why, as plain values."""
    return RejectedInput(asset.path, error).to_json()
