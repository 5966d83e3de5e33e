"""A read-only link to a verdict, as its owner sees it: made, shown once, withdrawn."""

from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from neuroclass.io.history_links import Link, link_of, make_link, may_link, withdraw_link
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import store
from neuroclass.ui.identity import LINK, login_offered, visitor

PAGE = "verdict"
_MADE = "made-links"


def manage(entry: str | None, model: str, cells: int = 1) -> None:
    """The link to an entry, or the way to make one.

    Parameters
    ----------
    entry : str or None
        The entry's id; None where nothing is kept, so that nothing can be linked to.
    model : str
        Version of the models whose verdict the link is to show; empty where there is none yet, so that none is made.
    cells : int
        Cells of the entry.
    """
    if entry is None:
        return
    with guarded(stop=False), st.container(border=True, key="read-only-link"):
        if not store.lasts():
            st.caption("This server keeps no history, so there is nothing that a link could show.")
        elif not may_link(store.history(), visitor(), entry):
            st.caption("Who classified this cell can make a read-only link to it.")
        elif (link := link_of(store.history(), visitor(), entry)) is None:
            _offer(entry, model, cells)
        else:
            _existing(entry, model, link)


def _offer(entry: str, model: str, cells: int) -> None:
    if not model:
        st.caption("A read-only link can be made once the cell is classified.")
        return
    _button("Make a read-only link", "link", entry, model)
    what = f"the verdicts on all {cells} cells of this file" if cells > 1 else "this verdict, its reasons and sweeps"
    who = "Everyone of the lab who has the link" if login_offered() else "Whoever reaches this server and has the link"
    st.caption(
        f"{who} sees {what}, and can export them, but not change, delete or keep anything. It goes when "
        "you withdraw it, and with the cell's entry in the history."
    )


def _existing(entry: str, model: str, link: Link) -> None:
    st.markdown(
        f":material/link: A read-only link has existed since **{moment(link.made)}**; it shows the verdict of "
        f"{moment(link.judged)}."
    )
    token, made = st.session_state.get(_MADE, {}).get(entry, ("", 0.0))
    if token and made == link.made:
        st.code(address(token), language=None, wrap_lines=True)
        st.caption("Copy it now: the server keeps only its hash, so that it cannot be shown again in a later session.")
    else:
        st.caption("It was shown when it was made. If it is lost, make a new one, which takes its place.")
    with st.container(horizontal=True):
        st.button(
            "Withdraw the link",
            icon=":material/link_off:",
            key=f"link-withdraw-{entry}",
            on_click=_withdraw,
            args=(entry,),
        )
        _button("Make a new link", "add_link", entry, model)


def _button(label: str, icon: str, entry: str, model: str) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"link-make-{entry}",
        on_click=_make,
        args=(entry, model),
        disabled=not model,
    )


def _make(entry: str, model: str) -> None:
    with guarded(stop=False):
        token = make_link(store.history(), visitor(), entry, model)
        link = link_of(store.history(), visitor(), entry)
        if link is not None:
            st.session_state.setdefault(_MADE, {})[entry] = (token, link.made)


def _withdraw(entry: str) -> None:
    with guarded(stop=False):
        withdraw_link(store.history(), visitor(), entry)
        st.session_state.get(_MADE, {}).pop(entry, None)
        st.toast("The link was withdrawn.")


def address(token: str) -> str:
    """Address of a link, on the server and under the path of the page that is open."""
    here = urlsplit(st.context.url or "")
    path = here.path.rstrip("/").rpartition("/")[0]
    return urlunsplit((here.scheme, here.netloc, f"{path}/{PAGE}", urlencode({LINK: token}), ""))


def moment(seconds: float) -> str:
    """Date and time of seconds since 1970, by the server's clock and zone."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M %Z")
