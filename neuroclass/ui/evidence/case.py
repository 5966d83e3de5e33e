"""One cell's verdict with the sweeps and metadata behind it, the input of every evidence view."""

from dataclasses import dataclass
from functools import cached_property

from neuroclass.classification.measurement import CellMetadata
from neuroclass.classification.result import CellVerdict
from neuroclass.ephys.sweep import Recording
from neuroclass.report.content import own_trace
from neuroclass.report.places import Traced


@dataclass(frozen=True, eq=False)
class Case:
    """A verdict and the data it was made from.

    Attributes
    ----------
    key : str
        Identifies the cell in caches and widget keys.
    verdict : CellVerdict
        Both models' predictions.
    metadata : CellMetadata
        Species, corrections and conditions that the user entered.
    recording : Recording or None
        The cell's sweeps, where there are any.
    simulated : bool
        Whether the cell is simulated.
    reference_id : str
        The cell's id, if it is itself a reference cell.
    """

    key: str
    verdict: CellVerdict
    metadata: CellMetadata
    recording: Recording | None
    simulated: bool = False
    reference_id: str = ""

    @cached_property
    def traced(self) -> Traced | None:
        """The sweeps with the places where features were measured; None without sweeps."""
        if self.recording is None:
            return None
        return own_trace(self.verdict, self.recording, self.metadata, self.simulated)
