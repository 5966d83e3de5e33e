"""Identity of a browser: each has its own secret in a cookie that scripts cannot read."""

import re
import secrets

import streamlit as st

from neuroclass.ui.cookies import cookie_header, cookie_values, set_cookie
from neuroclass.ui.security import Application, Message, Receive, Scope, Send

COOKIE = "neuroclass_owner"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,64}")


class IdentityCookie:
    """ASGI middleware that gives each new browser a secret with its first page.

    Parameters
    ----------
    app : callable
        The ASGI application.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or own_token(cookie_header(scope)):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                message["headers"] = [*message.get("headers", ()), set_cookie(scope, COOKIE, secrets.token_urlsafe(32))]
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def own_token(header: str) -> str:
    """The browser's secret in a Cookie header, whatever else is in it; empty if it is not there."""
    return next(filter(_TOKEN.fullmatch, cookie_values(header, COOKIE)), "")


def _is_page(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])


def browser_id() -> str:
    """The browser's secret; without cookies, one for this session only."""
    token = own_token(";".join(st.context.headers.get_all("Cookie"))) or st.context.cookies.get(COOKIE, "")
    if isinstance(token, str) and _TOKEN.fullmatch(token):
        return token
    return str(st.session_state.setdefault(COOKIE, secrets.token_urlsafe(32)))
