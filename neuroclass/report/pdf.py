"""A report as PDF, drawn with matplotlib: predictions, reasons, traces beside reference cells, features, Methods."""

import io
import textwrap
from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from neuroclass import __version__
from neuroclass.cell_types import COLOURS, label_of
from neuroclass.charts.comparison import MOST_TRACES, Panel
from neuroclass.charts.drawing import styled
from neuroclass.charts.evidence import feature_name
from neuroclass.charts.theme import ACCENT, NEGATIVE, PALETTE, POSITIVE, UNKNOWN
from neuroclass.charts.traces import crop, envelope
from neuroclass.classification.models import Models
from neuroclass.classification.result import Prediction
from neuroclass.ephys.sweep import SIMULATED_WARNING
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.errors import RejectedInput
from neuroclass.features import BY_NAME
from neuroclass.report import tables
from neuroclass.report.content import TASKS, Evidence, ReportCell, question_of
from neuroclass.report.html import expected_text, references_text, shown_share
from neuroclass.report.methods import methods_paragraph, model_identity
from neuroclass.report.places import aligned_on
from neuroclass.types.models import title_of

A4 = (8.27, 11.69)
_LEFT, _RIGHT, _TOP = 0.09, 0.95, 0.95
_LINE, _WIDE = 0.0155, 104
_STYLE = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "text.parse_math": False,
    "axes.titlesize": 9,
}


class _Writer:
    """Writer that fills pages with text and axes from the top."""

    def __init__(self, pdf: PdfPages) -> None:
        self.pdf = pdf
        self.figure: Figure | None = None
        self.y = 0.0

    def new_page(self) -> None:
        self.close()
        self.figure = Figure(figsize=A4)
        self.y = _TOP

    def close(self) -> None:
        if self.figure is not None:
            self.figure.text(_LEFT, 0.025, f"NeuroClass {__version__}", color=UNKNOWN, fontsize=7)
            self.pdf.savefig(self.figure)  # type: ignore[no-untyped-call]
            self.figure = None

    def room(self, height: float) -> Figure:
        """Return the current figure, starting a new page unless `height` of one is left."""
        if self.figure is None or self.y - height < 0.05:
            self.new_page()
        assert self.figure is not None
        return self.figure

    def text(self, text: str, size: float = 8.5, weight: str = "normal", colour: str = "#1f2a30") -> None:
        """Write wrapped text."""
        wide = int(_WIDE * 8.5 / size)
        for line in textwrap.wrap(printable(text), wide) or [""]:
            step = _LINE * size / 8.5
            self.room(step).text(_LEFT, self.y, line, fontsize=size, weight=weight, color=colour, va="top")
            self.y -= step
        self.y -= 0.004

    def heading(self, text: str) -> None:
        self.room(0.12)
        self.y -= 0.012
        self.text(text, 11, "bold", ACCENT)

    def axes(self, height: float, columns: int = 1, left: float = 0.28) -> list[Axes]:
        """Add axes side by side, `height` of a page high."""
        figure = self.room(height + 0.05)
        width = (_RIGHT - left) / columns
        places = [
            (left + k * width, self.y - height, width * (0.92 if columns > 1 else 1), height) for k in range(columns)
        ]
        self.y -= height + 0.05
        return [figure.add_axes(place) for place in places]


def printable(text: object, limit: int = 4000) -> str:
    """Text without control characters, on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:limit]


def pdf_report(items: Sequence[ReportCell | RejectedInput], models: Models) -> bytes:
    """Write a PDF report.

    Parameters
    ----------
    items : sequence of ReportCell or RejectedInput
        Cells, and rejected files or cells.
    models : Models
        The models behind the verdicts.

    Returns
    -------
    bytes
        A PDF, A4.
    """
    buffer = io.BytesIO()
    with (
        styled(_STYLE),
        PdfPages(buffer, metadata={"Title": "NeuroClass report", "CreationDate": None}) as pdf,
    ):
        writer = _Writer(pdf)
        for item in items:
            writer.new_page()
            _refusal(writer, item) if isinstance(item, RejectedInput) else _cell(writer, item, models)
        writer.heading("Models")
        for model in (models.dann, models.lspin):
            writer.text(
                "; ".join(f"{key}: {value}" for key, value in model_identity(model.predictor.card).items()), 7.5
            )
        writer.close()
    return buffer.getvalue()


def _refusal(writer: _Writer, refusal: RejectedInput) -> None:
    writer.text(f"{refusal.source} {refusal.cell}", 14, "bold")
    writer.text(f"Refused ({refusal.error.title.lower()}): {refusal.error}")


def _cell(writer: _Writer, cell: ReportCell, models: Models) -> None:
    verdict = cell.verdict
    writer.text(f"{verdict.source}: cell {verdict.cell}", 14, "bold")
    if cell.simulated:
        writer.text(SIMULATED_WARNING, 9, "bold", "#C05621")
    without = f" Without {sweeps_text(set(verdict.without_sweeps))}." if verdict.without_sweeps else ""
    writer.text(f"Species: {verdict.species}. {len(verdict.features)} of 41 features were measured.{without}")
    for name in TASKS:
        _prediction(writer, question_of(name, getattr(verdict, name)), getattr(verdict, name))
    if lines := tables.qc_lines(verdict):
        writer.heading("What to know before believing it")
        for line in lines:
            writer.text(f"– {line}")
    for name in TASKS:
        _why(writer, question_of(name, getattr(verdict, name)), getattr(verdict, name), cell.evidence[name])
    if len(cell.stress) > 1:
        writer.heading("Recording stress test")
        for name in TASKS:
            model = getattr(verdict, name).model
            for row in tables.holds_table(cell.stress, model).itertuples(index=False):
                writer.text(f"{title_of(model)}, {row[0]}: {row[2]}")
    writer.heading("Everything measured")
    _features(writer, tables.feature_table(verdict))
    writer.heading("Methods")
    writer.text(methods_paragraph(verdict, models))
    writer.text("The same numbers on the command line:")
    writer.text(cell.command, 7.5)


def _prediction(writer: _Writer, question: str, prediction: Prediction) -> None:
    writer.heading(question)
    if prediction.label:
        share = shown_share(prediction.probabilities[prediction.label])
        writer.text(f"{label_of(prediction.label)}, calibrated probability {share}", 11, "bold")
    else:
        writer.text(f"Cannot say: {prediction.abstain}", 10, "bold")
    names = sorted(prediction.probabilities, key=lambda name: prediction.probabilities[name])
    (axes,) = writer.axes(0.022 * len(names))
    bars = axes.barh(
        [label_of(name) for name in names],
        [prediction.probabilities[name] for name in names],
        color=[COLOURS.get(name, ACCENT) for name in names],
    )
    axes.bar_label(bars, labels=[f"{prediction.probabilities[name]:.1%}" for name in names], padding=3)
    axes.set(xlim=(0, 1.12), xlabel="Probability (fraction of 1)")
    members = " or ".join(label_of(name) for name in prediction.prediction_set) or "none"
    writer.text(f"{prediction.coverage:.0%} prediction set: {members}. {expected_text(prediction)}")


def _why(writer: _Writer, question: str, prediction: Prediction, evidence: Evidence) -> None:
    if not prediction.reasons:
        return
    label = max(prediction.probabilities, key=lambda name: prediction.probabilities[name])
    rows = tables.reasons_table(prediction).iloc[::-1]
    writer.room(0.15 + 0.021 * len(rows))
    writer.heading(f"Why: {question}")
    (axes,) = writer.axes(0.021 * len(rows), left=0.46)
    texts = [f"{feature_name(f)} = {shown}" for f, shown in zip(rows["feature"], rows["shown"], strict=True)]
    bars = axes.barh(texts, 100 * rows["shap"], color=[POSITIVE if value >= 0 else NEGATIVE for value in rows["shap"]])
    axes.bar_label(bars, fmt="%+.1f", padding=3, fontsize=7)
    axes.margins(x=0.2)
    axes.axvline(0, color=UNKNOWN, lw=0.6)
    axes.set(xlabel=f"SHAP value towards {label_of(label)} (percentage points)")
    for feature, panels in evidence.places.items():
        _panels(writer, feature, panels)
    if evidence.references:
        writer.text(f"Nearest reference cells: {references_text(evidence)}")
    if evidence.change is not None:
        change = evidence.change
        moved = "; ".join(
            f"{feature_name(row.feature)} {row.now} to {row.then} ({row.delta_z:+.2f} SD)"
            for row in tables.changes_table(change).itertuples()
        )
        writer.text(
            f"The smallest change found that turns {label_of(change.label)} into {label_of(change.target)} "
            f"(probability {change.probability_now:.1%} to {change.probability_then:.1%}): {moved}. "
            f"Values allowed: {change.within}."
        )


def _panels(writer: _Writer, feature: str, panels: Sequence[Panel]) -> None:
    if not panels:
        return
    writer.room(0.26)
    writer.y -= 0.035
    drawn = writer.axes(0.13, len(panels), left=_LEFT + 0.03)
    low = min(float(part.min()) for part in _potentials(panels))
    high = max(float(part.max()) for part in _potentials(panels))
    for k, (axes, panel) in enumerate(zip(drawn, panels, strict=True)):
        colour = ACCENT if k == 0 else PALETTE[(1, 4, 2)[(k - 1) % 3]]
        for trace in panel.traces[:MOST_TRACES]:
            part = crop(trace, *panel.window)
            index, kept = envelope(part.v_mv, 1000)
            axes.plot((part.start_s + index / part.rate_hz) * 1e3, kept, color=colour, lw=0.7)
        for mark in panel.marks:
            axes.plot([t * 1e3 for t in mark.t], list(mark.v), "D", ms=3, color=PALETTE[1])
        made = " (simulated)" if panel.simulated else ""
        axes.set_title(printable(f"{panel.title}{made}\n", 80) + f"\n{printable(panel.subtitle, 60)}", fontsize=7.5)
        axes.set(ylim=(low - 5, high + 5), xlabel=f"Time from {aligned_on(feature)} (ms)")
        if k == 0:
            axes.set_ylabel("Membrane potential (mV)")
        else:
            axes.tick_params(labelleft=False)
    writer.text(f"{BY_NAME[feature].title}. {BY_NAME[feature].definition}", 7.5)
    writer.y -= 0.005


def _potentials(panels: Sequence[Panel]) -> Iterator["pd.Series[float]"]:
    for panel in panels:
        for trace in panel.traces:
            part = pd.Series(crop(trace, *panel.window).v_mv).dropna()
            if len(part):
                yield part


def _features(writer: _Writer, table: pd.DataFrame) -> None:
    columns = ((_LEFT, 38), (0.36, 14), (0.49, 20), (0.62, 46))
    for row in table.to_dict("records"):
        value = row["value"]
        measured = value is not None and value == value
        texts = (
            row["label"],
            row["stimulus"],
            f"{value:.4g} {row['unit']}" if measured else "–",
            row["measured on"] if measured else row["why missing"],
        )
        figure = writer.room(0.014)
        for (x, wide), text in zip(columns, texts, strict=True):
            shown = printable(text)
            shown = shown if len(shown) <= wide else f"{shown[: wide - 1]}…"
            figure.text(x, writer.y, shown, fontsize=7, va="top")
        writer.y -= 0.0135
