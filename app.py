"""The dashboard's entry point: ``streamlit run app.py``.

The navigation lives in ``dashboard/main.py``, whose folder has no ``pages/`` beside it, so that a
first visit to any page's URL finds that page.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from neuroclass.ui import housekeeping, monitoring, warmup
from neuroclass.ui.arrivals import LargeUploads
from neuroclass.ui.history.browser_identity import IdentityCookie
from neuroclass.ui.security import OwnOrigin, SafeHeaders
from neuroclass.ui.tour import FirstVisit
from neuroclass.work.threads import one_thread_each


@asynccontextmanager
async def warmed_up(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Import and compile slow parts while the server waits for its first visitor, then keep it tidy."""
    one_thread_each()
    housekeeping.keep_less()
    warmup.start()
    tidying = asyncio.create_task(housekeeping.run())
    yield {}
    tidying.cancel()
    with suppress(asyncio.CancelledError):
        await tidying


MIDDLEWARE = (SafeHeaders, OwnOrigin, IdentityCookie, FirstVisit, LargeUploads)
app = st.App(
    "dashboard/main.py",
    lifespan=warmed_up,
    routes=monitoring.ROUTES,
    middleware=[Middleware(each) for each in MIDDLEWARE],
    on_script_error=monitoring.note_error,
)
