"""Published tables: what is read, joined and refused."""

from pathlib import Path

import pandas as pd
import pytest

from neuroclass.errors import TableError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.tables import HUMAN_FILE, MOUSE_FILE, SPECIMEN_FILE, read_published_folder


def table(species: str, specimens: tuple[int, ...] = (11, 12)) -> pd.DataFrame:
    """A published table of two invented cells."""
    frame = pd.DataFrame({name: [float(k), k + 0.5] for k, name in enumerate(FEATURE_NAMES)})
    frame["file_name"] = [f"{specimen}_40" for specimen in specimens]
    frame["dendrite_type"] = ["aspiny", "spiny"]
    frame["layer"] = ["L2/L3", "L5"]
    if species == "mouse":
        frame["transgenic_line"] = ["Htr3a+|Vip-", "Glutamatergic"]
    return frame


def specimens(ids: tuple[int, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "specimen__id": ids,
            "donor__id": [700 + k for k in range(len(ids))],
            "line_name": ["Ndnf-IRES2-dgCre"] * len(ids),
            "structure_parent__acronym": ["VISp"] * len(ids),
            "cell_reporter_status": ["positive"] * len(ids),
            "structure__layer": ["2/3"] * len(ids),
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table("mouse").to_csv(tmp_path / MOUSE_FILE, index=False)
    table("human", (21, 22)).to_csv(tmp_path / HUMAN_FILE, index=False)
    specimens((11, 12, 21, 22, 99)).to_csv(tmp_path / SPECIMEN_FILE, index=False)
    return tmp_path


def test_both_species_are_read_and_joined(folder: Path) -> None:
    rows, notes = read_published_folder(folder)
    rows = rows.set_index("id")
    assert list(rows.index) == ["11", "12", "21", "22"]
    assert rows.loc["11", ["species", "subclass", "broad", "layer", "donor", "line"]].tolist() == [
        "mouse",
        "Htr3a",
        "inhibitory",
        "2/3",
        "700",
        "Ndnf-IRES2-dgCre",
    ]
    assert rows.loc["22", "broad"] == "excitatory"
    assert rows.loc["12", FEATURE_NAMES[5]] == 5.5
    assert notes == ()


def test_one_species_is_enough(folder: Path) -> None:
    (folder / MOUSE_FILE).unlink()
    rows, _ = read_published_folder(folder)
    assert set(rows["species"]) == {"human"}


def test_what_cannot_be_joined_is_said(folder: Path) -> None:
    specimens((11, 21)).to_csv(folder / SPECIMEN_FILE, index=False)
    rows, notes = read_published_folder(folder)
    assert rows["donor"].isna().sum() == 2
    assert "2 cells" in notes[0]


def test_without_specimens_donors_are_unknown(folder: Path) -> None:
    (folder / SPECIMEN_FILE).unlink()
    _, notes = read_published_folder(folder)
    assert SPECIMEN_FILE in notes[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="sag"), "sag"),
        (lambda frame: frame.assign(transgenic_line="Chandelier"), "Chandelier"),
        (lambda frame: frame.iloc[:0, :0], "cannot be read"),
    ],
)
def test_a_wrong_table_is_refused_by_name(folder: Path, change: object, words: str) -> None:
    change(table("mouse")).to_csv(folder / MOUSE_FILE, index=False)  # type: ignore[operator]
    with pytest.raises(TableError, match=words) as caught:
        read_published_folder(folder)
    assert MOUSE_FILE in str(caught.value)


def test_text_among_the_numbers_is_a_table_error(folder: Path) -> None:
    table("mouse").assign(sag=["n/k", 0.1]).to_csv(folder / MOUSE_FILE, index=False)
    with pytest.raises(TableError, match="sag"):
        read_published_folder(folder)


def test_the_same_specimen_twice_is_a_table_error(folder: Path) -> None:
    specimens((11, 11, 12)).to_csv(folder / SPECIMEN_FILE, index=False)
    with pytest.raises(TableError, match="11"):
        read_published_folder(folder)
