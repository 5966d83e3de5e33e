"""Sweeps and recordings: the common form of every file, in mV, pA and s."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np

from neuroclass.types.arrays import Floats

SIMULATED_KEYWORD = "simulated"
SIMULATED_WARNING = "Simulated: not a recorded cell."


class ClampMode(StrEnum):
    """What the amplifier clamps."""

    CURRENT = "current"
    VOLTAGE = "voltage"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Sweep:
    """One sweep of one cell.

    Attributes
    ----------
    number : int
        The sweep's number in its file.
    v_mv : ndarray, shape (n_times,)
        Membrane potential, mV.
    i_pa : ndarray, shape (n_times,)
        Injected current, pA; all NaN if the file lacks it.
    rate_hz : float
        Sampling rate, Hz.
    clamp_mode : ClampMode
        What the amplifier clamped.
    stimulus_name : str
        Stimulus name in the file; a hint, never decisive.
    recorded_current : bool
        Whether `i_pa` was measured, with noise, rather than commanded.
    notes : tuple of str
        What the reader changed in this sweep.
    source : str
        Original file and number if the cell's sweeps come from several files; else empty.
    began_s : float or None
        When it began by the file's clock, s; None where the file does not tell.
    """

    number: int
    v_mv: Floats
    i_pa: Floats
    rate_hz: float
    clamp_mode: ClampMode = ClampMode.CURRENT
    stimulus_name: str = ""
    recorded_current: bool = False
    notes: tuple[str, ...] = ()
    source: str = ""
    began_s: float | None = None

    def __post_init__(self) -> None:
        """Check that the arrays match."""
        if self.v_mv.ndim != 1 or self.v_mv.shape != self.i_pa.shape:
            raise ValueError(f"v_mv {self.v_mv.shape} and i_pa {self.i_pa.shape} must be alike and one-dimensional")
        if not (np.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise ValueError(f"rate_hz must be a positive number, not {self.rate_hz}")

    @property
    def n_times(self) -> int:
        """Number of samples."""
        return self.v_mv.size

    @property
    def duration_s(self) -> float:
        """Duration, s."""
        return self.n_times / self.rate_hz

    @cached_property
    def t(self) -> Floats:
        """Time of each sample from the sweep's start, s, shape (n_times,)."""
        return np.arange(self.n_times, dtype=np.float64) * (1.0 / self.rate_hz)

    @property
    def current_known(self) -> bool:
        """Whether the file holds the injected current."""
        return self.n_times > 0 and not bool(np.isnan(self.i_pa[0]))


@dataclass(frozen=True, eq=False)
class Recording:
    """The sweeps of one cell.

    Attributes
    ----------
    source : str
        Name of the file.
    cell : str
        Name of the cell within the file.
    sweeps : tuple of Sweep
        Current-clamp sweeps in the order of their numbers.
    warnings : tuple of str
        Caveats about the file.
    metadata : mapping of str to str
        Metadata of the cell in the file, such as its species.
    format : str
        The file format, such as "NWB 2".
    left_out : tuple of Sweep
        Sweeps of the file that the user excludes; nothing is measured on them.
    """

    source: str
    cell: str
    sweeps: tuple[Sweep, ...]
    warnings: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    format: str = ""
    left_out: tuple[Sweep, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether the file says that the cell is simulated."""
        return self.metadata.get(SIMULATED_KEYWORD) == "yes"
