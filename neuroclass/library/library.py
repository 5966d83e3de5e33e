"""The library of models: a folder of artifacts with a small index, shared by all processes of a server.

Shipped models and training runs stay where they are; imported ones lie in the library's folder, one folder each. The
index holds what people add to them: names, notes, owners, and which one is the lab's default.
"""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from neuroclass.config import MODELS_DIR, cache_folder
from neuroclass.errors import LibraryError, ModelFileError
from neuroclass.io.artifacts import CARD_FILE, PREDICTORS, read_card
from neuroclass.io.atomic import write_atomically
from neuroclass.io.estimators import SYSTEMS
from neuroclass.library.entry import SHIPPED, SHIPPED_NAME, ModelEntry, Origin, hidden, trouble_of
from neuroclass.types.visitors import OPERATOR, Owner, Right, Visitor, visitor_of

FOLDER, JOBS = "library", "jobs"
LONGEST_NAME, LONGEST_NOTE = 60, 2000
LEAST_DIGITS = 8
_INDEX = "index.json"
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{3,80}")
_RESERVED = (SHIPPED, "batch", *PREDICTORS, *SYSTEMS)
_TRASH = ".gone-"


@dataclass(frozen=True)
class ModelLibrary:
    """The models that can be chosen.

    Attributes
    ----------
    folder : Path
        Of imported models and the index.
    jobs : Path
        Folder of all training runs; a finished one has ``result.json`` and its model in ``model/<system>/``.
    """

    folder: Path = field(default_factory=lambda: cache_folder() / FOLDER)
    jobs: Path = field(default_factory=lambda: cache_folder() / JOBS)

    def entries(self) -> list[ModelEntry]:
        """The shipped models, then all others, newest first."""
        index = self._index()
        found = [*self._runs(index), *self._imported(index)]
        return [_shipped(), *sorted(found, key=lambda entry: (-entry.added, entry.id))]

    def get(self, wanted: str) -> ModelEntry:
        """The model of an id, a name, or the first eight or more digits of its weights' SHA-256.

        Raises
        ------
        LibraryError
            If there is none, or several.
        """
        entries = self.entries()
        for same in (
            [entry for entry in entries if entry.id == wanted],
            [entry for entry in entries if entry.name == wanted],
            [entry for entry in entries if len(wanted) >= LEAST_DIGITS and entry.weights.startswith(wanted.lower())],
        ):
            if len(same) == 1:
                return same[0]
            if same:
                ids = ", ".join(entry.id for entry in same)
                raise LibraryError(f"{len(same)} models are called {wanted!r}. Use one of their ids: {ids}.")
        known = ", ".join(
            entry.id if entry.id == entry.name else f"{entry.id} ({entry.name})" for entry in entries[:12]
        )
        raise LibraryError(
            f"There is no model {wanted[:80]!r} in the library; there are {known}. List them with python -m neuroclass "
            "models, or import one with models import FILE."
        )

    def usable(self, wanted: str) -> ModelEntry:
        """As `get`, of a model that can be used.

        Raises
        ------
        LibraryError
            If it cannot.
        """
        entry = self.get(wanted)
        if entry.trouble:
            raise LibraryError(f"The model {entry.name!r} cannot be used: {entry.trouble}. Choose another one.")
        return entry

    @property
    def default(self) -> str:
        """Id of the lab's default: what is used where none is chosen; the shipped models if it is gone."""
        wanted = str(self._index().get("default") or SHIPPED)
        return wanted if any(entry.id == wanted and not entry.trouble for entry in self.entries()) else SHIPPED

    def promote(self, wanted: str, by: Visitor = OPERATOR) -> ModelEntry:
        """Make a model the lab's default.

        Raises
        ------
        AccessError
            If the visitor may not.
        LibraryError
            If there is none such that can be used.
        """
        by.require(Right.PROMOTE)
        entry = self.usable(wanted)
        with self._changed() as index:
            index["default"] = entry.id
        return entry

    def rename(self, wanted: str, name: str, by: Visitor = OPERATOR) -> ModelEntry:
        """Give a model another name.

        Raises
        ------
        LibraryError
            If the name is no name, or another model's; the shipped models keep theirs.
        AccessError
            If it is another visitor's.
        """
        entry = self._changeable(wanted, by)
        name = self.checked_name(name, entry.id)
        self._note(entry.id, name=name)
        return self.get(entry.id)

    def annotate(self, wanted: str, note: str, by: Visitor = OPERATOR) -> ModelEntry:
        """Note something about a model; an empty note removes it.

        Raises
        ------
        LibraryError
            If the note is too long; the shipped models have none.
        AccessError
            If it is another visitor's.
        """
        entry = self._changeable(wanted, by)
        if len(note) > LONGEST_NOTE:
            raise LibraryError(f"The note has {len(note):,} characters; at most {LONGEST_NOTE:,} are kept. Shorten it.")
        self._note(entry.id, note=note.strip())
        return self.get(entry.id)

    def delete(self, wanted: str, by: Visitor = OPERATOR) -> ModelEntry:
        """Delete a model's files; the record of a training run stays.

        Raises
        ------
        LibraryError
            If it is the shipped models, which always stay.
        AccessError
            If it is another visitor's.
        """
        entry = self._changeable(wanted, by)
        gone = entry.folder.with_name(f"{_TRASH}{entry.folder.name}-{time.time_ns()}")
        with self._changed() as index:
            with suppress(FileNotFoundError):  # another process was faster
                entry.folder.rename(gone)
            index["entries"].pop(entry.id, None)
            if index.get("default") == entry.id:
                index["default"] = SHIPPED
        shutil.rmtree(gone, ignore_errors=True)
        return entry

    def adopt(self, folder: Path, entry_id: str, name: str, note: str = "", owner: Owner = "") -> ModelEntry:
        """Move a checked model's folder into the library; the same model again is the entry that it was.

        Parameters
        ----------
        folder : Path
            From `draft`.
        entry_id, name, note : str
            Id from the content; what people call the model, and noted.
        owner : str or Visitor
            Whose browser it came from.

        Returns
        -------
        ModelEntry
        """
        who = visitor_of(owner)
        who.require(Right.ADD_MODELS)
        with self._changed() as index:
            place = self.folder / entry_id
            if not place.exists():
                folder.rename(place)
                noted = {"name": name, "note": note, "owner": hidden(who.owner), "added": time.time()}
                index["entries"][entry_id] = noted
        return self.get(entry_id)

    def draft(self) -> Path:
        """A new folder to unpack into, on the same disk as the library."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".draft-", dir=self.folder))

    def checked_name(self, name: str, entry_id: str = "") -> str:
        """A name that a model may have.

        Raises
        ------
        LibraryError
            If it is empty, too long, not printable, reserved, or another model's name or id.
        """
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise LibraryError(
                f"{name[:80]!r} is no name for a model; expected 1 to {LONGEST_NAME} printable characters. Choose "
                "another one."
            )
        others = [entry for entry in self.entries() if entry.id != entry_id]
        if name.lower() in _RESERVED or any(name in (entry.name, entry.id) for entry in others):
            raise LibraryError(f"Another model or system is called {name!r}. Choose another name.")
        return name

    def free_name(self, wanted: str) -> str:
        """`wanted`, with a number after it where another model has that name."""
        wanted = (" ".join(wanted.split()) or "model")[: LONGEST_NAME - 5]
        for number in range(1, 1000):
            name = wanted if number == 1 else f"{wanted} {number}"
            with suppress(LibraryError):
                return self.checked_name(name)
        return self.checked_name(f"model {time.time_ns()}")

    def _changeable(self, wanted: str, by: Visitor) -> ModelEntry:
        entry = self.get(wanted)
        if entry.shipped:
            raise LibraryError("The built-in models cannot be changed or deleted. Choose a model of your own.")
        if not entry.belongs_to(by.owner):
            by.require(Right.MANAGE_OTHERS)
        return entry

    def _note(self, entry_id: str, **what: str) -> None:
        with self._changed() as index:
            index["entries"].setdefault(entry_id, {}).update(what)

    def _index(self) -> dict[str, Any]:
        path = self.folder / _INDEX
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            entries = found.setdefault("entries", {})
            if not isinstance(entries, dict) or not all(isinstance(one, dict) for one in entries.values()):
                raise ValueError("its entries are not objects")
        except FileNotFoundError:
            return {"entries": {}}
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            raise ModelFileError(
                f"The index of the model library, {path}, cannot be read ({error}). Move it away: models stay, but "
                "their names, notes and the lab's default are forgotten."
            ) from error
        return dict(found)

    def _changed(self) -> "_Change":
        return _Change(self.folder, self._index)

    def _imported(self, index: Mapping[str, Any]) -> list[ModelEntry]:
        if not self.folder.is_dir():
            return []
        places = [path for path in self.folder.iterdir() if _ID.fullmatch(path.name) and path.is_dir()]
        return [_entry(path.name, path, Origin.ADDED, index["entries"].get(path.name, {})) for path in places]

    def _runs(self, index: Mapping[str, Any]) -> list[ModelEntry]:
        """Finished training runs whose model is there."""
        found = []
        for result in self.jobs.glob("*/result.json"):
            run = result.parent
            cards = sorted(run.glob(f"model/*/{CARD_FILE}"))
            cards = [card for card in cards if not card.parent.name.startswith(".")]
            if not cards or not _size(result) or not _ID.fullmatch(run.name):
                continue
            noted = {"owner": _json(run / "job.json").get("owner", ""), "added": cards[0].stat().st_mtime}
            named = {"name": name} if (name := _json(run / "run.json").get("name")) else {}
            found.append(
                _entry(run.name, cards[0].parent, Origin.RUN, {**noted, **named, **index["entries"].get(run.name, {})})
            )
        return found


class _Change:
    """The index, locked, written when the context ends without an error."""

    def __init__(self, folder: Path, read: Any) -> None:
        self._folder, self._read = folder, read
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "lock")

    def __enter__(self) -> dict[str, Any]:
        self._lock.acquire()
        try:
            self._content: dict[str, Any] = self._read()
        except BaseException:
            self._lock.release()
            raise
        return self._content

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                text = json.dumps(self._content, indent=1, ensure_ascii=False)
                write_atomically(self._folder / _INDEX, text.encode())
        finally:
            self._lock.release()


def _shipped() -> ModelEntry:
    return ModelEntry(SHIPPED, SHIPPED_NAME, Origin.SHIPPED, MODELS_DIR)


def _entry(entry_id: str, folder: Path, origin: Origin, noted: Mapping[str, Any]) -> ModelEntry:
    try:
        card = read_card(folder)
        trouble = trouble_of(card)
    except ModelFileError as error:
        card, trouble = {}, str(error)
    added = noted.get("added")
    added = float(added) if isinstance(added, int | float) else 0.0
    name = str(noted.get("name") or card.get("name") or _default_name(card, entry_id, added))[:LONGEST_NAME]
    note, owner = str(noted.get("note", "")), str(noted.get("owner", ""))
    return ModelEntry(entry_id, name, origin, folder, card, note, added, owner, trouble)


def _default_name(card: Mapping[str, Any], entry_id: str, added: float) -> str:
    system = str(card.get("system") or card.get("model") or "")
    return f"{system.upper()}, {datetime.fromtimestamp(added):%d %b %Y %H:%M:%S}" if system and added else entry_id


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
