"""Files of one cell that are refused alike are read alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from neuroclass.classification.inputs import CellInput, InputFile
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.classification.metadata import CellMetadata
from neuroclass.errors import RecordingError, RejectedInput
from neuroclass.io.channels import ChannelMapping
from tests.io.abf_files import steps, write_abf1


def _file(folder: Path, name: str, factor: float, sweeps: slice) -> InputFile:
    cell = steps(20_000.0)
    parts = replace(cell, sweeps=cell.sweeps[sweeps])
    write_abf1(folder / name, [("Vm", "mV", [s.v_mv * factor for s in parts.sweeps])], 20_000.0, [("Cmd 0", "pA")])
    return InputFile(name, folder / name)


@pytest.mark.parametrize(("second", "n_offered"), [(20.0, 1), (100.0, 0)])
def test_a_group_offers_what_all_its_files_offer(tmp_path: Path, second: float, n_offered: int) -> None:
    files = (_file(tmp_path, "a.abf", 20.0, slice(0, 4)), _file(tmp_path, "b.abf", second, slice(0, 7)))
    cell_input = CellInput(files, "cell 7")
    (refused,) = measure(cell_input)
    assert isinstance(refused, RejectedInput) and isinstance(refused.error, RecordingError)
    assert len(refused.error.proposals) == n_offered
    assert "a.abf" in refused.error.plain and "b.abf" in refused.error.plain
    for proposal in refused.error.proposals:
        (cell,) = measure(cell_input, CellMetadata(mapping=ChannelMapping(**proposal.options)))
        assert isinstance(cell, MeasuredCell) and cell.features["vrest"] == pytest.approx(-70.0, abs=0.1)
        assert len(cell.sweeps) == 11
