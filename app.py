"""The dashboard's entry point: ``streamlit run app.py``.

The navigation lives in ``dashboard/main.py``, whose folder has no ``pages/`` beside it, so that a
first visit to any page's URL finds that page.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from neuroclass.ui import warmup
from neuroclass.ui.history.browser_identity import IdentityCookie


@asynccontextmanager
async def warmed_up(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Import and compile slow parts while the server waits for its first visitor."""
    warmup.start()
    yield {}


app = st.App("dashboard/main.py", lifespan=warmed_up, middleware=[Middleware(IdentityCookie)])
