"""One cell's verdict with the sweeps and metadata behind it, the input of every evidence view."""

from dataclasses import dataclass, field
from functools import cached_property

from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict
from neuroclass.report.content import own_trace
from neuroclass.report.places import Traced
from neuroclass.ui import model_choice
from neuroclass.ui.cells.lent import Lent


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
    recording : Lent or None
        The cell's measured recording, where there is one.
    simulated : bool
        Whether the cell is simulated.
    reference_id : str
        The cell's id, if it is itself a reference cell.
    inputs : str
        Fingerprint or name of what was measured.
    models : Models
        The models that answered.
    """

    key: str
    verdict: CellVerdict
    metadata: CellMetadata
    recording: Lent | None
    simulated: bool = False
    reference_id: str = ""
    inputs: str = ""
    models: Models = field(default_factory=model_choice.models)

    @cached_property
    def fingerprint(self) -> str:
        """Of the verdict and all that its evidence depends on, for what is kept of it."""
        parts = (self.key, self.inputs, self.simulated, self.reference_id)
        return fingerprint(case=parts, verdict=self.verdict, metadata=self.metadata, models=self.models)

    @property
    def analysis(self) -> RecordingAnalysis | None:
        """The measured recording; None without one."""
        return None if self.recording is None else self.recording()

    @property
    def traced(self) -> Traced | None:
        """The sweeps with the places where features were measured; None without sweeps."""
        analysis = self.analysis
        return None if analysis is None else own_trace(self.verdict, analysis, self.simulated)
