"""What the server tells browsers to refuse, and whose pages it talks to: ASGI middleware around Streamlit."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from streamlit import config

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' blob: data:",
    "worker-src": "'self' blob:",
    "frame-src": "'self' blob: data:",
    "media-src": "'self' blob: data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
"""Content security policy: everything from this server alone, shown in no other site's frame."""

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", "; ".join(f"{name} {value}" for name, value in POLICY.items()).encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),
)


class SafeHeaders:
    """Adds `HEADERS` to every answer.

    Parameters
    ----------
    app : callable
        The ASGI application.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in HEADERS}
                theirs = [pair for pair in message.get("headers", ()) if pair[0].lower() not in ours]
                message["headers"] = [*theirs, *HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers)


class OwnOrigin:
    """Refuses requests that pages of another origin make, websockets above all, which browsers let any page open.

    Accepted are requests without an Origin, which do not come from a page; those of the address they are sent to; and
    those of ``browser.serverAddress`` and ``server.corsAllowedOrigins``. With ``server.enableCORS = false`` all are
    accepted, as Streamlit then does itself.

    Parameters
    ----------
    app : callable
        The ASGI application.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request or a websocket."""
        if scope["type"] not in ("http", "websocket") or not _foreign(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"This page is not the server's own."})


def _foreign(scope: Scope) -> bool:
    origins = _values(scope, b"origin")
    if not origins or not config.get_option("server.enableCORS"):
        return False
    return not all(accepted(origin, _values(scope, b"host")) for origin in origins)


def accepted(origin: str, hosts: Iterable[str]) -> bool:
    """Whether a page of that origin may talk to the server, which was addressed as `hosts`."""
    if origin in config.get_option("server.corsAllowedOrigins"):
        return True
    parts = urlsplit(origin)
    if parts.netloc and parts.netloc in hosts:
        return True
    return config.is_manually_set("browser.serverAddress") and parts.hostname == str(
        config.get_option("browser.serverAddress")
    )


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope.get("headers", ()) if name.lower() == wanted]
