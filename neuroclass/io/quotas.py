"""How much one owner may have on a server: stored bytes, entries, and training runs per day."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neuroclass.errors import QuotaError, SettingsError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MB_VARIABLE = "NEUROCLASS_QUOTA_MB"
ENTRIES_VARIABLE = "NEUROCLASS_QUOTA_ENTRIES"
RUNS_VARIABLE = "NEUROCLASS_QUOTA_RUNS"
MB = 1_000_000
DAY_S = 86_400.0
_DEFAULTS = {MB_VARIABLE: 5_000, ENTRIES_VARIABLE: 10_000, RUNS_VARIABLE: 100}
_NONE = ("none", "off")


@dataclass(frozen=True)
class Quotas:
    """What one owner may have; None for as much as there is room for.

    Attributes
    ----------
    bytes : int or None
        Of uploaded files, each content once.
    entries : int or None
        Of the history.
    runs : int or None
        Training runs started within 24 h.
    """

    bytes: int | None = None
    entries: int | None = None
    runs: int | None = None

    def check_runs(self, started: int) -> None:
        """Refuse another training run of an owner who started so many within a day.

        Raises
        ------
        QuotaError
            If those are all.
        """
        if self.runs is not None and started >= self.runs:
            raise QuotaError(
                f"You started {started} training runs within a day; this server allows {self.runs}. Start it tomorrow, "
                "resume an earlier one, or ask whoever runs the server."
            )

    def check_entry(self, session: "Session", owner: str, files: Mapping[str, int]) -> None:
        """Refuse another entry where it would be too much.

        Parameters
        ----------
        session : Session
            Of the history.
        owner : str
            The owner's hash.
        files : mapping of str to int
            Digests and sizes of its files.

        Raises
        ------
        QuotaError
            If the owner has as many entries or bytes as allowed.
        """
        from sqlalchemy import func, select

        from neuroclass.io.history_tables import EntryRow, FileRow

        if self.entries is not None:
            count = session.scalar(select(func.count()).where(EntryRow.owner == owner)) or 0
            if count >= self.entries:
                raise QuotaError(_full(f"{count:,} entries in the history; this server allows {self.entries:,}"))
        if self.bytes is None:
            return
        held = select(FileRow.digest, func.max(FileRow.size)).join(EntryRow, FileRow.entry == EntryRow.id)
        sizes = {
            row[0]: int(row[1]) for row in session.execute(held.where(EntryRow.owner == owner).group_by(FileRow.digest))
        }
        total = sum((sizes | dict(files)).values())
        if total > self.bytes and any(digest not in sizes for digest in files):
            raise QuotaError(
                _full(
                    f"{sum(sizes.values()) / MB:,.0f} MB of files in the history, and this adds "
                    f"{(total - sum(sizes.values())) / MB:,.1f} MB; this server allows {self.bytes / MB:,.0f} MB"
                )
            )


NO_QUOTAS = Quotas()


def _full(what: str) -> str:
    return f"You have {what}. Nothing of it was deleted: delete what you need no longer on the History page."


def quotas() -> Quotas:
    """Quotas named by ``NEUROCLASS_QUOTA_MB``, ``NEUROCLASS_QUOTA_ENTRIES`` and ``NEUROCLASS_QUOTA_RUNS``.

    Raises
    ------
    SettingsError
        If one is neither a whole number nor ``none``.
    """
    megabytes, entries, runs = map(_number, (MB_VARIABLE, ENTRIES_VARIABLE, RUNS_VARIABLE))
    return Quotas(None if megabytes is None else megabytes * MB, entries, runs)


def _number(variable: str) -> int | None:
    value = os.environ.get(variable, "").strip().lower() or str(_DEFAULTS[variable])
    if value in _NONE:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"{variable} is {value!r}; expected a whole number from 1, or none.")
    return int(value)
