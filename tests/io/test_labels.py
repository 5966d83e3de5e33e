"""Known classes of cells, as a user brings them."""

import pytest

from neuroclass.errors import TableError
from neuroclass.io.labels import read_labels


def test_names_and_classes_lose_their_margins() -> None:
    content = "\ufeffcell,label,note\r\n a1 , Pvalb ,x\r\na2,Sst,\r\n".encode()
    assert read_labels(content, "known.csv") == {"a1": "Pvalb", "a2": "Sst"}


def test_utf16_with_its_mark_is_read() -> None:
    assert read_labels("cell;label\ra1;Pvalb\r".encode("utf-16"), "known.csv") == {"a1": "Pvalb"}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "needs the columns cell and label"),
        (b"cell,class\na1,Pvalb\n", "needs the columns cell and label"),
        ("cell,label\na1,Pvalb\n".encode("utf-16-le"), "Save it as CSV in UTF-8"),
    ],
)
def test_another_file_is_refused_by_its_name(content: bytes, found: str) -> None:
    with pytest.raises(TableError, match=f"known.csv .*{found}"):
        read_labels(content, "known.csv")
