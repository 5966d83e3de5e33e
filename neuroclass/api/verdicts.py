"""Classify recordings and tables, with reasons, figures and reports."""

import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias, overload

import pandas as pd
import plotly.graph_objects as go

from neuroclass.api import plot as figures
from neuroclass.api.recordings import ExtractedFeatures, extract_features
from neuroclass.classification.classify import classify_cells
from neuroclass.classification.inputs import CellInput, cell_inputs
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Models, load_models
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.classification.wording import headline
from neuroclass.ephys.conditions import Conditions
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import RejectedInput, SettingsError
from neuroclass.features import BY_NAME
from neuroclass.io.channels import ChannelMapping
from neuroclass.predictors.priors import Prior
from neuroclass.report.tables import feature_table, place_text

Source: TypeAlias = str | Path | Recording | ExtractedFeatures | pd.DataFrame
TASKS = ("subclass", "broad")
IN_MEMORY = "DataFrame"


@dataclass(frozen=True)
class Verdict:
    """What the models say about one cell; made by `classify`.

    Attributes
    ----------
    answer : CellVerdict
        All that the command line prints as JSON; see `CellVerdict.to_json`.

    Examples
    --------
    >>> import neuroclass as nc
    >>> cell = nc.classify(nc.example_recording())[0]
    >>> cell.label, cell.broad.label
    ('Pvalb', 'inhibitory')
    >>> round(cell.subclass.expected["accuracy"], 2)
    0.9
    >>> cell.report("cell.html").name
    'cell.html'
    """

    answer: CellVerdict
    _cell: MeasuredCell = field(repr=False)
    _input: CellInput | None = field(repr=False)
    _metadata: CellMetadata = field(repr=False)
    _models: Models = field(repr=False)

    def __str__(self) -> str:
        return f"{self.answer.cell}: {headline(self.answer)}"

    @property
    def label(self) -> str | None:
        """Likeliest subclass; None where the model abstains."""
        return self.answer.subclass.label

    @property
    def broad(self) -> Prediction:
        """Excitatory or inhibitory: probabilities, prediction set, expected accuracy."""
        return self.answer.broad

    @property
    def subclass(self) -> Prediction:
        """The subclass: probabilities, prediction set, expected accuracy."""
        return self.answer.subclass

    @property
    def warnings(self) -> tuple[str, ...]:
        """What one should know before using the verdict."""
        return self.answer.warnings

    def explain(self, task: str = "subclass") -> pd.DataFrame:
        """Every feature's share in a prediction, largest first.

        Parameters
        ----------
        task : str
            ``subclass`` or ``broad``.

        Returns
        -------
        DataFrame
            Index: feature. Columns: ``label``; ``value``, stored unit; ``unit``; ``shap``, towards the predicted
            class; ``percentile`` among that class' reference cells; ``gate``, 0 shut to 1 open; ``measured_on``.

        Raises
        ------
        SettingsError
            If there is no such task.
        """
        reasons = _prediction(self.answer, task).reasons
        rows = [
            {
                "feature": one.feature,
                "label": BY_NAME[one.feature].label,
                "value": one.value,
                "unit": BY_NAME[one.feature].unit,
                "shap": one.shap,
                "percentile": one.percentile,
                "gate": one.gate,
                "measured_on": place_text(self.answer.provenance.get(one.feature, {})),
            }
            for one in reasons
        ]
        columns = ["feature", "label", "value", "unit", "shap", "percentile", "gate", "measured_on"]
        return pd.DataFrame(rows, columns=columns).set_index("feature")

    def features(self) -> pd.DataFrame:
        """The 41 features in the units people read: value, where measured, or why missing."""
        return feature_table(self.answer).set_index("feature")

    def plot(self, task: str = "subclass") -> go.Figure:
        """Draw the reasons for a prediction; see `neuroclass.plot.reasons`."""
        return figures.reasons(self, task)

    def plot_feature(self, feature: str) -> go.Figure:
        """Draw the samples that a feature was measured on; see `ExtractedFeatures.plot`."""
        return ExtractedFeatures(self._cell).plot(feature)

    def report(self, path: str | Path) -> Path:
        """Write a self-contained report.

        Parameters
        ----------
        path : str or Path
            Ends with ``.html`` or ``.pdf``.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        SettingsError
            If the name has another ending.
        """
        from neuroclass.cohort.loading import load_cohort
        from neuroclass.reference.cells import with_sweeps
        from neuroclass.report.files import report_input
        from neuroclass.report.html import html_report
        from neuroclass.report.pdf import pdf_report

        path = Path(path)
        if path.suffix not in (".html", ".pdf"):
            raise SettingsError(f"A report is written as .html or .pdf; found {path.name}.")
        where = self._input or CellInput.single(self.answer.source, b"")
        pools = with_sweeps(load_cohort())
        items = report_input(where, [self._cell], [self.answer], self._metadata, self._models, pools)
        if path.suffix == ".html":
            path.write_text(html_report(items, self._models), encoding="utf-8")
        else:
            path.write_bytes(pdf_report(items, self._models))
        return path


class Verdicts(Sequence[Verdict]):
    """Verdicts in the order of the cells.

    Attributes
    ----------
    rejected : tuple of RejectedInput
        Files and cells that were not classified, each with its ``error``.

    Examples
    --------
    >>> import neuroclass as nc
    >>> paths = [nc.example_recording(name) for name in ("fast-spiking", "pyramidal")]
    >>> verdicts = nc.classify(paths, reasons=False)
    >>> verdicts.to_frame()[["cell", "broad"]].values.tolist()
    [['fast-spiking', 'inhibitory'], ['pyramidal', 'excitatory']]
    >>> verdicts.rejected
    ()
    """

    def __init__(self, verdicts: Iterable[Verdict], rejected: Iterable[RejectedInput] = ()) -> None:
        self._verdicts, self.rejected = tuple(verdicts), tuple(rejected)

    def __len__(self) -> int:
        return len(self._verdicts)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> "Verdicts": ...
    def __getitem__(self, index: int | slice) -> "Verdict | Verdicts":
        if isinstance(index, slice):
            return Verdicts(self._verdicts[index])
        return self._verdicts[index]

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self._verdicts)

    def __repr__(self) -> str:
        left_out = f", {len(self.rejected)} refused" if self.rejected else ""
        return f"<{len(self)} verdicts{left_out}>"

    def to_frame(self) -> pd.DataFrame:
        """One row per cell: labels (None where the model abstains), probabilities, sets, typicality, expected accuracy.

        Columns that start with ``p_`` are calibrated probabilities; ``subclass_expected`` and ``broad_expected`` are
        held-out accuracies with the cell's features, fractions of 1.
        """
        return pd.DataFrame([_row(one.answer) for one in self])


def _row(answer: CellVerdict) -> dict[str, object]:
    row: dict[str, object] = {"source": answer.source, "cell": answer.cell, "species": answer.species}
    for name in TASKS:
        task = _prediction(answer, name)
        row |= {
            name: task.label,
            f"{name}_set": "|".join(task.prediction_set),
            f"{name}_expected": task.expected.get("accuracy"),
        }
    row["typicality"] = answer.broad.typicality
    row["like_database"] = answer.likeness.get("probability")
    for name in TASKS:
        row |= {f"p_{kind}": share for kind, share in _prediction(answer, name).probabilities.items()}
    return row | {"n_features": len(answer.features), "warnings": " ".join(answer.warnings)}


def _prediction(answer: CellVerdict, task: str) -> Prediction:
    if task not in TASKS:
        raise SettingsError(f"There is no task {task!r}; expected one of {', '.join(TASKS)}.")
    prediction: Prediction = getattr(answer, task)
    return prediction


def classify(
    cells: Source | Iterable[Source],
    *,
    species: str | None = None,
    prior: Mapping[str, float] | None = None,
    conditions: Conditions | None = None,
    channels: ChannelMapping | None = None,
    models: str | Path | None = None,
    reasons: bool = True,
) -> Verdicts:
    """Classify cells, as the dashboard and the command line do.

    Parameters
    ----------
    cells : path, Recording, ExtractedFeatures, DataFrame, or several of them
        Recordings, folders and zips of them, feature tables; or a DataFrame with a row per cell and the features'
        names as columns, stored units, NaN where missing, and perhaps ``cell`` and ``species``.
    species : str, optional
        ``mouse`` or ``human``, of cells that do not say.
    prior : mapping of class to float, optional
        What is known of the classes, such as ``{"Pvalb": 0}``; see `Prior`.
    conditions : Conditions, optional
        How the cells were recorded.
    channels : ChannelMapping, optional
        Channels and units, where files' own are wrong.
    models : str or Path, optional
        Folder of trained models; the shipped ones by default.
    reasons : bool
        Whether to compute SHAP values, which take most of the time.

    Returns
    -------
    Verdicts
        What was refused is in its `rejected`, and a warning says so.

    Raises
    ------
    NeuroClassError
        If the only input is refused.

    Examples
    --------
    >>> import neuroclass as nc
    >>> result = nc.classify(nc.example_recording())
    >>> result[0].label
    'Pvalb'
    >>> result[0].explain().columns[:2].tolist()
    ['label', 'value']
    """
    metadata = CellMetadata(species, {}, channels, {}, conditions or Conditions(), Prior(dict(prior or {})))
    loaded = load_models(None if models is None else Path(models))
    verdicts: list[Verdict] = []
    rejected: list[RejectedInput] = []
    with tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
        for where, measured in _measured(cells, metadata, Path(folder)):
            for cell, answer in zip(measured, classify_cells(measured, loaded, reasons, metadata.prior), strict=True):
                if isinstance(answer, RejectedInput):
                    rejected.append(answer)
                elif isinstance(cell, MeasuredCell):
                    verdicts.append(Verdict(answer, cell, where, metadata, loaded))
    if rejected and not verdicts and len(rejected) == 1:
        raise rejected[0].error
    if rejected:
        first = rejected[0]
        warnings.warn(
            f"{len(rejected)} files or cells were refused, the first {first.source}: {first.error} "
            "All are in .rejected.",
            stacklevel=2,
        )
    return Verdicts(verdicts, rejected)


def _measured(
    cells: Source | Iterable[Source], metadata: CellMetadata, folder: Path
) -> Iterator[tuple[CellInput | None, list[MeasuredCell | RejectedInput]]]:
    """Inputs with their cells; None for those in memory."""
    sources: Iterable[Any] = cells  # type: ignore[assignment]
    if isinstance(cells, str | Path | Recording | ExtractedFeatures | pd.DataFrame):
        sources = [cells]
    for number, source in enumerate(sources):
        if isinstance(source, ExtractedFeatures):
            yield None, [source.cell]
        elif isinstance(source, Recording):
            found = extract_features(source, conditions=metadata.conditions, species=metadata.species)
            yield None, [found.cell]
        elif isinstance(source, pd.DataFrame):
            table = _as_file(source)
            yield table, measure(table, metadata)
        else:
            inside = folder / str(number)
            inside.mkdir()
            for one in cell_inputs([Path(source)], {}, inside, lambda path: path.name):
                yield (None, [one]) if isinstance(one, RejectedInput) else (one, measure(one, metadata))


def _as_file(frame: pd.DataFrame) -> CellInput:
    """A DataFrame as a feature table, so that it is checked like one."""
    named = frame if "cell" in frame or "id" in frame else frame.rename_axis("cell").reset_index()
    buffer = BytesIO()
    named.to_parquet(buffer, index=False)
    return CellInput.single(IN_MEMORY, buffer.getvalue())
