"""Page config and navigation; each page is a file in ``pages/``."""

from pathlib import Path
from typing import Any

import streamlit as st

from neuroclass.errors import NeuroClassError
from neuroclass.types.visitors import Right
from neuroclass.ui import identity, tab_title, tour, warmup
from neuroclass.ui.guards import guarded

ROOT = Path(__file__).resolve().parent.parent

st.set_page_config(
    page_title="NeuroClass",
    page_icon=str(ROOT / "dashboard" / "icon.png"),
    layout="wide",
    initial_sidebar_state=232,  # px: room for its longest entry
)

# space, room for figures that need it, and contrast of 4.5:1 in both themes for what the theme draws paler
STYLE = """
.stMainBlockContainer {padding-top: 4.4rem; padding-bottom: 3rem}
[data-testid=stHeader] {pointer-events: none}
[data-testid=stHeader] :is(a, button) {pointer-events: auto}
.stMainBlockContainer h1 {padding-top: 0 !important}
.st-key-first-screen h2 {font-size: 1.75rem; padding: 0}
[data-testid=stCaptionContainer] {color: inherit; opacity: .8}
[data-testid=stTable] :is(th, th p) {color: inherit !important}
[data-testid=stMetricDelta] {color: inherit; opacity: .85}
.stMarkdownBadge {color: inherit !important}
.js-plotly-plot :is([class*=axislayer-], [class*=g-x], [class*=g-y]) text {
  fill: currentColor !important; fill-opacity: .8
}
[class*=st-key-footer-] > :last-child {margin-left: auto}
@media (min-width: 641px) {
  [class*=st-key-footer-] {flex-wrap: nowrap !important; align-items: flex-start !important}
  [class*=st-key-footer-] > :first-child:not(:last-child) {flex: 1 1 0; min-width: 0}
  [class*=st-key-footer-] > :last-child {flex: none; margin-top: -.4rem}
}
@media (max-width: 1000px) {
  [class*=st-key-wide-] {overflow-x: auto}
  [class*=st-key-wide-] > * {min-width: 46rem}
}
@media (min-width: 1000px) {.stMainBlockContainer {padding: 1.3rem 3.2rem 3rem}}
@media (min-width: 641px) and (max-width: 1200px) {
  [data-testid=stSidebar][aria-expanded=true] {width: 205px !important; min-width: 205px !important}
  .stMainBlockContainer {padding-left: 1.8rem; padding-right: 1.8rem}
  .st-key-who [data-testid=stColumn], .st-key-without-sweeps [data-testid=stColumn],
  .st-key-place-open [data-testid=stColumn] {min-width: 100%}
  [role=radiogroup] button {padding-left: .55rem; padding-right: .55rem}
  [role=radiogroup] button p {font-size: .84rem}
  .st-key-facts [data-testid=stColumn] {min-width: calc(33% - 1rem) !important}
  .st-key-place-axes [data-testid=stColumn] {min-width: calc(50% - 1rem)}
  .st-key-nearest [data-testid=stColumn], .st-key-cards [data-testid=stColumn] {min-width: 100%}
  .st-key-expectation [data-testid=stColumn] {min-width: 100%}
}
.st-key-asked [role=radiogroup] {flex-wrap: wrap}
[data-testid=stFileUploaderDropzoneInstructions] span {color: inherit}
:is(.st-key-front-files, .st-key-files) [data-testid=stFileUploaderDropzone] {
  min-height: 6.5rem; border: 1.5px dashed #8FA3AD; align-items: center
}
:is(.st-key-front-files, .st-key-files) [data-testid=stFileUploaderDropzoneInstructions]::before {
  content: "or drop files here · "; white-space: pre
}
.js-plotly-plot text[style*="fill: rgb(128, 132, 149)"] {fill: #4F5C66 !important}
[data-testid=stBaseButton-primary], [data-testid=stBaseButton-primaryFormSubmit] {
  background: #0B6E8F; border-color: #0B6E8F; color: #FFFFFF
}
"""


def _page(name: str, title: str, icon: str, **options: Any) -> st.Page:
    path = ROOT / "pages" / f"{name}.py"
    return st.Page(path, title=title, icon=f":material/{icon}:", url_path=title.lower(), **options)


def _for_admins() -> list[st.Page]:
    """The Admin page, for those who may see it."""
    try:
        shown = identity.visitor().may(Right.ADMINISTER)
    except NeuroClassError:  # said where the page is drawn
        shown = False
    return [_page("admin", "Admin", "admin_panel_settings")] if shown else []


with guarded():
    waits = identity.waits_for_login()
page = st.navigation(
    {
        "Cells": [
            _page("overview", "Overview", "home", default=True),
            _page("explore", "Explore", "scatter_plot"),
            _page("classify", "Classify", "upload_file"),
            _page("archive", "Archive", "public"),
            _page("history", "History", "history"),
            _page("verdict", "Verdict", "link", visibility="hidden"),
        ],
        "Models": [
            _page("performance", "Performance", "grid_on"),
            _page("train", "Train", "model_training"),
            _page("models_library", "Models", "deployed_code"),
        ],
        "Reasons": [
            _page("shap_values", "SHAP", "bar_chart"),
            _page("gates", "Gates", "tune"),
            _page("domains", "Domains", "blur_on"),
        ],
        "About": [
            _page("methods", "Methods", "menu_book"),
            _page("paper", "Paper", "article"),
            *_for_admins(),
        ],
    },
    expanded=True,
    position="hidden" if waits else "sidebar",
)
st.html(f"<style>{STYLE}</style>")
st.logo(str(ROOT / "dashboard" / "wordmark.png"), size="large", icon_image=str(ROOT / "dashboard" / "icon.png"))
if page.url_path in ("classify", "history", "verdict"):
    warmup.wait()
tab_title.show(page.title)
with guarded():
    if identity.admit():
        tour.show(page.title)
        page.run()
