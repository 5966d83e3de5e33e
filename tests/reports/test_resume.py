"""A report that was killed and continued is the report of one that was not, and no fold is fitted twice."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from neuroclass.config import PROJECT_DIR
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.training.runs import runs_folder

SCRIPT = """
import sys
from neuroclass.cli import main
from tests.tiny_report import tiny_sizes
with tiny_sizes():
    sys.exit(main(["train", *sys.argv[1:]]))
"""


def _train(said: Path, *words: str) -> "subprocess.Popen[bytes]":
    with said.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *words], cwd=PROJECT_DIR, stdout=subprocess.DEVNULL, stderr=file,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip


def test_killed_and_continued_it_is_the_same_report(tiny_reports: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    said = tmp_path / "said.txt"
    process = _train(said, "lspin", "--out", str(tmp_path / "models"), "--report", "--baselines", "--jobs", "1")
    deadline = time.monotonic() + 600
    while process.poll() is None and time.monotonic() < deadline and len(_parts()) < 4:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = _parts()
    assert len(before) >= 4 and "training and report: about" in said.read_text().partition("epoch")[0]
    (run,) = (path.name for path in runs_folder().glob("*-lspin-*"))
    process = _train(said, "--resume", run)
    seen: set[tuple[str, int]] = set()
    while process.poll() is None and time.monotonic() < deadline:
        seen |= set(_parts().items())
        time.sleep(0.02)
    assert process.wait() == 0, said.read_text()[-2000:]
    assert {part: {when for name, when in seen if name == part} for part in before} == {
        part: {when} for part, when in before.items()
    }
    whole, cut = ReportStore("lspin", tiny_reports / "lspin"), ReportStore("lspin", tmp_path / "models" / "lspin")
    for part in (*Table, *Document):
        assert whole.has(part) == cut.has(part)
        if whole.has(part):
            assert whole._path(part).read_bytes() == cut._path(part).read_bytes(), part
    assert whole.card()["metrics"] == cut.card()["metrics"]
    assert whole.card()["weights_sha256"] == cut.card()["weights_sha256"]


def _parts() -> dict[str, int]:
    """Finished parts of the report, and when each was written; they vanish at the end, maybe while they are listed."""
    found = {}
    for path in runs_folder().glob("*/parts/*/value.json"):
        with suppress(FileNotFoundError):
            if path.parent.suffix != ".part":
                found[path.parent.name] = path.stat().st_mtime_ns
    return found
