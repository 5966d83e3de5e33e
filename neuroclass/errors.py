"""The errors that NeuroClass raises, and the record of a rejected input.

Every message says what was found, what was expected and what to do. Only ``neuroclass.ui.guards``
turns one into a notice on a page, and only ``neuroclass.cli`` into an exit code.
"""

from dataclasses import dataclass
from typing import Any


class NeuroClassError(Exception):
    """Base class of errors that a user can act on."""

    @property
    def kind(self) -> str:
        """Name of the error's class, as in JSON output."""
        return type(self).__name__


class SettingsError(NeuroClassError):
    """A setting has a value that cannot be used."""


class TableError(NeuroClassError):
    """A table of features or metadata cannot be read as one."""


class RecordingError(NeuroClassError):
    """A recording cannot be read, or is not a recording."""


class ClampModeError(RecordingError):
    """A recording holds no current-clamp sweep."""


class UnitsError(RecordingError):
    """The units or channels in a recording's header are not plausible."""


class UnsafeFileError(RecordingError):
    """A file does something that no data file should, such as linking to other files."""


class ModelFileError(NeuroClassError):
    """A model's files are incomplete, damaged or made for other features or classes."""


class ExplanationError(NeuroClassError):
    """An explanation does not add up to what it explains."""


class CohortError(NeuroClassError):
    """A cohort lacks something that an operation needs."""


class FetchError(NeuroClassError):
    """The Allen Cell Types Database could not be reached or sent an invalid response."""


class HistoryError(NeuroClassError):
    """The history database cannot be used or has no such entry."""


class TrainingPaused(NeuroClassError):
    """A training run was asked to pause; its state is kept, and it can be resumed."""


@dataclass(frozen=True)
class RejectedInput:
    """A file, or one cell of it, that was not classified, and why."""

    source: str
    error: NeuroClassError
    cell: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON record that the command line prints."""
        place = {"source": self.source, "cell": self.cell} if self.cell else {"source": self.source}
        return {**place, "error": {"type": self.error.kind, "message": str(self.error)}}
