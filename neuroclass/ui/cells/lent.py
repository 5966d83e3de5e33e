"""A measured recording for a fragment."""

from collections.abc import Callable
from dataclasses import dataclass

from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.errors import RecordingError


@dataclass(frozen=True)
class Lent:
    """A measured recording that is asked for whenever it is drawn.

    A fragment keeps what it was called with for as long as its page is open. It gets this instead of the recording, so
    that the samples of all open pages are not in memory at once.

    Attributes
    ----------
    get : callable
        Returns the recording, read and measured anew if need be; None if it is gone.
    """

    get: Callable[[], RecordingAnalysis | None]

    def __call__(self) -> RecordingAnalysis:
        """The recording.

        Raises
        ------
        RecordingError
            If it is gone.
        """
        found = self.get()
        if found is None:
            raise RecordingError("The recording is no longer on this machine. Upload it again, or reload the page.")
        return found
