"""Identity of a browser: each has its own secret in a cookie that scripts cannot read."""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import streamlit as st

COOKIE = "neuroclass_owner"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,64}")
_DAYS = 400

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class IdentityCookie:
    """ASGI middleware that gives each new browser a secret with its first page.

    Parameters
    ----------
    app : callable
        The ASGI application.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or _sent(scope):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                message["headers"] = [*message.get("headers", ()), (b"set-cookie", _cookie(scope).encode())]
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _sent(scope: Scope) -> bool:
    headers = (value.decode("latin-1") for name, value in scope.get("headers", ()) if name.lower() == b"cookie")
    return bool(own_token(";".join(headers)))


def own_token(header: str) -> str:
    """The browser's secret in a Cookie header, whatever else is in it; empty if it is not there.

    Pairs are divided at semicolons and read one by one, since one that a strict parser refuses, such as JSON of another
    application on the same host, would lose all others.
    """
    for pair in header.split(";"):
        name, _, value = pair.partition("=")
        token = value.strip().strip('"')
        if name.strip() == COOKIE and _TOKEN.fullmatch(token):
            return token
    return ""


def _is_page(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])


def _cookie(scope: Scope) -> str:
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{COOKIE}={secrets.token_urlsafe(32)}; Path=/; Max-Age={_DAYS * 86_400}; HttpOnly; SameSite=Lax{secure}"


def browser_id() -> str:
    """The browser's secret; without cookies, one for this session only."""
    token = own_token(";".join(st.context.headers.get_all("Cookie"))) or st.context.cookies.get(COOKIE, "")
    if isinstance(token, str) and _TOKEN.fullmatch(token):
        return token
    return str(st.session_state.setdefault(COOKIE, secrets.token_urlsafe(32)))
