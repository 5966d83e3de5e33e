"""Who is on the page: whoever logged in through the lab's OIDC provider, or else a browser."""

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from neuroclass.errors import AccessError, HistoryError
from neuroclass.io.history_usage import note_login
from neuroclass.types.visitors import EVERYONE, Right, Role, Visitor, access_settings, anonymous, logged_in
from neuroclass.ui.history.browser_identity import browser_id
from neuroclass.ui.history.store import history, place
from neuroclass.ui.text import escaped

_SECTION = "auth"
LINK = "link"
"""What the address holds a link's token under."""


def login_offered() -> bool:
    """Whether the server has a login: an ``[auth]`` section in its secrets."""
    return bool(st.secrets.load_if_toml_exists()) and _SECTION in st.secrets


def is_logged_in() -> bool:
    """Whether whoever is on the page has logged in."""
    return login_offered() and bool(st.user.get("is_logged_in"))


def visitor() -> Visitor:
    """Who is on the page, with their rights.

    Raises
    ------
    AccessError
        If the provider of the login does not say who it is.
    SettingsError
        If the server's settings of roles cannot be used.
    """
    shared, settings = place().shared, access_settings()
    if is_logged_in():
        return logged_in(st.user.to_dict(), settings, shared)
    if login_offered():
        return Visitor(browser_id(), frozenset(), Role.VISITOR)
    who = anonymous(browser_id(), shared)
    if EVERYONE in settings.admins:
        return Visitor(who.owner, frozenset(Right), Role.ADMIN)
    return who


def waits_for_login() -> bool:
    """Whether nothing is shown before whoever is on the page logs in."""
    return access_settings().required and not is_logged_in()


def admit() -> bool:
    """Draw who is logged in, or the way to log in; whether the page may be shown.

    Raises
    ------
    AccessError
        If a login is required and the server has none.
    """
    required = access_settings().required
    if not login_offered():
        if required:
            raise AccessError(
                "NEUROCLASS_LOGIN is required, but this server has no login: whoever runs it must add an [auth] "
                "section to .streamlit/secrets.toml, or unset the variable."
            )
        return True
    if is_logged_in():
        who = visitor()
        _note(who)
        with st.sidebar:
            st.caption(f"{escaped(who.name, 80)} · {who.role.value}")
            st.button("Log out", icon=":material/logout:", on_click=st.logout, key="log-out")
        return True
    if not required:
        with st.sidebar:
            _login_buttons()
        return True
    st.title("NeuroClass", anchor=False)
    again = ", then open the link again" if LINK in st.query_params else ""  # a login returns to the first page
    st.write(f"This server is for people of the lab. Log in to go on{again}.")
    _login_buttons()
    return False


def _note(who: Visitor) -> None:
    """Keep the name for the Admin page, once a session; that the database is away is said elsewhere."""
    if st.session_state.get("noted-login") == who.owner:
        return
    with suppress(HistoryError):
        note_login(history(), who)
        st.session_state["noted-login"] = who.owner


def _login_buttons() -> None:
    """A button for each provider of the secrets, or one."""
    section = st.secrets[_SECTION]
    named = [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]
    for provider in named or [""]:
        title = f"Log in with {escaped(provider, 40)}" if provider else "Log in"
        st.button(
            title,
            icon=":material/login:",
            on_click=st.login,
            args=(provider,) if provider else (),
            key=f"log-in-{provider}",
        )
