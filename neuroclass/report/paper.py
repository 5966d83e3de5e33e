"""The reproduced paper as one self-contained HTML page."""

import json
import re
from html import escape

from neuroclass import __version__
from neuroclass.report.page import Page, document
from neuroclass.report.paper_format import Section
from neuroclass.report.paper_sections import preface, protocols, sections, warning
from neuroclass.reports.paper_store import Reproduction

_BOLD = re.compile(r"\*\*(.+?)\*\*")
TITLE = "Reproduction of Ophir et al. 2023"
ARXIV = "https://arxiv.org/abs/2306.00528"
CITATION = (
    "Ophir, Shefi, Lindenbaum, Neuronal Cell Type Classification using Deep Learning, arXiv:2306.00528 (2023). Data: "
    "Allen Institute for Brain Science, Allen Cell Types Database (2015)."
)


def paper_page(found: Reproduction) -> str:
    """Write the page.

    Parameters
    ----------
    found : Reproduction
        From `reproduce_paper`.

    Returns
    -------
    str
        A self-contained HTML document, every number of which is in the JSON that it offers.
    """
    page = Page()
    page.add(f"<h1>{TITLE}</h1>", f'<p class="muted">{escape(CITATION)} NeuroClass {escape(__version__)}.</p>')
    if told := warning(found):
        page.add(f'<p class="note simulated">{escape(told)}</p>')
    page.add(f"<p>{escape(preface(found))}</p>")
    ways = "".join(f"<li><b>{escape(name)}:</b> {escape(meaning)}</li>" for name, meaning in protocols(found).items())
    page.add(f"<ul>{ways}</ul>")
    every = sections(found)
    links = "".join(f'<li><a href="#section-{one.key}">{escape(one.title)}</a></li>' for one in every)
    page.add(f"<ul>{links}</ul>")
    for one in every:
        _section(page, one)
    page.add("<h2>Export</h2><p>")
    text = json.dumps(dict(found.numbers), indent=1, ensure_ascii=False)
    page.download("All numbers (JSON)", "neuroclass-paper.json", text.encode(), "application/json")
    page.add("</p>")
    return document(page, f"NeuroClass: {TITLE}")


def _in_html(text: str) -> str:
    """A text with bold words."""
    return _BOLD.sub(r"<b>\1</b>", escape(text))


def _section(page: Page, one: Section) -> None:
    page.add(f'<h2 id="section-{one.key}">{escape(one.title)}</h2><p><b>{escape(one.finding)}</b></p>')
    outcomes = "; ".join(f"{name}: {said}" if name else said for name, said in one.outcomes.items())
    page.add(f"<p>{escape(outcomes)}.</p>" if outcomes else "")
    page.add(f'<p class="muted">{escape(one.shows)}</p>')
    for metric, table in one.tables.items():
        page.add(f"<h3>{escape(metric)}</h3>" if metric else "")
        page.table(table)
    if one.note:
        page.add(f'<p class="muted">{escape(one.note)}</p>')
    points = "".join(f"<li>{_in_html(point)}</li>" for point in one.why)
    page.add(f"<p><b>{escape(one.heading)}</b></p><ul>{points}</ul>")
    for drawing in one.drawings:
        page.figure(drawing.draw(), drawing.caption)
