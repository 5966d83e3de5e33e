"""A tour of six steps for a browser's first visit, which can be skipped and does not come back."""

import streamlit as st

from neuroclass.config import SHIPPED_DIR
from neuroclass.ui.address import page_of
from neuroclass.ui.cookies import cookie_header, cookie_values, set_cookie
from neuroclass.ui.security import Application, Message, Receive, Scope, Send

COOKIE, NEW, KNOWN = "neuroclass_tour", "new", "known"
STEP = "tour_step"
DONE = -1
STEPS: tuple[tuple[str, str, str], ...] = (
    ("overview", "Overview", "An example: one cell, its verdict, and a spike behind one of its reasons."),
    ("classify", "Classify", "Drop a recording or a table of features. The verdict says how sure it is, and why."),
    ("explore", "Explore", "Filter and compare cells, select them in the plot, and open one with its sweeps."),
    ("performance", "Performance", "How good the models are on donors they were not trained on, beside other systems."),
    ("shap_values", "SHAP", "Which features move a model, in all cells or in one. Gates shows LSPIN's few features."),
    ("methods", "Methods", "The way from file to verdict, and a picture and definition of each feature."),
)


class FirstVisit:
    """ASGI middleware that marks a browser's first page, and that it is no longer the first from the second on.

    Parameters
    ----------
    app : callable
        The ASGI application.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        known = _mark(scope) if scope["type"] == "http" else KNOWN
        if known == KNOWN:
            await self.app(scope, receive, send)
            return

        async def send_with_mark(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(scope, message):
                value = KNOWN if known == NEW else NEW
                message["headers"] = [*message.get("headers", ()), set_cookie(scope, COOKIE, value)]
            await send(message)

        await self.app(scope, receive, send_with_mark)


def _is_page(scope: Scope, message: Message) -> bool:
    """Whether this answers a page: by its type, or unchanged since the browser last had it."""
    if message["status"] == 304:
        return (b"sec-fetch-dest", b"document") in scope.get("headers", ())
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])


def _mark(scope: Scope) -> str:
    """What an earlier answer noted; empty for a new browser."""
    return next(cookie_values(cookie_header(scope), COOKIE), "")


def show(page: str) -> None:
    """Show the current step above its page; nothing for a browser that has been here before.

    Parameters
    ----------
    page : str
        Title of the page.
    """
    if STEP not in st.session_state:
        first = st.context.cookies.get(COOKIE) == NEW and page == STEPS[0][1]
        st.session_state[STEP] = 0 if first else DONE
    step = st.session_state[STEP]
    if step == DONE or STEPS[step][1] != page:
        return
    with st.container(border=True, key="tour"):
        st.markdown(f"**Tour, {step + 1} of {len(STEPS)}: {page}.** {STEPS[step][2]}")
        with st.container(horizontal=True):
            if step + 1 < len(STEPS):
                name, title, _ = STEPS[step + 1]
                if st.button(f"Next: {title}", type="primary", key="tour-next"):
                    st.session_state[STEP] = step + 1
                    st.switch_page(page_of(SHIPPED_DIR / "pages" / f"{name}.py"))
            st.button("Skip the tour" if step + 1 < len(STEPS) else "Done", key="tour-skip", on_click=_end)


def _end() -> None:
    st.session_state[STEP] = DONE
