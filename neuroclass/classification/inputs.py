"""What is classified together: a file with its cells, or several files that are one cell; from paths or archives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neuroclass.classification.classify import Answer, classify_cells, load_models
from neuroclass.classification.measurement import CellMetadata, InputFile, measure, measure_joined
from neuroclass.classification.recording_report import SUFFIXES, find_files
from neuroclass.errors import RecordingError, RejectedInput, SettingsError
from neuroclass.io.archives import is_archive, unpack
from neuroclass.predictors.priors import Prior

FOLDER_SUFFIXES = (*SUFFIXES, ".xlsx", ".zip")


@dataclass(frozen=True)
class CellInput:
    """Files that are classified together.

    Attributes
    ----------
    sources : tuple of InputFile
        One file with its cells, or several of one cell.
    cell : str
        The cell's name where all files are one cell; empty where the file's own cells are meant.
    """

    sources: tuple[InputFile, ...]
    cell: str = ""

    @property
    def name(self) -> str:
        """The files' names."""
        return " + ".join(source.name for source in self.sources)


def classify_input(
    unit: CellInput,
    metadata: CellMetadata | None = None,
    models_folder: Path | None = None,
    reasons: bool = True,
    prior: Prior | None = None,
) -> list[Answer]:
    """Classify the cells of a file, or the cell of several.

    A unit is classified by itself, so that its numbers do not depend on what else is classified.

    Parameters
    ----------
    unit : CellInput
        The files.
    context : CellMetadata, optional
        What the user says about the cells.
    models_folder : Path, optional
        Folder of trained models; the shipped ones by default.
    reasons : bool
        Whether to compute SHAP values.
    prior : Prior, optional
        What the user knows of the classes beforehand; the context's by default.

    Returns
    -------
    list of CellVerdict or RejectedInput
    """
    if unit.cell:
        measured = [measure_joined(unit.cell, unit.sources, metadata)]
    else:
        measured = [one for source in unit.sources for one in measure(source.content, source.name, metadata)]
    known = prior or (metadata.prior if metadata else None)
    return classify_cells(measured, load_models(models_folder), reasons, known)


def cell_inputs(
    paths: Sequence[Path], groups: Mapping[str, Sequence[Path]], folder: Path
) -> Iterator[CellInput | RejectedInput]:
    """Units of files on disk, one after the other.

    Parameters
    ----------
    paths : sequence of Path
        Files, folders of files, and zip archives of them.
    groups : mapping of str to sequence of Path
        Files that are one cell, by its name.
    folder : Path
        Where the files of archives are unpacked; it must exist.

    Yields
    ------
    CellInput or RejectedInput
        Cells of several files come last.
    """
    for number, path in enumerate(find_files(paths, FOLDER_SUFFIXES)):
        try:
            archive = path.is_file() and is_archive(path)
        except OSError as error:
            yield RejectedInput(
                str(path), RecordingError(f"{path} cannot be opened ({error.strerror}). Check the path.")
            )
            continue
        if not archive:
            yield CellInput((InputFile(str(path), path),))
            continue
        inside = folder / str(number)
        inside.mkdir()
        for member in unpack(path, str(path), inside):
            yield member if isinstance(member, RejectedInput) else CellInput((InputFile(member.name, member.path),))
    for cell, files in groups.items():
        yield CellInput(tuple(InputFile(str(path), path) for path in files), cell)


def parse_group(text: str) -> tuple[str, list[Path]]:
    """Read ``cell7=ramp.abf,steps.abf``.

    Raises
    ------
    SettingsError
        If the cell's name or its files are missing.
    """
    cell, _, listed = text.partition("=")
    files = [Path(listed)] if Path(listed).is_file() else [Path(part.strip()) for part in listed.split(",")]
    if not cell.strip() or not listed.strip() or any(str(path) == "." for path in files):
        raise SettingsError(f"--group {text}: expected CELL=FILE,FILE such as cell7=ramp.abf,steps.abf.")
    return cell.strip(), files


def parse_groups(texts: Sequence[str]) -> dict[str, list[Path]]:
    """Read several `parse_group` texts; those that name the same cell add up."""
    groups: dict[str, list[Path]] = {}
    for text in texts:
        cell, files = parse_group(text)
        groups.setdefault(cell, []).extend(files)
    return groups
