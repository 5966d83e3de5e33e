"""The errors that NeuroClass raises, and the record of a rejected input.

Every message says what was found, what was expected and what to do. Only ``neuroclass.ui.guards``
turns one into a notice on a page, and only ``neuroclass.cli`` into an exit code.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Option = str | float


def title_of(kind: str) -> str:
    """The name of an error's class in two or three words, such as ``Clamp mode`` of ``ClampModeError``."""
    words = re.findall(r"[A-Z][a-z]+|[A-Z]+(?![a-z])", kind.removesuffix("Error"))
    return " ".join(words).capitalize() or "Error"


class NeuroClassError(Exception):
    """Base class of errors that a user can act on."""

    @property
    def title(self) -> str:
        """What went wrong in two or three words, such as ``Clamp mode``."""
        return title_of(self.kind)

    @property
    def kind(self) -> str:
        """Name of the error's class, as in JSON output."""
        return type(self).__name__

    @property
    def plain(self) -> str:
        """The message for a page: without the words that the command line needs."""
        return str(self)


@dataclass(frozen=True)
class Proposal:
    """One way to read a recording that was refused; it was tried on that recording, and the reading passed.

    Attributes
    ----------
    reading : str
        What is taken for potential and current, in words.
    options : mapping of str to str or float
        Fields of `ChannelMapping`.
    assumes : str
        What the reading assumes that the file does not tell; empty for nothing.
    """

    reading: str
    options: Mapping[str, Option]
    assumes: str = ""

    @property
    def command_words(self) -> str:
        """The same as arguments of the command line."""
        return shlex.join(option_words(self.options))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "reading": self.reading,
            "options": dict(self.options),
            "assumes": self.assumes,
            "arguments": self.command_words,
        }


def option_words(options: Mapping[str, Option]) -> list[str]:
    """Fields of a `ChannelMapping` as arguments of the command line, numbers in full precision."""
    words = []
    for name, value in options.items():
        option, text = f"--{name.replace('_', '-')}", value if isinstance(value, str) else _number(value)
        words += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return words


def _number(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


class SettingsError(NeuroClassError):
    """A setting has a value that cannot be used."""


class TableError(NeuroClassError):
    """A table of features or metadata cannot be read as one."""


class RecordingError(NeuroClassError):
    """A recording cannot be read, or is not a recording.

    Parameters
    ----------
    message : str
        What was found, what was expected, what to do; without proposals and words for the command line.
    proposals : sequence of Proposal
        Readings of this recording that were tried and passed.
    words : str
        The command line's words for what the message advises, if that is no proposal.
    advised : bool
        Whether the message itself says what to do, so that no other reading need be looked for.

    Attributes
    ----------
    channels : tuple of Channel
        What a reader found in the file, for other readings to be tried.
    """

    def __init__(
        self, message: str, proposals: Sequence[Proposal] = (), words: str = "", *, advised: bool = False
    ) -> None:
        """Keep the message and what goes with it."""
        super().__init__(message)
        self.proposals = tuple(proposals)
        self.words = words
        self.advised = advised
        self.channels: tuple[Any, ...] = ()

    def __str__(self) -> str:
        """The message, then the words for the command line."""
        words = [proposal.command_words for proposal in self.proposals] or [self.words]
        told = " or ".join(filter(None, words))
        return f"{self.plain} On the command line: {told}" if told else self.plain

    @property
    def found(self) -> str:
        """The message without the proposals."""
        return str(self.args[0])

    @property
    def plain(self) -> str:
        """The message with the proposals in words, without those that the command line needs."""
        return f"{self.found} {_offer(self.proposals)}" if self.proposals else self.found


def _offer(proposals: Sequence[Proposal]) -> str:
    if len(proposals) > 1:
        listed = "; ".join(f"({k}) {one.reading}" for k, one in enumerate(proposals, 1))
        return f"{len(proposals)} readings are physiologically possible: {listed}."
    one = proposals[0]
    if not one.assumes:
        return f"One reading is physiologically possible: {one.reading}."
    return (
        f"It can be read so: {one.reading}. That assumes {one.assumes}; enter the true offset where you know it, for "
        "resting potential and thresholds rest on it."
    )


class ClampModeError(RecordingError):
    """A recording holds no current-clamp sweep."""


class UnitsError(RecordingError):
    """The units or channels in a recording's header are not plausible."""


class UnsafeFileError(RecordingError):
    """A file does something that no data file should, such as linking to other files."""


class ModelFileError(NeuroClassError):
    """A model's files are incomplete, damaged or made for other features or classes."""


class LibraryError(NeuroClassError):
    """The library has no such model, or does not allow what was asked."""


class ExplanationError(NeuroClassError):
    """An explanation does not add up to what it explains."""


class CohortError(NeuroClassError):
    """A cohort lacks something that an operation needs."""


class FetchError(NeuroClassError):
    """A database or an archive could not be reached or sent an invalid response."""


class NotInArchiveError(FetchError):
    """The archive has no such dandiset, version or file."""


class EmbargoedError(FetchError):
    """The archive does not give these data to everyone."""


class UnreadableAssetError(FetchError):
    """A file of the archive is of a kind that is not read."""


class ChecksumError(FetchError):
    """What an archive sent is not what it lists."""


class AccessError(NeuroClassError):
    """Someone asks for what they may not do."""


class QuotaError(NeuroClassError):
    """Someone has as much on the server as it allows them."""


class HistoryError(NeuroClassError):
    """The history database cannot be used or has no such entry."""


class WorkError(NeuroClassError):
    """Work that was handed out to processes or a cluster cannot be finished there."""


class TrackingError(NeuroClassError):
    """A training run cannot be sent to an MLflow server."""


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
        return {**place, "error": describe(self.error)}


def describe(error: NeuroClassError) -> dict[str, Any]:
    """An error as plain values: its type, its message and, of a recording, the readings that pass."""
    plain: dict[str, Any] = {"type": error.kind, "message": str(error)}
    if isinstance(error, RecordingError) and error.proposals:
        plain["proposals"] = [proposal.to_json() for proposal in error.proposals]
    return plain
