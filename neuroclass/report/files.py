"""Reports of classified files, as `classify --report` and `--pdf` write them."""

import shlex
from collections.abc import Sequence

from neuroclass.cohort.cohort import Cohort
from neuroclass.contexts import words_of
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import NeuroClassError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from neuroclass.measure import Context, Source, read_together
from neuroclass.report.content import PanelOf, ReportCell, gather, panel_reader
from neuroclass.units import Unit
from neuroclass.verdict import Refusal
from neuroclass.workflows import Answer, Models


def recordings_of(unit: Unit, answers: Sequence[Answer], context: Context) -> dict[str, Recording]:
    """Sweeps of a unit's classified cells, by the cells' names; empty for feature tables."""
    if not any(not isinstance(one, Refusal) and one.sweeps for one in answers):
        return {}
    if unit.cell:
        recording, _ = read_together(unit.cell, unit.sources, context.mapping)
        return {} if recording is None else {unit.cell: recording}
    found: dict[str, Recording] = {}
    for source in unit.sources:
        try:
            read = read_recordings(source.content, name=source.name, mapping=context.mapping or ChannelMapping())
        except NeuroClassError:
            continue
        found |= {recording.cell: recording for recording in read}
    return found


def command_line(sources: Sequence[Source], cell: str, context: Context) -> str:
    """The command that gives the same numbers.

    Parameters
    ----------
    sources : sequence of Source
        The files.
    cell : str
        The cell's name where the files are one cell; else empty.
    context : Context
        What the user said.
    """
    words = ["python", "-m", "neuroclass", "classify"]
    if cell:
        for source in sources:
            words += ["--group", f"{cell}={source.name}"]
    else:
        words += [f"./{s.name}" if s.name.startswith("-") else s.name for s in sources]
    return shlex.join([*words, "--json", *words_of(context)])


def report_unit(
    unit: Unit,
    answers: Sequence[Answer],
    context: Context,
    models: Models,
    pools: Sequence[Cohort],
    panel: PanelOf | None = None,
) -> list[ReportCell | Refusal]:
    """What a report says of the cells of one unit, in their order; refusals pass through."""
    recordings = recordings_of(unit, answers, context)
    command = command_line(unit.sources, unit.cell, context)
    read = panel or panel_reader(pools)
    return [
        one
        if isinstance(one, Refusal)
        else gather(one, recordings.get(one.cell), context, models, pools, command, panel=read)
        for one in answers
    ]
