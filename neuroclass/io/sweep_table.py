"""CSV and Parquet tables of sweeps: a time column, one column per sweep, and units in the headers."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import ClampModeError, RecordingError, UnitsError
from neuroclass.io.channels import Channel, ChannelMapping, names_of, pick_channel, response_mv, stimulus_pa, unit_kind
from neuroclass.io.signals import rate_of_times
from neuroclass.types.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 500_000_000
PARQUET = b"PAR1"
_TIME_UNITS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6}
_UNIT = re.compile(r"^(?P<name>.*?)[\s_]*[\s_\(\[](?P<unit>[A-Za-zµμ]+)[\)\]]?\s*$")
_ATF = b"ATF"
_SEPARATORS = (",", ";", "\t")
_MOST_HEADER = 10_000
_EXAMPLE = 'columns such as "time (s)", "sweep 1 (mV)" and "current 1 (pA)"'


@dataclass(frozen=True)
class _Column:
    index: int
    name: str
    unit: str


def looks_like_sweep_table(head: bytes) -> bool:
    """Whether a file starting with these bytes is an ATF file, or a text table whose first column is time."""
    if head.startswith((_ATF + b"\t", _ATF + b",", _ATF + b" ")):
        return True
    try:
        first = head.decode("utf-8-sig", errors="strict" if len(head) < 4096 else "ignore").splitlines()[0]
    except (UnicodeDecodeError, IndexError):
        return False
    return "\0" not in first and re.match(r'^"?\s*(time|t)\b', first.replace("_", " "), re.IGNORECASE) is not None


def read_sweep_table(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read a table of sweeps.

    Parameters
    ----------
    path : Path
        CSV, TSV or Parquet.
    name : str
        Display name.
    mapping : ChannelMapping
        Units of columns without one in the header, or the pair of columns to read.
    limits : ReadLimits
        Limits on what may be read.

    Returns
    -------
    tuple of Recording
        One cell.

    Raises
    ------
    UnitsError
        A unit is missing or of the wrong kind.
    RecordingError
        The file is not a table of sweeps.
    """
    frame = _read(path, name, limits)
    columns = [_split(k, str(header)) for k, header in enumerate(frame.columns)]
    time = next((c for c in columns if c.name.lower() in ("time", "t") or c.name.lower().startswith("time")), None)
    if time is None:
        raise RecordingError(f"{name} has no time column; expected {_EXAMPLE}.")
    rate = _rate(_numbers(frame, time), time, name)
    others = [c for c in columns if c is not time]
    responses, stimuli = _roles(others, mapping)
    if not responses and stimuli and len(stimuli) == len(others):
        raise ClampModeError(f"{name} is voltage clamp: its columns are currents. Expected potentials, {_EXAMPLE}.")
    if not responses:
        raise UnitsError(
            f"No column of {name} has a unit of potential in its header; expected {_EXAMPLE}. "
            "Add the units to the headers.",
            advised=True,
        )
    if len(stimuli) not in (0, 1, len(responses)):
        raise RecordingError(f"{name} has {len(responses)} sweeps and {len(stimuli)} currents; expected one each.")
    sweeps = []
    for number, response in enumerate(responses):
        v = response_mv(_numbers(frame, response), response.unit, mapping)
        i = np.full(v.size, np.nan)
        if stimuli:
            stimulus = stimuli[number if len(stimuli) > 1 else 0]
            i = stimulus_pa(_numbers(frame, stimulus), stimulus.unit, mapping)
        sweeps.append(Sweep(number, v, i, rate, stimulus_name=response.name))
    return (Recording(name, Path(name).stem, tuple(sweeps), format="sweep table"),)


def table_channels(path: Path, name: str, limits: ReadLimits) -> list[Channel]:
    """What a mapping of a table may name: its columns where there are two besides the time, else nothing."""
    columns = [_split(k, str(header)) for k, header in enumerate(_read(path, name, limits).columns)]
    others = [c for c in columns if not c.name.lower().startswith("t")]
    return names_of([(c.name, c.unit, False) for c in others]) if len(others) == 2 else []


def _read(path: Path, name: str, limits: ReadLimits) -> "pd.DataFrame":
    import pandas as pd

    with path.open("rb") as file:
        parquet = file.read(4) == PARQUET
    if path.stat().st_size > LARGEST:
        raise RecordingError(
            f"{name} has {path.stat().st_size / 1e6:,.0f} MB; a table of sweeps may have {LARGEST / 1e6:,.0f} MB. Save "
            "it as NWB or ABF, or split it."
        )
    try:
        if not parquet:
            return _whole_text(path)
        import pyarrow.parquet

        about = pyarrow.parquet.ParquetFile(path).metadata
        if about.num_rows * about.num_columns * 8 > limits.bytes:
            raise RecordingError(f"{name} declares {about.num_rows:,} rows; that is more than a recording has.")
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise RecordingError(f"{name} is no table: {error}. Expected {_EXAMPLE}.") from error


def _whole_text(path: Path) -> "pd.DataFrame":
    """Read a text table with the separator and the decimal sign that fit its first rows, after an ATF file's header."""
    import pandas as pd

    skipped, encoding = _atf_header(path)
    start = pd.read_csv(path, sep=None, engine="python", nrows=5, skiprows=skipped, encoding=encoding)
    for separator in _SEPARATORS:
        rows = pd.read_csv(path, sep=separator, nrows=5, skiprows=skipped, encoding=encoding, dtype=str)
        if len(rows.columns) == len(start.columns) and len(rows.columns) > 1:
            comma = separator != "," and rows.apply(lambda column: column.str.contains(",", na=False)).to_numpy().any()
            decimal = "," if comma else "."
            return pd.read_csv(
                path, sep=separator, decimal=decimal, low_memory=False, skiprows=skipped, encoding=encoding
            )
    raise ValueError("its columns are not separated by commas, semicolons or tabs")


def _atf_header(path: Path) -> tuple[int, str]:
    """Lines before an ATF file's column titles, and the text encoding; 0 lines for other tables."""
    with path.open("rb") as file:
        if not file.readline(80).startswith(_ATF):
            return 0, "utf-8-sig"
        counts = re.findall(rb"\d+", file.readline(80))
    if not counts or int(counts[0]) > _MOST_HEADER:
        raise ValueError("its second line does not say how many lines its header has")
    return 2 + int(counts[0]), "latin-1"


def _split(index: int, header: str) -> _Column:
    header = re.sub(r"(?<=[)\]])\.\d+$", "", header.strip())  # pandas numbers columns of the same title
    match = _UNIT.match(header)
    if match and (unit_kind(match["unit"]) or match["unit"].lower() in _TIME_UNITS):
        return _Column(index, match["name"].strip() or header, match["unit"])
    return _Column(index, header.strip(), "")


def _roles(columns: list[_Column], mapping: ChannelMapping) -> tuple[list[_Column], list[_Column]]:
    """Columns with potentials and columns with currents."""
    names = [c.name for c in columns]
    responses = [c for c in columns if unit_kind(c.unit) == "V"]
    stimuli = [c for c in columns if unit_kind(c.unit) == "A"]
    if mapping.stimulus is not None:
        stimuli = [columns[pick_channel(names, mapping.stimulus, "stimulus")]]
    if mapping.response is not None:
        responses = [columns[pick_channel(names, mapping.response, "response")]]
    elif not responses and mapping.response_unit:
        responses = [c for c in columns if not c.unit and c not in stimuli]
    return responses, stimuli


def _numbers(frame: "pd.DataFrame", column: _Column) -> Floats:
    import pandas as pd

    values = pd.to_numeric(frame.iloc[:, column.index], errors="coerce")
    return np.ascontiguousarray(values.to_numpy(dtype=np.float64))


def _rate(time: Floats, column: _Column, name: str) -> float:
    factor = _TIME_UNITS.get(column.unit.lower().replace("µ", "u").replace("μ", "u"))
    if factor is None:
        raise UnitsError(
            f"The time column of {name} has no unit; expected one such as s or ms. Add it to the header.", advised=True
        )
    if time.size < 20 or not np.isfinite(time).all():
        raise RecordingError(f"The time column of {name} has {np.isfinite(time).sum()} numbers; expected one a row.")
    return rate_of_times(time * factor, f"The time column of {name}")
