"""A browser keeps its identity whatever other applications on the same host put into its cookies."""

import pytest

from neuroclass.ui.history.browser_identity import COOKIE, IdentityCookie, own_token
from tests import loops

TOKEN = "t" * 43
FOREIGN = [
    *('prefs={"a": [1, 2], "b": "x"}', "with space=a b", "gr\u00fc\u00dfe=\u00e9t\u00e9"),
    *("=", "bare", "a[b]=1", 'q="open'),
]


def headers_sent(*cookies: bytes) -> list[bytes]:
    """Names of the headers of the page that a browser with these Cookie headers is given."""
    names: list[bytes] = []

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})

    async def send(message) -> None:
        names.extend(name for name, _ in message["headers"])

    scope = {"type": "http", "headers": [(b"cookie", one) for one in cookies]}
    loops.run(IdentityCookie(app)(scope, None, send))
    return names


@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_foreign_cookie_before_or_after_makes_no_new_owner(foreign):
    own = f"{COOKIE}={TOKEN}"
    for header in (f"{foreign}; {own}", f"{own}; {foreign}", f"{foreign};{own};{foreign}"):
        assert own_token(header) == TOKEN
        assert b"set-cookie" not in headers_sent(header.encode("utf-8"))
    assert b"set-cookie" not in headers_sent(foreign.encode("utf-8"), own.encode())


@pytest.mark.parametrize("header", ["", f"{COOKIE}=short", f"x{COOKIE}={TOKEN}", f"a={COOKIE}={TOKEN}", *FOREIGN])
def test_a_browser_without_a_secret_is_given_one(header):
    assert own_token(header) == ""
    assert b"set-cookie" in headers_sent(header.encode("utf-8"))
