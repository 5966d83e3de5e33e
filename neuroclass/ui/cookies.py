"""Cookies of requests and answers, on the ASGI level."""

from collections.abc import Iterator

from neuroclass.ui.security import Scope

DAYS = 400


def cookie_header(scope: Scope) -> str:
    """A request's cookies as they came."""
    headers = (value.decode("latin-1") for name, value in scope.get("headers", ()) if name.lower() == b"cookie")
    return ";".join(headers)


def cookie_values(header: str, name: str) -> Iterator[str]:
    """Values under a name in a Cookie header, whatever else is in it.

    Pairs are divided at semicolons and read one by one, since one that a strict parser refuses, such as JSON of another
    application on the same host, would lose all others.
    """
    for pair in header.split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            yield value.strip().strip('"')


def set_cookie(scope: Scope, name: str, value: str) -> tuple[bytes, bytes]:
    """The header that sets a cookie which scripts cannot read."""
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    text = f"{name}={value}; Path=/; Max-Age={DAYS * 86_400}; HttpOnly; SameSite=Lax{secure}"
    return b"set-cookie", text.encode()
