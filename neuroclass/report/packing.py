"""Figures and plotly.js as one compressed script, which the browser unpacks from the page itself.

plotly.js is 4.8 MB of text, more than all else in a report. It is compressed with gzip, written in the base of 85 that
`base64.b85encode` has (its ``<`` as ``,``, so that no tag can begin in it), and unpacked by the browser's own
DecompressionStream, which Chrome and Edge have since 2020, Firefox and Safari since 2023.
"""

import base64
import gzip
import json
import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from neuroclass.types.arrays import Floats

OPTIONS = {"displaylogo": False, "responsive": True, "toImageButtonOptions": {"format": "svg"}}
TOO_OLD = "The figures need a newer browser: Chrome or Edge 80, Firefox 113, Safari 16.4 or later."
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~"
_STEPS = 2**12  # of an axis, at least: finer than a screen
_SAMPLES = re.compile(r'\{"dtype":"f4","bdata":"([^"]*)"\}')
_SUMS = "const sums = (steps, unit) => { let at = 0; return steps.map(step => (at += step) * unit); };"
_DRAW = "for (const [id, one] of Object.entries(figures)) Plotly.newPlot(id, one.data, one.layout, options);"
_UNPACK = """<script id="packed" type="text/plain" data-bytes="{size}">{text}</script>
<script>
(async () => {{
  const packed = document.getElementById("packed"), text = packed.textContent, digits = {digits};
  const value = new Uint8Array(128);
  for (let i = 0; i < 85; i++) value[digits.charCodeAt(i)] = i;
  const words = new DataView(new ArrayBuffer(text.length / 5 * 4));
  for (let i = 0; i < text.length; i += 5) {{
    let word = 0;
    for (let k = 0; k < 5; k++) word = word * 85 + value[text.charCodeAt(i + k)];
    words.setUint32(i / 5 * 4, word);
  }}
  const bytes = new Uint8Array(words.buffer, 0, Number(packed.dataset.bytes));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(unpacked).text();
  document.head.append(script);
}})().catch(() => document.querySelectorAll(".plot").forEach(plot => plot.textContent = {too_old}));
</script>"""


def packed(figures: Mapping[str, go.Figure]) -> str:
    """Write figures, and plotly once, as HTML that draws each into the element of its id.

    Parameters
    ----------
    figures : mapping of str to plotly.graph_objects.Figure
        By the id of the element.

    Returns
    -------
    str
        Two script elements, to stand after those elements. Samples have the precision of a screen.
    """
    drawn = ", ".join(f"{json.dumps(name)}: {lighter(fig).to_json()}" for name, fig in figures.items())
    samples: dict[str, int] = {}  # each series once, for figures share sweeps
    drawn = _SAMPLES.sub(lambda found: f"samples[{samples.setdefault(found[1], len(samples))}]", drawn)
    series = ", ".join(map(_steps, samples))
    data = f"const options = {json.dumps(OPTIONS)}, samples = [{series}], figures = {{{drawn}}};"
    code = "\n".join((get_plotlyjs(), _SUMS, data, _DRAW))
    content = gzip.compress(code.encode(), 9, mtime=0)
    padded = content + bytes(-len(content) % 4)
    text = base64.b85encode(padded).decode("ascii").replace("<", ",")
    return _UNPACK.format(size=len(content), text=text, digits=json.dumps(_DIGITS), too_old=json.dumps(TOO_OLD))


def unpacked(text: str, size: int) -> str:
    """Read back what `packed` wrote between its first tags, as the browser does."""
    content = base64.b85decode(text.replace(",", "<"))[:size]
    return gzip.decompress(content).decode()


def lighter(fig: go.Figure) -> go.Figure:
    """Take from a figure's lines what a screen cannot show.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        Left as it is.

    Returns
    -------
    plotly.graph_objects.Figure
        Numbers of lines are single precision, rounded to at most 1/4,096 of their range; points within a flat stretch
        are left out.
    """
    found = go.Figure(fig)
    for line in found.data:
        if line.type == "scatter" and line.mode == "lines" and line.line.shape in (None, "linear"):
            x, y = np.asarray(line.x), np.asarray(line.y)
            if x.size == y.size >= 3 and x.dtype == y.dtype == np.float64 and np.all(np.isfinite([x, y])):
                x, y = _rounded(x), _rounded(y)
                flat = (y[:-2] == y[1:-1]) & (y[1:-1] == y[2:])
                bends = np.concatenate([[True], ~flat, [True]])
                line.update({"x": x[bends], "y": y[bends]})
    return found


def _rounded(values: Floats) -> npt.NDArray[np.float32]:
    """Single precision with as few digits set as the range asks for, which compresses well."""
    unit = _unit(values)
    return (np.round(values / unit) * unit).astype(np.float32)


def _unit(values: Floats) -> float:
    """The largest power of two that divides the range into enough steps."""
    span = float(np.ptp(values)) or 1.0
    return float(2.0 ** np.floor(np.log2(span / _STEPS)))


def _steps(text: str) -> str:
    """JavaScript for rounded numbers: their differences in units, which are small whole numbers."""
    values = np.frombuffer(base64.b64decode(json.loads(f'"{text}"')), np.float32).astype(float)
    unit = _unit(values)
    steps = np.diff(np.round(values / unit).astype(int), prepend=0)
    return f"sums({json.dumps(steps.tolist(), separators=(',', ':'))}, {unit!r})"
