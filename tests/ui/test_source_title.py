"""Pages say where cells come from without the folders of the machine."""

import pytest

from neuroclass.ui.text import source_title

FETCHED = "Allen Cell Types Database, fetched to /srv/allen"
TITLES = {
    "published tables in /srv/data": "Allen Cell Types Database, published tables",
    FETCHED: "Allen Cell Types Database",
    f"{FETCHED}, noise features from /srv/data": "Allen Cell Types Database, noise features from the published tables",
    "simulated demo cohort": "simulated demo cohort",
    "cells.csv": "cells.csv",
}


@pytest.mark.parametrize("source", TITLES)
def test_a_source_is_named_without_its_folder(source: str) -> None:
    assert source_title(source) == TITLES[source]
