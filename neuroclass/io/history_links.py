"""Read-only links to verdicts: made and withdrawn by who owns the entry, opened by whoever has the token.

The database holds the token's hash only. A link shows what was answered when it was made, whatever its owner corrects
later; it goes with its entry.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from neuroclass import __version__
from neuroclass.errors import HistoryError
from neuroclass.io.history import Entry, History, entry_of, hidden_owner, writable
from neuroclass.io.history_tables import EntryRow, LinkRow
from neuroclass.types.visitors import Owner, Right, visitor_of

TOKEN_BYTES = 32


@dataclass(frozen=True)
class Link:
    """A link that exists.

    Attributes
    ----------
    made, judged : float
        When it was made, and when the verdicts were given that it shows, s since 1970.
    model : str
        Version of the models that gave them.
    software : str
        Version of NeuroClass.
    """

    made: float
    judged: float
    model: str
    software: str


@dataclass(frozen=True)
class Shared:
    """What a link shows.

    Attributes
    ----------
    entry : Entry
        Files and names, with the metadata under which the verdicts were given.
    link : Link
        When and by what they were given.
    answers : list of dict
        The verdicts, as ``classify --json`` prints them.
    """

    entry: Entry
    link: Link
    answers: list[dict[str, Any]]


def make_link(history: History, owner: Owner, id: str, model: str, now: float | None = None) -> str:
    """Make a link to an entry's verdicts by one version of the models; it takes the place of an earlier one.

    Returns
    -------
    str
        The token, which is kept nowhere.

    Raises
    ------
    HistoryError
        If the owner has no such entry, it holds no such verdicts, or the database cannot be used.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with history.database.session(alone=id) as session:
        row = history.row(session, owner, id, Right.MANAGE_OTHERS)
        answer = None if row is None else next((one for one in row.answers if one.model == model), None)
        if row is None or answer is None:
            raise HistoryError(
                "There is no kept verdict of these models to link to; it may have been deleted. Open the cell on "
                "Classify, so that it is classified and kept again, and make the link there."
            )
        row.link = None
        session.flush()
        row.link = LinkRow(
            token=_hidden(token),
            made=time.time() if now is None else now,
            judged=answer.written,
            context=row.context,
            model=model,
            software=__version__,
            content=answer.content,
        )
    return token


def may_link(history: History, owner: Owner, id: str) -> bool:
    """Whether a visitor may make and withdraw the link to an entry."""
    with history.database.session() as session:
        return history.row(session, owner, id, Right.MANAGE_OTHERS) is not None


def link_of(history: History, owner: Owner, id: str) -> Link | None:
    """The link to an entry; None where there is none, or no such entry of the owner's."""
    with history.database.session() as session:
        row = history.row(session, owner, id, Right.MANAGE_OTHERS)
        return None if row is None or row.link is None else _link(row.link)


def withdraw_link(history: History, owner: Owner, id: str) -> bool:
    """Make an entry's link lead nowhere; whether there was one."""
    with history.database.session(alone=id) as session:
        row = history.row(session, owner, id, Right.MANAGE_OTHERS)
        if row is None or row.link is None:
            return False
        row.link = None
        return True


def linked(history: History, owner: Owner) -> Mapping[str, float]:
    """When the links to the owner's entries were made, s since 1970, by entry."""
    chosen = select(LinkRow.entry, LinkRow.made).join(EntryRow, EntryRow.id == LinkRow.entry)
    with history.database.session() as session:
        found = session.execute(chosen.where(EntryRow.owner == hidden_owner(owner)))
        return {row[0]: row[1] for row in found}


def open_link(history: History, reader: Owner, token: str) -> Shared | None:
    """What a link shows; None if it was withdrawn or never existed.

    Nothing changes by it but that the files count as used, so that they do not make way for others first: neither when
    the entry goes, nor what the reader has.

    Raises
    ------
    AccessError
        If the reader may not open links; whether there is this one is not looked up.
    HistoryError
        If the database cannot be used.
    """
    visitor_of(reader, history.shared).require(Right.OPEN_LINKS)
    with history.database.session() as session:
        link = session.scalar(select(LinkRow).where(LinkRow.token == _hidden(token)))
        if link is None:
            return None
        entry = entry_of(session.get_one(EntryRow, link.entry))
        entry = replace(entry, context=json.loads(link.context), models=(link.model,))
        shared = Shared(entry, _link(link), json.loads(link.content))
    with suppress(OSError):
        history.spool.touch(file.digest for file in entry.files)
    return shared


def _hidden(token: str) -> str:
    return hashlib.sha256(writable(token).encode()).hexdigest()


def _link(row: LinkRow) -> Link:
    return Link(row.made, row.judged, row.model, row.software)
