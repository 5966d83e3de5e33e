"""Builder of self-contained HTML: figures with plotly packed in once, tables, downloads; nothing is fetched.

All text is passed through `escape`. A content security policy forbids any request.
"""

import base64
from html import escape

import pandas as pd
import plotly.graph_objects as go

from neuroclass.report.packing import packed

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
_HEIGHT = 450  # plotly's own
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2a30; background: #fff; max-width: 1080px; margin: 2em auto;
  padding: 0 1.2em; }
h1 { font-size: 1.7em; margin-bottom: 0; } h2 { border-top: 2px solid #0B6E8F; padding-top: .5em; margin-top: 2em; }
h3 { margin-bottom: .2em; } .muted { color: #5b6a72; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 2em; }
.pair > *, figure { min-width: 0; } .answer { font-size: 1.5em; font-weight: 600; margin: .1em 0; }
.simulated { color: #C05621; font-weight: 600; } .note { background: #fff7e0; border-left: 4px solid #E69F00;
  padding: .4em 1em; }
table { border-collapse: collapse; width: 100%; font-size: .87em; } th, td { text-align: left; padding: .22em .6em;
  border-bottom: 1px solid #dde4e8; overflow-wrap: anywhere; }
  th { overflow-wrap: normal; } td.number { text-align: right; white-space: nowrap; }
pre { background: #f2f5f7; padding: .8em; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: .6em 0; } figcaption { color: #5b6a72; font-size: .9em; }
@media (max-width: 800px) { .pair { grid-template-columns: 1fr; } }
"""


class Page:
    """Builder of a page, which also numbers its figures."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.figures: dict[str, go.Figure] = {}

    def add(self, *parts: str) -> None:
        """Add HTML as it is."""
        self.parts += parts

    def figure(self, fig: go.Figure, caption: str) -> None:
        """Add a figure; `caption` is plain text."""
        fig.update_layout(paper_bgcolor="#fff", plot_bgcolor="#fff", font={"color": "#1f2a30"}, template="plotly_white")
        name = f"figure-{len(self.figures) + 1}"
        self.figures[name] = fig
        height = fig.layout.height or _HEIGHT
        plot = f'<div id="{name}" class="plot" style="height: {height:.0f}px"></div>'
        self.add(f"<figure>{plot}<figcaption>{escape(caption)}</figcaption></figure>")

    def table(self, frame: pd.DataFrame) -> None:
        """Add a table with every value escaped."""
        head = "".join(f"<th>{escape(str(column))}</th>" for column in frame.columns)
        rows = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in frame.itertuples(index=False))
        self.add(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")

    def download(self, label: str, name: str, content: bytes, kind: str) -> None:
        """Add a download link with the file embedded."""
        data = base64.b64encode(content).decode("ascii")
        self.add(f'<a download="{escape(name)}" href="data:{kind};base64,{data}">{escape(label)}</a> ')


def _cell(value: object) -> str:
    if value is None or value != value:
        return "<td></td>"
    if isinstance(value, float):
        return f'<td class="number">{value:.4g}</td>'
    return f"<td>{escape(str(value))}</td>"


def document(page: Page, title: str = "NeuroClass report") -> str:
    """A whole document of a page, with plotly once."""
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            *page.parts,
            packed(page.figures) if page.figures else "",
            "</body></html>",
        )
    )
