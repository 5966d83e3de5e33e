"""Reports on classified files, as `classify --report` and `--pdf` write them."""

from collections.abc import Sequence

from neuroclass.classification.inputs import CellInput
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.classification.metadata import CellMetadata, command_line
from neuroclass.classification.models import Models
from neuroclass.classification.result import Answer
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import RejectedInput
from neuroclass.report.content import PanelOf, ReportCell, gather, panel_reader


def report_input(
    cell_input: CellInput,
    measured: Sequence[MeasuredCell | RejectedInput],
    answers: Sequence[Answer],
    metadata: CellMetadata,
    models: Models,
    pools: Sequence[Cohort],
    panel: PanelOf | None = None,
) -> list[ReportCell | RejectedInput]:
    """What a report says about the cells of one input, in their order; rejected ones pass through.

    Parameters
    ----------
    cell_input : CellInput
        The files.
    measured : sequence of MeasuredCell or RejectedInput
        Their cells, with the analysis of each recording.
    answers : sequence of CellVerdict or RejectedInput
        What the models say about them, in the same order.
    metadata : CellMetadata
        What the user knows about the cells.
    models : Models
        The models that answered.
    pools : sequence of Cohort
        Where reference cells are looked for.
    panel : callable, optional
        See `gather`.

    Returns
    -------
    list of ReportCell or RejectedInput
    """
    command = command_line(cell_input, metadata, models.named_on_command_line)
    read = panel or panel_reader(pools)
    items: list[ReportCell | RejectedInput] = []
    for cell, answer in zip(measured, answers, strict=True):
        if isinstance(answer, RejectedInput):
            items.append(answer)
        elif isinstance(cell, MeasuredCell):
            items.append(gather(answer, cell.analysis, models, pools, command, panel=read))
    return items
