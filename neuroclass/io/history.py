"""History of classified cells in a database: SQLite in a folder, or a server given by its URL.

An upload is stored before it is classified, so a crash loses nothing. Each entry has an owner; nobody else can
find, open or delete it, unless the lab shares its history.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session, selectinload

from neuroclass.errors import HistoryError
from neuroclass.io.history_database import Database
from neuroclass.io.history_tables import AnswerRow, EntryRow, FileRow, PersonRow
from neuroclass.io.quotas import NO_QUOTAS, Quotas
from neuroclass.io.spool import Spool
from neuroclass.types.visitors import OPERATOR, Owner, Right, Visitor, visitor_of

DAY_S = 86_400.0
LISTED = 500
MOST_WORDS = 30
_AT_ONCE = 500
PENDING, DONE = "pending", "done"


@dataclass(frozen=True)
class StoredFile:
    """A file of an entry: name, SHA-256 and size in bytes."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True)
class Entry:
    """Files uploaded as one input, and the state of their classification.

    Attributes
    ----------
    id : str
        Unguessable; used in links.
    name, cell : str
        File names; the cell's name if several files form one cell.
    files : tuple of StoredFile
        In the order given.
    context : mapping
        The cell's metadata, as `neuroclass.classification.metadata.to_json` writes it.
    state : str
        ``pending`` until a verdict is stored, then ``done``.
    written, opened : float
        First stored and last opened, seconds since 1970.
    summary : str
        Cells and labels, for display and search.
    models : tuple of str
        Model versions with stored verdicts, latest last.
    """

    id: str
    name: str
    cell: str
    files: tuple[StoredFile, ...]
    context: Mapping[str, Any]
    state: str
    written: float
    opened: float
    summary: str
    models: tuple[str, ...]


_ALL = (selectinload(EntryRow.files), selectinload(EntryRow.answers).load_only(AnswerRow.model))


class History:
    """The database and the folder of uploaded files.

    Parameters
    ----------
    url : str
        SQLAlchemy URL of the database, such as ``sqlite:////home/me/history.sqlite``.
    spool : Spool
        Store of the uploaded files.
    shared : bool
        Whether the lab can see all entries; see `neuroclass.types.visitors`.
    quotas : Quotas
        What one owner may have.

    Raises
    ------
    HistoryError
        If the database cannot be opened.
    """

    def __init__(self, url: str, spool: Spool, shared: bool = False, quotas: Quotas = NO_QUOTAS) -> None:
        self.spool, self.shared, self.quotas = spool, shared, quotas
        self.database = Database(url)

    def generation(self) -> str:
        """Changes when the database is replaced, restored or vanishes, so that what was kept in it is not there."""
        return self.database.generation()

    def begin(
        self,
        owner: Owner,
        files: Sequence[StoredFile],
        context: Mapping[str, Any],
        cell: str = "",
        now: float | None = None,
    ) -> str:
        """Store an upload before it is classified; returns the entry's id.

        The same files under the same names with the same cell name share an entry, whose metadata are replaced.

        Raises
        ------
        HistoryError
            If the database cannot be used; this and every other operation.
        QuotaError
            If it is new, and the owner has as much as the server allows.
        """
        name, written, cell = writable(" + ".join(f.name for f in files)), json.dumps(context), writable(cell)
        now = time.time() if now is None else now
        key = hashlib.sha256(json.dumps([[f.digest for f in files], cell]).encode()).hexdigest()
        me, claimant = hidden_owner(owner), self._visitor(owner).owner
        with self.database.session(alone=f"{me} {key}") as session:
            mine = select(EntryRow).where(EntryRow.owner == me, EntryRow.key == key)
            row = session.scalar(mine.where(EntryRow.name == name).limit(1))
            if row is None:
                self.quotas.check_entry(session, me, {file.digest: file.size for file in files})
                row = EntryRow(id=secrets.token_urlsafe(16), owner=me, key=key, written=now, summary="")
                row.files = [
                    FileRow(position=k, name=writable(f.name), digest=f.digest, size=f.size)
                    for k, f in enumerate(files)
                ]
                session.add(row)
            if row.context is not None and json.loads(row.context) != json.loads(written):
                row.answers = []  # they were given for other metadata
            row.name, row.cell = name, cell
            row.context, row.state, row.opened = written, PENDING, now
            session.flush()
            id = row.id
        with suppress(OSError):
            self.spool.touch(file.digest for file in files)
            self.spool.release((file.digest for file in files), claimant)
        return id

    def finish(
        self,
        owner: Owner,
        id: str,
        model: str,
        answers: Iterable[Mapping[str, Any]],
        summary: str,
        now: float | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """Store a model version's verdicts, replacing earlier ones of the same version.

        Nothing is stored if the entry is gone, or if its metadata are no longer the `context` of the verdicts.
        """
        with self.database.session(alone=id) as session:
            row = self.row(session, owner, id, Right.MANAGE_OTHERS)
            if row is None or (context is not None and json.loads(row.context) != json.loads(json.dumps(context))):
                return
            row.answers = [answer for answer in row.answers if answer.model != model]
            session.flush()
            written = time.time() if now is None else now
            content = f"[{', '.join(map(json.dumps, answers))}]"  # one in memory at a time
            row.answers.append(AnswerRow(model=model, written=written, content=content))
            row.state, row.summary = DONE, writable(summary)

    def get(self, owner: Owner, id: str) -> Entry | None:
        """One entry; None if the owner has no such entry."""
        with self.database.session() as session:
            row = self.row(session, owner, id)
            if row is None:
                return None
            row.opened = time.time()
            entry = entry_of(row)
        with suppress(OSError):
            self.spool.touch(file.digest for file in entry.files)
        return entry

    def find(self, owner: Owner, text: str = "", everyone: bool | None = None) -> list[Entry]:
        """Search names, cells and labels for every word of a text; last opened first, at most 500.

        Parameters
        ----------
        owner : str or Visitor
            Who searches.
        text : str
            The words.
        everyone : bool, optional
            Whether also in what others classified; by default where the history is shared with who searches.

        Raises
        ------
        AccessError
            If they may not see what others classified.
        HistoryError
            If there are more words than `MOST_WORDS`, or the database cannot be used.
        """
        who = self._visitor(owner)
        if everyone:
            who.require(Right.SEE_OTHERS)
        if everyone is None:
            everyone = self.shared and who.may(Right.SEE_OTHERS)
        words = writable(text).split()
        if len(words) > MOST_WORDS:
            raise HistoryError(f"The search has {len(words)} words; at most {MOST_WORDS} are looked for at once.")
        chosen = select(EntryRow).options(*_ALL).order_by(EntryRow.opened.desc()).limit(LISTED)
        if not everyone:
            chosen = chosen.where(EntryRow.owner == hidden_owner(who))
        for word in words:
            chosen = chosen.where(
                (EntryRow.name + " " + EntryRow.cell + " " + EntryRow.summary).icontains(word, autoescape=True)
            )
        with self.database.session() as session:
            return [entry_of(row) for row in session.scalars(chosen)]

    def answers(self, owner: Owner, id: str) -> dict[str, list[dict[str, Any]]]:
        """Stored verdicts by model version, latest last."""
        with self.database.session() as session:
            row = self.row(session, owner, id)
            return {} if row is None else {a.model: json.loads(a.content) for a in row.answers}

    def delete(self, owner: Owner, ids: Collection[str]) -> int:
        """Delete entries with their verdicts and unshared files; returns the number of entries."""
        chosen = select(EntryRow).where(EntryRow.id.in_(list(map(writable, ids))))
        all_of_them = self._visitor(owner).may(Right.MANAGE_OTHERS)
        return self._remove(chosen if all_of_them else chosen.where(EntryRow.owner == hidden_owner(owner)))

    def hand_over(self, giver: str, to: Visitor) -> int:
        """Give all entries of an owner to another, such as a browser's to whoever logged in; returns their number."""
        with self.database.session(alone=hidden_owner(giver)) as session:
            moved = update(EntryRow).where(EntryRow.owner == hidden_owner(giver)).values(owner=hidden_owner(to))
            return len(session.scalars(moved.returning(EntryRow.id)).all())

    def delete_all(self, owner: Owner) -> int:
        """Delete all entries and unclassified uploads of one owner, even in a shared history; returns their number."""
        count, claimant = self._remove(_of(owner)), self._visitor(owner).owner
        mine = self.spool.claimed_by(claimant)
        self.spool.release(mine, claimant)
        self.sweep(mine)
        return count

    def prune(self, days: float, max_bytes: int, now: float | None = None, by: Visitor = OPERATOR) -> None:
        """Delete what is not kept any longer.

        Entries not opened for `days` days, names of people who did not log in for as long, contents and parts of
        uploads that have been without an entry for a day, and the least recently used contents beyond `max_bytes`
        bytes in total.

        Raises
        ------
        AccessError
            If who asks does not administer the server.
        """
        by.require(Right.ADMINISTER)
        now = time.time() if now is None else now
        self._remove(select(EntryRow).where(EntryRow.opened < now - days * DAY_S))
        with self.database.session() as session:
            session.execute(delete(PersonRow).where(PersonRow.seen < now - days * DAY_S))
        self.spool.clear_parts()
        self.sweep(self.spool.left_over(()))
        sizes = self.spool.sizes()
        total = sum(sizes.values())
        for digest, size in sizes.items():
            if total <= max_bytes:
                break
            self.spool.remove([digest])
            total -= size

    def _remove(self, chosen: "Select[Any]") -> int:
        with self.database.session() as session:
            rows = session.scalars(chosen.order_by(EntryRow.id).with_for_update()).all()
            digests = {file.digest for row in rows for file in row.files}
            for row in rows:
                session.delete(row)
        self.sweep(digests)
        return len(rows)

    def sweep(self, digests: Collection[str]) -> None:
        """Delete those contents that no entry holds; none is stored or released in the meantime."""
        if not digests:
            return
        with self.spool.lock:
            wanted = list(digests)
            held: set[str] = set()
            with self.database.session() as session:
                for start in range(0, len(wanted), _AT_ONCE):
                    some = wanted[start : start + _AT_ONCE]
                    held |= set(session.scalars(select(FileRow.digest).where(FileRow.digest.in_(some))))
            self.spool.remove(set(wanted) - held)

    def row(self, session: Session, owner: Owner, id: str, right: Right = Right.SEE_OTHERS) -> EntryRow | None:
        """An entry that is the owner's or that they have a right to; nobody changes it before the transaction ends."""
        row, who = session.get(EntryRow, writable(id), with_for_update=True), self._visitor(owner)
        return row if row is not None and (row.owner == hidden_owner(who) or who.may(right)) else None

    def _visitor(self, owner: Owner) -> Visitor:
        return visitor_of(owner, self.shared)


def writable(text: str) -> str:
    """A text as every database takes it: no NUL, and no half of a character."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def hidden_owner(owner: Owner) -> str:
    """Hash of an owner for the database, so that it does not reveal the browser's secret."""
    return hashlib.sha256(visitor_of(owner).owner.encode()).hexdigest()


def _of(owner: Owner) -> "Select[Any]":
    return select(EntryRow).where(EntryRow.owner == hidden_owner(owner))


def entry_of(row: EntryRow) -> Entry:
    """An entry as it stands in the database."""
    return Entry(
        row.id,
        row.name,
        row.cell,
        tuple(StoredFile(file.name, file.digest, file.size) for file in row.files),
        json.loads(row.context),
        row.state,
        row.written,
        row.opened,
        row.summary,
        tuple(answer.model for answer in row.answers),
    )
