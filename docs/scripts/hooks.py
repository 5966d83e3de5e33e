"""What the site's build adds: pages made from the code, the decisions in the navigation, equations as MathML."""

import html
import re
from pathlib import Path
from typing import Any

import generated
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

DECISIONS = "Decisions"
_MATH = re.compile(r'<(span|div) class="arithmatex">(\\\(|\\\[)(.*?)(?:\\\)|\\\])</\1>', re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List every decision in the navigation."""
    names = [f"adr/{path.name}" for path in generated.decisions(Path(config.docs_dir))]
    config.nav = _with_decisions(config.nav, ["adr/index.md", *names])
    return config


def _with_decisions(nav: Any, pages: list[str]) -> Any:
    if isinstance(nav, list):
        return [_with_decisions(item, pages) for item in nav]
    if isinstance(nav, dict):
        return {key: pages if key == DECISIONS else _with_decisions(value, pages) for key, value in nav.items()}
    return nav


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    for address, text in generated.pages(Path(config.docs_dir)).items():
        files.append(File.generated(config, address, content=text))
    return files


def on_page_content(content: str, **_: Any) -> str:
    """Replace equations by MathML, which browsers draw without a script."""
    return _MATH.sub(lambda m: convert(html.unescape(m[3]), display="block" if m[2] == r"\[" else "inline"), content)
