"""How much of the history is whose, and what those are called who logged in."""

import time
from dataclasses import dataclass

from sqlalchemy import func, select

from neuroclass.io.history import History, hidden_owner, writable
from neuroclass.io.history_tables import EntryRow, FileRow, PersonRow
from neuroclass.types.visitors import OPERATOR, Right, Visitor


@dataclass(frozen=True)
class Usage:
    """What one owner has in the history.

    Attributes
    ----------
    owner : str
        Hash of the owner, as the database holds it.
    entries : int
        Number of entries.
    bytes : int
        Size of their files; a content that several of them hold counts once.
    opened : float
        When one of them was last opened, s since 1970.
    name : str
        What the owner is called; empty for a browser.
    """

    owner: str
    entries: int
    bytes: int
    opened: float
    name: str = ""


def usage(history: History, owner: str = "", by: Visitor = OPERATOR) -> list[Usage]:
    """What each owner has, most bytes first; of one owner's hash, where it is given.

    Raises
    ------
    AccessError
        If who asks does not administer the server.
    HistoryError
        If the database cannot be used.
    """
    by.require(Right.ADMINISTER)
    entries = select(EntryRow.owner, func.count(), func.max(EntryRow.opened)).group_by(EntryRow.owner)
    contents = select(EntryRow.owner, FileRow.digest, func.max(FileRow.size).label("size")).join(
        FileRow, FileRow.entry == EntryRow.id
    )
    contents = contents.group_by(EntryRow.owner, FileRow.digest)
    if owner:
        entries, contents = entries.where(EntryRow.owner == owner), contents.where(EntryRow.owner == owner)
    distinct = contents.subquery()
    sizes = select(distinct.c.owner, func.sum(distinct.c.size)).group_by(distinct.c.owner)
    with history.database.session() as session:
        held = {row[0]: int(row[1]) for row in session.execute(sizes)}
        names = {row.owner: row.name for row in session.scalars(select(PersonRow))}
        found = [
            Usage(row[0], row[1], held.get(row[0], 0), row[2], names.get(row[0], ""))
            for row in session.execute(entries)
        ]
    return sorted(found, key=lambda one: (-one.bytes, one.owner))


def note_login(history: History, who: Visitor, now: float | None = None) -> None:
    """Keep what someone who logged in is called, until they have stayed away for as long as entries are kept.

    Raises
    ------
    HistoryError
        If the database cannot be used.
    """
    seen, me = time.time() if now is None else now, hidden_owner(who)
    with history.database.session(alone=me) as session:
        session.merge(PersonRow(owner=me, name=writable(who.name), seen=seen))
