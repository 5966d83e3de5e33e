"""Where the history is kept, for how long and who sees it: the settings of whoever runs the server."""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_dir

from neuroclass.config import CACHE_VARIABLE, cache_folder
from neuroclass.errors import SettingsError

HISTORY_VARIABLE = "NEUROCLASS_HISTORY"
HISTORY_FILE_VARIABLE = "NEUROCLASS_HISTORY_FILE"
SHARED_VARIABLE = "NEUROCLASS_HISTORY_SHARED"
DAYS_VARIABLE = "NEUROCLASS_HISTORY_DAYS"
DEFAULT_DAYS = 90
MAX_BYTES = 20_000_000_000
_OFF = ("off", "no", "none")


@dataclass(frozen=True)
class Place:
    """Location of the history.

    Attributes
    ----------
    url : str
        URL of the database.
    folder : Path
        Folder of uploaded files; of none that lasts, an empty path.
    days : int
        Days an unopened entry is kept; 0 if nothing outlives the server.
    shared : bool
        Whether every visitor sees all entries.
    """

    url: str
    folder: Path
    days: int = DEFAULT_DAYS
    shared: bool = False

    def retention_notice(self, login: bool = False) -> str:
        """Describe for how long uploads are kept and who sees them: a browser, or whoever is logged in."""
        if not self.days:
            return "Uploads stay on the machine that runs NeuroClass and are deleted when it stops."
        everyone = "everyone of the lab sees them" if login else "everyone who reaches this server sees them"
        seen = (
            everyone
            if self.shared
            else f"only {'you see' if login else 'this browser sees'} them, unless you share a link"
        )
        return (
            f"Uploads stay on the machine that runs NeuroClass; {seen}. Files are deleted {self.days} days after last "
            f"use, or sooner (least recently used first) if the total exceeds {MAX_BYTES / 1e9:.0f} GB; answers, "
            f"each with a small drawing of one response, after {self.days} days."
        )

    def location(self) -> str:
        """Describe where uploads are stored."""
        if not self.days:
            return "In a temporary folder."
        database = "" if self.url.startswith("sqlite") else "; answers, without the recordings, in the lab's database"
        return f"Recordings in {self.folder}{database}."


def place() -> Place:
    """Location set by ``NEUROCLASS_HISTORY``: a folder, a database URL or ``off``; else the user's data folder.

    ``NEUROCLASS_HISTORY_FILE`` names a file that holds the same, such as a secret of a container.

    Raises
    ------
    SettingsError
        If a setting cannot be used.
    """
    value = _wanted()
    shared = os.environ.get(SHARED_VARIABLE, "").strip().lower() in ("1", "yes", "true", "on")
    if value.lower() in _OFF:
        return Place("sqlite://", Path(), 0)
    if os.environ.get(CACHE_VARIABLE, "").strip():
        folder = cache_folder() / "history"
    else:
        folder = Path(user_data_dir("neuroclass", appauthor=False)) / "history"
    if "://" in value:
        return Place(value, folder / "files", _days(), shared)
    folder = Path(value).expanduser() if value else folder
    return Place(f"sqlite:///{folder / 'history.sqlite'}", folder / "files", _days(), shared)


def _wanted() -> str:
    value, path = (os.environ.get(name, "").strip() for name in (HISTORY_VARIABLE, HISTORY_FILE_VARIABLE))
    if not path:
        return value
    if value:
        raise SettingsError(f"{HISTORY_VARIABLE} and {HISTORY_FILE_VARIABLE} are both set; unset one of them.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{HISTORY_FILE_VARIABLE} names {path}, which cannot be read ({error}); expected a text file with what "
            f"{HISTORY_VARIABLE} takes."
        ) from error


def _days() -> int:
    value = os.environ.get(DAYS_VARIABLE, "").strip() or str(DEFAULT_DAYS)
    if not value.isdigit() or int(value) < 1:
        raise SettingsError(f"{DAYS_VARIABLE} is {value!r}; expected a whole number of days, 1 or more.")
    return int(value)
