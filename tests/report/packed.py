"""A report without its packed figures, and what is packed in it."""

import re

from neuroclass.report.packing import unpacked

_PACKED = re.compile(r'<script id="packed" type="text/plain" data-bytes="(\d+)">([^<]*)</script>')


def without_plotly(page: str) -> str:
    """The page's own HTML."""
    return page[: page.index('<script id="packed"')] + "</body></html>"


def code_of(page: str) -> str:
    """The script that the browser unpacks; fails unless there is exactly one."""
    ((size, text),) = _PACKED.findall(page)
    return unpacked(text, int(size))
