"""A report as one HTML file: interactive figures with plotly packed in once, tables, JSON and CSV; nothing is fetched.

All text from users and files is passed through `escape`. A content security policy forbids any request.
"""

import json
from collections.abc import Iterator, Sequence
from html import escape

import pandas as pd

from neuroclass import __version__
from neuroclass.cell_types import label_of
from neuroclass.charts import evidence as charts
from neuroclass.charts.comparison import side_by_side
from neuroclass.charts.evaluation import probabilities
from neuroclass.classification.models import Models
from neuroclass.classification.result import Prediction
from neuroclass.classification.stress import UNITS
from neuroclass.classification.wording import promise_line
from neuroclass.ephys.sweep import SIMULATED_WARNING
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.errors import RejectedInput
from neuroclass.features import BY_NAME
from neuroclass.io.export import to_csv
from neuroclass.report import tables
from neuroclass.report.content import TASKS, Evidence, ReportCell, question_of
from neuroclass.report.methods import methods_paragraph, model_identity
from neuroclass.report.page import Page, document
from neuroclass.report.places import aligned_on
from neuroclass.types.models import title_of


def html_report(items: Sequence[ReportCell | RejectedInput], models: Models) -> str:
    """Write an HTML report.

    Parameters
    ----------
    items : sequence of ReportCell or RejectedInput
        Cells, and rejected files or cells.
    models : Models
        The models behind the verdicts.

    Returns
    -------
    str
        A self-contained HTML document.
    """
    page = Page()
    cells = [item for item in items if isinstance(item, ReportCell)]
    page.add("<h1>NeuroClass report</h1>", f'<p class="muted">{len(cells)} cells, NeuroClass {escape(__version__)}</p>')
    if len(items) > 1:
        page.table(pd.DataFrame(_overview(items)))
    for item in items:
        _refusal(page, item) if isinstance(item, RejectedInput) else _one_cell(page, item, models)
    page.add("<h2>Models</h2>")
    page.table(pd.DataFrame([model_identity(m.predictor.card) for m in (models.dann, models.lspin)]))
    payload = [item.verdict.to_json() if isinstance(item, ReportCell) else item.to_json() for item in items]
    page.add("<h2>Export</h2><p>")
    whole = json.dumps(payload, indent=1, ensure_ascii=False)
    page.download("All results (JSON)", "neuroclass-verdicts.json", whole.encode(), "application/json")
    page.add("</p>")
    return document(page)


def _overview(items: Sequence[ReportCell | RejectedInput]) -> Iterator[dict[str, str]]:
    for item in items:
        if isinstance(item, RejectedInput):
            yield {
                "file": item.source,
                "cell": item.cell,
                "species": "",
                "verdict": f"refused: {item.error.title.lower()}",
            }
        else:
            v = item.verdict
            verdict = " / ".join(label_of(t.label) if t.label else "cannot say" for t in (v.broad, v.subclass))
            yield {"file": v.source, "cell": v.cell, "species": v.species, "verdict": verdict}


def _refusal(page: Page, refusal: RejectedInput) -> None:
    where = f"{refusal.source} / {refusal.cell}" if refusal.cell else refusal.source
    page.add(f"<h2>{escape(where)}</h2>", f'<p class="note">Refused ({escape(refusal.error.title.lower())}): ',
             f"{escape(str(refusal.error))}</p>")  # fmt: skip


def _one_cell(page: Page, cell: ReportCell, models: Models) -> None:
    verdict = cell.verdict
    made = f'<p class="simulated">{SIMULATED_WARNING}</p>' if cell.simulated else ""
    page.add(f"<h2>{escape(verdict.source)}: cell {escape(verdict.cell)}</h2>{made}")
    without = f" Without {sweeps_text(set(verdict.without_sweeps))}." if verdict.without_sweeps else ""
    page.add(f'<p class="muted">Species: {escape(verdict.species)}.{without}</p><div class="pair">')
    for name in TASKS:
        page.add("<div>")
        _prediction(page, question_of(name, getattr(verdict, name)), getattr(verdict, name), cell.simulated)
        page.add("</div>")
    page.add("</div><h3>Quality and typicality</h3>")
    total = len(verdict.features) + len(verdict.missing)
    page.add(f"<p>{len(verdict.features)} of {total} features were measured.</p>")
    if lines := tables.qc_lines(verdict):
        page.add(f'<ul class="note">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>')
    for name in TASKS:
        _why(
            page, question_of(name, getattr(verdict, name)), getattr(verdict, name), cell.evidence[name], cell.simulated
        )
    if len(cell.stress) > 1:
        _stress(page, cell)
    page.add("<h3>Everything measured</h3>")
    table = tables.feature_table(verdict)
    page.table(table.drop(columns="feature"))
    page.add("<p>")
    page.download("Features (CSV)", "neuroclass-features.csv", to_csv(table, simulated=cell.simulated), "text/csv")
    page.add(f"</p><h3>Methods</h3><p>{escape(methods_paragraph(verdict, models))}</p>")
    page.add(f"<p>The same numbers on the command line:</p><pre>{escape(cell.command)}</pre>")


def _prediction(page: Page, question: str, prediction: Prediction, simulated: bool) -> None:
    page.add(f'<p class="muted">{escape(question)}</p>')
    if prediction.label:
        share = prediction.probabilities[prediction.label]
        page.add(
            f'<p class="answer">{escape(label_of(prediction.label))}</p>'
            f"<p>Calibrated probability {shown_share(share)}.</p>"
        )
    else:
        page.add(f'<p class="answer">Cannot say</p><p>{escape(prediction.abstain)}</p>')
    names, values = list(prediction.probabilities), list(prediction.probabilities.values())
    members = " or ".join(label_of(name) for name in prediction.prediction_set) or "none"
    page.figure(probabilities(names, values, prediction.prediction_set).update_layout(height=110 + 34 * len(names)),
                f"{prediction.coverage:.0%} prediction set: {members}. Outlined: outside the set."
                + (" Simulated cell." if simulated else ""))  # fmt: skip
    page.add(f"<p>{escape(expected_text(prediction))}</p>")


def shown_share(share: float) -> str:
    """A probability as display text; never 100%."""
    return "over 99.9%" if share > 0.999 else f"{share:.1%}"


def expected_text(prediction: Prediction) -> str:
    """Describe the cell's typicality, the expected accuracy, and which sweep to record next."""
    parts = []
    if prediction.typicality is not None:
        parts.append(
            f"Typicality: {prediction.typicality:.1%} of held-out cells are at least as unusual on their features."
        )
    promise = promise_line(prediction)
    if promise:
        parts.append(promise)
    if prediction.next_sweep:
        stimulus = str(prediction.next_sweep["stimulus"]).replace("_", " ")
        parts.append(f"Recording {stimulus} sweeps next would help most, to {prediction.next_sweep['accuracy']:.1%}.")
    return " ".join(parts)


def _why(page: Page, question: str, prediction: Prediction, evidence: Evidence, simulated: bool) -> None:
    if not prediction.reasons:
        return
    label = max(prediction.probabilities, key=lambda name: prediction.probabilities[name])
    page.add(f"<h3>Why: {escape(question)}</h3>")
    page.figure(
        charts.reasons(tables.reasons_table(prediction), label, simulated=simulated),
        f"SHAP values towards {label_of(label)} by {title_of(prediction.model)}, in percentage points, relative to "
        "prototypes of the training cells with the same features present.",
    )
    for feature, panels in evidence.places.items():
        page.figure(
            side_by_side(panels, aligned_on(feature)), f"{BY_NAME[feature].title}. {BY_NAME[feature].definition}"
        )
    if evidence.references:
        page.add(f"<p>Nearest reference cells: {escape(references_text(evidence))}</p>")
    if evidence.change is not None:
        change = evidence.change
        page.figure(
            charts.changes(tables.changes_table(change), simulated=simulated),
            f"The smallest change found that turns {label_of(change.label)} into {label_of(change.target)}: "
            f"probability {change.probability_now:.1%} to {change.probability_then:.1%}. Values allowed: "
            f"{change.within}.",
        )


def references_text(evidence: Evidence) -> str:
    """Describe the nearest reference cells and their distances."""
    return "; ".join(
        f"{label_of(label)}: {'simulated' if cell.simulated else 'recorded'} cell {cell.cell_id} ({cell.species}), "
        f"{cell.distance:.2f} standard deviations per feature away on {cell.n_shared} features"
        for label, cell in evidence.references.items()
    )


def _stress(page: Page, cell: ReportCell) -> None:
    page.add("<h3>Recording stress test</h3>")
    for name in TASKS:
        prediction: Prediction = getattr(cell.verdict, name)
        table = tables.stress_table(cell.stress, prediction.model)
        label = cell.stress[0].top(prediction.model)
        page.table(tables.holds_table(cell.stress, prediction.model))
        as_recorded = float(table["probability"].iloc[0])
        page.figure(
            charts.stress(table.iloc[1:], label, UNITS, as_recorded, simulated=cell.simulated),
            f"Probability of {label_of(label)} by {title_of(prediction.model)} under each variant; dotted: as "
            "recorded; cross: the label flips.",
        )
