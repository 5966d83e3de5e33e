"""The sweeps behind a cell: simulated, from the cache, from a folder, or a reason."""

from pathlib import Path

import pandas as pd
import pytest

from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.cohort.recordings import recording_file, recording_of
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import CohortError
from neuroclass.io.allen import default_cache


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NEUROCLASS_RECORDINGS", raising=False)


@pytest.fixture
def cohort() -> Cohort:
    return make_cohort(pd.DataFrame({"id": ["12", "cell a"], "species": "mouse"}), "here")


def test_a_demo_cell_is_simulated() -> None:
    demo = load_demo()
    recording = recording_of(demo, demo.column("id")[0])
    assert isinstance(recording, Recording)
    assert recording.cell == demo.column("id")[0]
    assert len(recording.sweeps) > 10


def test_without_a_file_the_reason_says_what_to_do(cohort: Cohort) -> None:
    reason = recording_of(cohort, "12")
    assert isinstance(reason, str)
    assert "fetch --nwb 12" in reason
    assert "not a specimen" in str(recording_of(cohort, "cell a"))


def test_a_cell_of_another_cohort_is_refused(cohort: Cohort) -> None:
    with pytest.raises(CohortError, match="99"):
        recording_of(cohort, "99")


def test_the_cache_comes_before_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.setenv("NEUROCLASS_RECORDINGS", str(folder))
    for name in ("112.nwb", "cell_12_ephys.nwb", "12.abf"):
        (folder / name).touch()
    assert recording_file("12") == folder / "cell_12_ephys.nwb", "112 is another specimen"
    assert recording_file("../12") is None
    cached = default_cache().nwb_path("12")
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert recording_file("12") == cached


def test_a_file_is_read_as_any_upload(tmp_path: Path, cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    path = default_cache().nwb_path("12")
    path.parent.mkdir(parents=True)
    path.touch()

    def read(file: Path, *, name: str) -> tuple[Recording, ...]:
        seen.append(file)
        return (Recording(name, name, ()),)

    monkeypatch.setattr("neuroclass.cohort.recordings.read_recordings", read)
    found = recording_of(cohort, "12")
    assert isinstance(found, Recording)
    assert seen == [path]
