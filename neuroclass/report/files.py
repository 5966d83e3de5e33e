"""Reports of classified files, as `classify --report` and `--pdf` write them."""

import shlex
from collections.abc import Sequence

from neuroclass.classification.classify import Answer, Models
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.measurement import CellMetadata, InputFile, read_joined
from neuroclass.classification.metadata import to_cli_arguments
from neuroclass.cohort.cohort import Cohort
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import NeuroClassError, RejectedInput
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from neuroclass.report.content import PanelOf, ReportCell, gather, panel_reader


def recordings_of(unit: CellInput, answers: Sequence[Answer], metadata: CellMetadata) -> dict[str, Recording]:
    """Sweeps of a unit's classified cells, by the cells' names; empty for feature tables."""
    if not any(not isinstance(one, RejectedInput) and one.sweeps for one in answers):
        return {}
    if unit.cell:
        recording, _ = read_joined(unit.cell, unit.sources, metadata.mapping)
        return {} if recording is None else {unit.cell: recording}
    found: dict[str, Recording] = {}
    for source in unit.sources:
        try:
            read = read_recordings(source.content, name=source.name, mapping=metadata.mapping or ChannelMapping())
        except NeuroClassError:
            continue
        found |= {recording.cell: recording for recording in read}
    return found


def command_line(sources: Sequence[InputFile], cell: str, metadata: CellMetadata) -> str:
    """The command that gives the same numbers.

    Parameters
    ----------
    sources : sequence of InputFile
        The files.
    cell : str
        The cell's name where the files are one cell; else empty.
    context : CellMetadata
        What the user said.
    """
    words = ["python", "-m", "neuroclass", "classify"]
    if cell:
        for source in sources:
            words += ["--group", f"{cell}={source.name}"]
    else:
        words += [f"./{s.name}" if s.name.startswith("-") else s.name for s in sources]
    return shlex.join([*words, "--json", *to_cli_arguments(metadata)])


def report_input(
    unit: CellInput,
    answers: Sequence[Answer],
    metadata: CellMetadata,
    models: Models,
    pools: Sequence[Cohort],
    panel: PanelOf | None = None,
) -> list[ReportCell | RejectedInput]:
    """What a report says of the cells of one unit, in their order; refusals pass through."""
    recordings = recordings_of(unit, answers, metadata)
    command = command_line(unit.sources, unit.cell, metadata)
    read = panel or panel_reader(pools)
    return [
        one
        if isinstance(one, RejectedInput)
        else gather(one, recordings.get(one.cell), metadata, models, pools, command, panel=read)
        for one in answers
    ]
