"""A model's report, ``models/<name>/evaluation/``: what its pages read, with one writer and one reader."""

import io
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclass.config import MODELS_DIR
from neuroclass.errors import ModelFileError
from neuroclass.io.atomic import write_atomically

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "evaluation"

Rows = list[dict[str, Any]]


class Table(StrEnum):
    """The report's tables, one Parquet file each; ids are text."""

    PREDICTIONS = "predictions"
    DEMO = "demo"
    FEATURE_SUBSETS = "feature-subsets"
    DECILES = "deciles"
    COMPARISONS = "comparisons"
    TAXONOMIES = "taxonomies"
    SHAP = "shap"
    SHAP_GROUPS = "shap-groups"
    SHAP_BASELINES = "shap-baselines"
    STABILITY = "stability"
    GATES = "gates"
    GATE_ABLATION = "gate-ablation"
    DELETION = "deletion"
    EMBEDDING = "embedding"
    DOMAINS = "domains"
    DOMAIN_FEATURES = "domain-features"
    MATCHES = "cross-species-matches"
    OUTSIDE = "outside"

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.value}.parquet"


class Document(StrEnum):
    """The report's documents, one JSON file each."""

    METRICS = "metrics"
    PUBLISHED = "published"
    GROUPS = "groups"
    LEARNING = "learning"
    LAB_SHIFT = "lab-shift"
    MASKED = "masked"
    OUTSIDE = "outside"
    TAXONOMIES = "taxonomies"
    MATCH_LABELS = "match-labels"
    SEARCH = "search"

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.value}.json"


@dataclass(frozen=True)
class ReportStore:
    """The report of one model; its parts are read when asked for and replaced as a whole when written.

    Attributes
    ----------
    name : str
        ``dann``, ``lspin`` or ``human-subclass``.
    folder : Path
        The model's folder, which also holds its card and weights.
    """

    name: str
    folder: Path

    def has(self, part: Table | Document) -> bool:
        """Whether a part was written; a model trained without ``--report`` has none."""
        return self._path(part).is_file()

    def table(self, table: Table) -> "pd.DataFrame":
        """Read a table.

        Raises
        ------
        ModelFileError
            If it is absent or cannot be read.
        """
        import pandas as pd

        path = self._path(table)
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise ModelFileError(self._advice(path)) from error
        return frame.astype({"id": str}) if "id" in frame.columns else frame

    def predictions(self) -> "pd.DataFrame":
        """Predictions on held-out cells: id, species, donor, repeat, fold, truth, predicted, ``p_<class>`` and more."""
        return self.table(Table.PREDICTIONS)

    def feature_subsets(self) -> "pd.DataFrame | None":
        """Held-out accuracy with only some features, see `subset_table`; None where it was not measured."""
        return self.table(Table.FEATURE_SUBSETS) if self.has(Table.FEATURE_SUBSETS) else None

    def comparisons(self) -> "pd.DataFrame":
        """Predictions of the other systems: system, id, repeat, predicted; empty where there are none."""
        import pandas as pd

        if not self.has(Table.COMPARISONS):
            return pd.DataFrame(columns=["system", "id", "repeat", "predicted"]).astype({"repeat": "int64"})
        return self.table(Table.COMPARISONS).astype({"system": str, "predicted": str})

    def metrics(self) -> Rows:
        """Results of every system under every protocol, as `describe` gives them; ours first."""
        return self._rows(Document.METRICS)

    def published(self) -> Rows:
        """Published results, shaped as ours."""
        return self._rows(Document.PUBLISHED)

    def groups(self) -> dict[str, Any]:
        """Accuracy by group of cells; see `group_document`."""
        return self._object(Document.GROUPS)

    def learning(self) -> dict[str, Rows]:
        """Accuracy against the number of training cells (``cells``) and of labels (``labels``)."""
        return self._object(Document.LEARNING)

    def laboratories(self) -> Rows:
        """Accuracy as simulated laboratories would measure the same cells; see `laboratory_rows`."""
        return list(self._object(Document.LAB_SHIFT)["laboratories"])

    def masked(self) -> dict[str, Any]:
        """Accuracy with only some features, as fitted to exactly these; see `evaluate_sets`."""
        return self._object(Document.MASKED)

    def outside(self) -> dict[str, Any]:
        """Figures on cells of other laboratories; see `evaluate_outside`."""
        return self._object(Document.OUTSIDE)

    def taxonomies(self) -> dict[str, Any]:
        """How types found without labels agree with the labels; see `unlabelled_taxonomies`."""
        return self._object(Document.TAXONOMIES)

    def match_labels(self) -> Rows:
        """How often cross-species matches carry the corresponding label; see `cross_species`."""
        return self._rows(Document.MATCH_LABELS)

    def search(self) -> dict[str, Any]:
        """Nested search for settings; see `nested_search`."""
        return self._object(Document.SEARCH)

    def card(self) -> dict[str, Any]:
        """The model's card."""
        return self._checked(self.folder / "card.json", dict)

    def write(self, part: Table | Document, content: Any) -> None:
        """Replace a part: a DataFrame for a table, what JSON holds for a document."""
        if isinstance(part, Table):
            buffer = io.BytesIO()
            content.to_parquet(buffer, index=False)
            write_atomically(self._path(part), buffer.getvalue())
        else:
            text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            write_atomically(self._path(part), text.encode())

    def _path(self, part: Table | Document) -> Path:
        return self.folder / FOLDER / part.file

    def _rows(self, document: Document) -> Rows:
        return self._checked(self._path(document), list)

    def _object(self, document: Document) -> dict[str, Any]:
        return self._checked(self._path(document), dict)

    def _checked(self, path: Path, kind: type) -> Any:
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelFileError(self._advice(path)) from error
        if not isinstance(value, kind):
            raise ModelFileError(self._advice(path))
        return value

    def _advice(self, path: Path) -> str:
        return (
            f"The file {path.name} of the model {self.name} is absent or unreadable; it belongs into {path.parent}. "
            f"Restore it from the repository, or train the model again: python -m neuroclass train {self.name}."
        )


def report_of(name: str, folder: Path | None = None) -> ReportStore:
    """The report of a model.

    Parameters
    ----------
    name : str
        ``dann``, ``lspin`` or ``human-subclass``.
    folder : Path, optional
        Folder of models; the shipped ones by default.

    Returns
    -------
    ReportStore
    """
    return ReportStore(name, (folder or MODELS_DIR) / name)
